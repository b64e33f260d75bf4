"""Runs of equal values, against numpy's search."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.metrics.equal_values import equal_runs


@given(st.lists(st.integers(-3, 3), max_size=20))
def test_runs_are_where_a_search_finds_them(values):
    """In ascending order they are searchsorted's left and right; descending order mirrors them."""
    ordered = np.sort(np.array(values, dtype=np.float64))
    first, after = equal_runs(ordered)
    assert np.array_equal(first, np.searchsorted(ordered, ordered, "left"))
    assert np.array_equal(after, np.searchsorted(ordered, ordered, "right"))
    mirrored = equal_runs(ordered[::-1])
    assert np.array_equal(mirrored[0], len(values) - after[::-1])
