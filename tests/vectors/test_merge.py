"""Merging rankings of parts: any split and any tree gives what one search gives."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.vectors.merge import merge_rankings
from evalsuite.vectors.search import Pairs, TopK


def searched(scores, start, k, watch):
    """Search one part of a corpus whose first row is `start`."""
    best = TopK(len(scores), k, watch)
    best.update(scores, start)
    return best.ranking()


def everything(queries, documents):
    """Watch every pair."""
    query, document = np.divmod(np.arange(queries * documents), documents)
    return Pairs.ordered(query, document)[0]


def assert_same(found, expected):
    for name in ("rows", "scores", "boundary", "watched"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@given(
    st.integers(1, 4), st.integers(2, 40), st.integers(1, 12), st.integers(1, 6),
    st.lists(st.integers(1, 39), max_size=5), st.booleans(), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_any_split_gives_the_search_of_the_whole(queries, documents, k, levels, cuts, backwards, seed):
    """Rows, scores, boundary ties and watched scores of merged parts are those of one pass."""
    scores = np.random.default_rng(seed).integers(-levels, levels, (queries, documents)).astype(np.float32)
    watch = everything(queries, documents)
    edges = [0, *sorted({cut for cut in cuts if cut < documents}), documents]
    parts = [searched(scores[:, first:stop], first, k, watch) for first, stop in pairwise(edges)]
    while len(parts) > 1:
        left, right = (parts.pop(), parts.pop()) if backwards else (parts.pop(0), parts.pop(0))
        parts.append(merge_rankings(left, right, k))
    assert_same(parts[0], searched(scores, 0, k, watch))


def test_ties_outside_the_kept_ones_are_counted():
    """By hand: three documents share the second place of two, one kept, two on the other side."""
    watch = Pairs(np.array([0]), np.array([3]))
    left = searched(np.array([[5.0, 3.0]], dtype=np.float32), 0, 2, watch)
    right = searched(np.array([[3.0, 3.0, 1.0]], dtype=np.float32), 2, 2, watch)
    merged = merge_rankings(left, right, 2)
    assert merged.rows.tolist() == [[0, 1]]
    assert merged.scores.tolist() == [[5.0, 3.0]]
    assert merged.boundary.tolist() == [3]
    assert merged.watched.tolist() == [3.0]


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_both_zeros_tie(zero):
    """-0.0 and 0.0 are equal scores on both sides of a merge."""
    watch = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))
    left = searched(np.array([[-0.0]], dtype=np.float32), 1, 1, watch)
    right = searched(np.array([[zero]], dtype=np.float32), 0, 1, watch)
    merged = merge_rankings(left, right, 1)
    assert merged.rows.tolist() == [[0]]
    assert merged.boundary.tolist() == [2]
