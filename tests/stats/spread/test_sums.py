"""Sums of parts of a side: added up they are those of one pass."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.stats.spread.sides import PassPlan, QuerySide
from evalsuite.stats.spread.stream import SampleSizes, SideStream
from tests.stats.spread import clouds

DIM = 12
SIZES = SampleSizes(rows=40, neighbours=20, pairs=20, positives=30)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 299), max_size=3, unique=True).map(sorted), st.integers(0, 1000))
def test_parts_draw_the_sample_of_the_whole(cuts, seed):
    """Any cut of the documents gives the same sample and judged rows, and the same sums to rounding."""
    documents = clouds.common_mean(300, DIM, length=0.4, seed=1).astype(np.float64)
    positives = np.stack([np.arange(10), np.arange(290, 300)], axis=1)
    plan = PassPlan.of(QuerySide(documents[:10], positives), [DIM, 5], seed, SIZES)
    whole = plan.over([documents])
    edges = [0, *cuts, 300]
    parts = [plan.over([documents[a:b]], a) for a, b in pairwise(edges)]
    sums = parts[0].stream.sums()
    for part in parts[1:]:
        sums = sums.plus(part.stream.sums(), SIZES.rows)
    found = SideStream.of_sums(sums, SIZES)
    np.testing.assert_array_equal(found.sample, whole.stream.sample)
    gathered = np.concatenate([each for part in parts for each in part.gathered.parts])
    np.testing.assert_array_equal(gathered, whole.gathered.rows(positives[:, 1]))
    np.testing.assert_array_equal(found.bit_shares, whole.stream.bit_shares)
    for dim in (DIM, 5):
        assert found.energy_share(dim) == pytest.approx(whole.stream.energy_share(dim), rel=1e-12)
        one, other = found.moments[dim], whole.stream.moments[dim]
        assert one.n == other.n
        np.testing.assert_allclose(one.gram, other.gram, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(one.total, other.total, rtol=1e-10, atol=1e-10)
