"""Strata: means of means, and the influence of each unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.stats.strata import Strata


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
def test_weights_sum_to_one_and_influences_to_zero(labels):
    """Whatever the parts, the weights are a mean's, and no unit moves the mean without another."""
    strata = Strata.of(labels)
    values = np.random.default_rng(0).random((len(labels), 2))
    assert strata.weights.sum() == pytest.approx(1)
    assert strata.influence(values).sum(axis=0) == pytest.approx([0, 0], abs=1e-12)


def test_a_small_part_counts_as_much_as_a_large_one():
    """Parts 1, 1, 1 and 3: the mean of part means is 2, not 1.5."""
    strata = Strata.of(["a", "a", "a", "b"])
    assert strata.mean(np.array([[1.0], [1.0], [1.0], [3.0]])) == pytest.approx([2.0])


def test_one_part_is_the_plain_mean():
    """Without parts nothing is special."""
    values = np.random.default_rng(1).random((7, 3))
    assert Strata.whole(7).mean(values) == pytest.approx(values.mean(axis=0))
