"""Prefixes: sliced, then renormalised in float32."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.vectors.prefix import unit_prefix


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_prefix_is_unit_length_and_keeps_direction(seed, dim):
    """The prefix has length 1 and is a positive multiple of the slice."""
    x = np.random.default_rng(seed).standard_normal((4, 12)).astype(np.float32)
    cut = unit_prefix(x, dim)
    np.testing.assert_allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(cut * np.linalg.norm(x[:, :dim], axis=1, keepdims=True), x[:, :dim], atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_normalising_before_slicing_changes_nothing(seed, dim):
    """Slicing the raw or the normalised full vector gives the same prefix."""
    x = np.random.default_rng(seed).standard_normal((4, 12)).astype(np.float32)
    np.testing.assert_allclose(unit_prefix(unit_prefix(x, 12), dim), unit_prefix(x, dim), atol=1e-6)


def test_by_hand():
    """(3, 4, 12) cut to 2 is (0.6, 0.8)."""
    np.testing.assert_allclose(unit_prefix(np.array([[3, 4, 12]], dtype=np.float32), 2), [[0.6, 0.8]])


def test_a_zero_prefix_stays_zero():
    """A row whose prefix vanishes is left at zero and never becomes NaN."""
    assert unit_prefix(np.array([[0, 0, 1]], dtype=np.float32), 2).tolist() == [[0, 0]]


@pytest.mark.parametrize("dim", [0, -1, 4])
def test_impossible_dims_are_refused(dim):
    """A dimension outside 1..width is an error, not an empty or short vector."""
    with pytest.raises(ValueError, match=f"dim {dim} is not between 1 and the vectors' width 3"):
        unit_prefix(np.ones((1, 3), dtype=np.float32), dim)
