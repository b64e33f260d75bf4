"""Exact search: the tie rule, independence of block size, and counts over the whole corpus."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.measure import UNRANKED
from evalsuite.vectors.search import Pairs, TopK


def search(scores, k, block, watch=None):
    """Feed a score matrix to TopK block by block."""
    scores = torch.as_tensor(scores, dtype=torch.float32)
    watch = watch or Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    best = TopK(scores.shape[0], k, watch)
    for start in range(0, scores.shape[1], block):
        best.update(scores[:, start : start + block], start)
    return best.ranking()


def naive_order(row):
    """Score descending, then row ascending: the rule written down."""
    return sorted(range(len(row)), key=lambda column: (-row[column], column))


matrices = st.tuples(
    st.integers(1, 4), st.integers(1, 40), st.integers(1, 12), st.integers(1, 17), st.integers(1, 6)
).flatmap(lambda s: st.tuples(st.just(s), st.integers(0, 2**32 - 1)))


def random_scores(shape, levels, seed):
    """Scores with few distinct values, so that ties are everywhere."""
    return np.random.default_rng(seed).integers(0, levels, size=shape).astype(np.float32)


@given(matrices)
def test_equals_the_rule_for_every_block_size(case):
    """Whatever the block size, the k best are those of a full sort by (score descending, row ascending)."""
    (queries, documents, k, block, levels), seed = case
    scores = random_scores((queries, documents), levels, seed)
    ranking = search(scores, min(k, documents), block)
    for query in range(queries):
        expected = naive_order(scores[query])[: min(k, documents)]
        assert expected == list(ranking.rows[query])
        assert list(scores[query][expected]) == list(ranking.scores[query])


@given(matrices)
def test_boundary_counts_the_whole_corpus(case):
    """`boundary` is the number of documents anywhere that score like the last one kept."""
    (queries, documents, k, block, levels), seed = case
    scores = random_scores((queries, documents), levels, seed)
    ranking = search(scores, min(k, documents), block)
    expected = (scores == ranking.scores[:, -1:]).sum(axis=1)
    assert list(expected) == list(ranking.boundary)


@given(matrices)
def test_positions_of_watched_pairs(case):
    """Rank, documents above and documents tied are those of the full matrix, or UNRANKED below the k best."""
    (queries, documents, k, block, levels), seed = case
    scores = random_scores((queries, documents), levels, seed)
    query, document = (axis.ravel() for axis in np.mgrid[0:queries, 0:documents])
    pairs, _ = Pairs.ordered(query.astype(np.int64), document.astype(np.int64))
    ranking = search(scores, min(k, documents), block, pairs)
    positions = ranking.positions(pairs)
    for place, (q, d) in enumerate(zip(pairs.query, pairs.document, strict=True)):
        own, last = scores[q, d], ranking.scores[q, -1]
        if own < last:
            assert (positions.above[place], positions.rank[place]) == (UNRANKED, UNRANKED)
            continue
        assert positions.above[place] == (scores[q] > own).sum()
        assert positions.tied[place] == (scores[q] == own).sum()
        rank = naive_order(scores[q]).index(d) + 1
        assert positions.rank[place] == (rank if rank <= ranking.rows.shape[1] else UNRANKED)


@given(matrices, st.integers(1, 12))
def test_tie_across_a_cutoff(case, cutoff):
    """A query is marked when the documents at ranks `cutoff` and `cutoff + 1` score alike."""
    (queries, documents, k, block, levels), seed = case
    scores = random_scores((queries, documents), levels, seed)
    ranking = search(scores, min(k, documents), block)
    cutoff = min(cutoff, ranking.rows.shape[1])
    ordered = -np.sort(-scores, axis=1)
    for query in range(queries):
        tied = cutoff < documents and ordered[query, cutoff - 1] == ordered[query, cutoff]
        assert bool(ranking.tie_across(cutoff)[query]) == tied


def test_a_constant_scorer_keeps_the_first_rows():
    """When everything ties, the first k rows win and the boundary counts every document."""
    ranking = search(np.ones((2, 30)), 4, 7)
    assert ranking.rows.tolist() == [[0, 1, 2, 3]] * 2
    assert ranking.boundary.tolist() == [30, 30]
