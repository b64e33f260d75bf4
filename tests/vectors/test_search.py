"""Exact search: the tie rule, independence of block size, and counts over the whole corpus."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.core.errors import EncodingError
from evalsuite.core.measure import UNRANKED
from evalsuite.vectors import search as search_module
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


def expected_ranking(scores, k):
    """Rows, scores and boundary counts by sorting everything."""
    rows = np.stack([np.lexsort((np.arange(len(row)), -row))[:k] for row in scores])
    best = np.take_along_axis(scores, rows, axis=1)
    return rows, best, (scores == best[:, -1:]).sum(axis=1)


def assert_ranking(ranking, scores, k):
    """Rows, scores and boundary counts are those of a full sort."""
    rows, best, boundary = expected_ranking(scores, k)
    assert (ranking.rows == rows).all()
    assert (ranking.scores == best).all()
    assert (ranking.boundary == boundary).all()


@pytest.mark.parametrize("levels", [3, 50, 2000, None])
@pytest.mark.parametrize("block", [1, 97, 1024, 5000])
@pytest.mark.parametrize("slice_scores", [64, 2**19])
def test_thresholds_change_nothing(monkeypatch, levels, block, slice_scores):
    """Far more documents than k: the few that reach the k-th score give the ranking of a full sort."""
    monkeypatch.setattr(search_module, "SLICE_SCORES", slice_scores)
    rng = np.random.default_rng(1)
    shape = (3, 5000)
    scores = rng.standard_normal(shape) if levels is None else rng.integers(-levels, levels, size=shape)
    scores = scores.astype(np.float32)
    assert_ranking(search(scores, 5, block), scores, 5)


@given(matrices, st.integers(1, 30))
@settings(deadline=None)
def test_small_slices_and_any_layout(case, slice_scores):
    """Slices of any size, laid out query by query or document by document, give the same ranking."""
    (queries, documents, k, block, levels), seed = case
    scores, k = random_scores((queries, documents), levels, seed), min(k, documents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "SLICE_SCORES", slice_scores)
        best = TopK(queries, k, Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))
        for start in range(0, documents, block):
            best.update(np.asfortranarray(scores[:, start : start + block]), start)
        assert_ranking(best.ranking(), scores, k)
        assert_ranking(search(scores, k, block), scores, k)


@given(matrices)
def test_rising_and_falling_scores(case):
    """Corpora sorted best last (all pass the threshold) or best first (none do) are no exception."""
    (queries, documents, k, block, levels), seed = case
    scores, k = np.sort(random_scores((queries, documents), levels, seed), axis=1), min(k, documents)
    assert_ranking(search(scores, k, block), scores, k)
    assert_ranking(search(scores[:, ::-1].copy(), k, block), scores[:, ::-1], k)


def test_one_constant_query_among_others():
    """A query that ties everywhere, as one of zeros does, leaves the others alone."""
    scores = np.random.default_rng(2).standard_normal((9, 4000)).astype(np.float32)
    scores[4] = 0
    assert_ranking(search(scores, 7, 500), scores, 7)


@pytest.mark.parametrize("block", [3, 50, 400])
def test_infinite_and_signed_zero_scores(block):
    """Minus infinity is a score like any other, and -0.0 ties with 0.0."""
    rng = np.random.default_rng(3)
    scores = rng.choice(np.array([-np.inf, -1, -0.0, 0.0, np.inf], dtype=np.float32), size=(4, 400))
    scores[0] = -np.inf
    scores[1, 10:] = -np.inf
    for k in (2, 60, 400):
        assert_ranking(search(scores, k, block), scores, k)


def test_the_ranking_may_be_read_between_blocks():
    """Reading a result early does not disturb what comes after."""
    scores = np.random.default_rng(4).standard_normal((2, 900)).astype(np.float32)
    best = TopK(2, 5, Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))
    for start in range(0, 900, 100):
        best.update(scores[:, start : start + 100], start)
        assert_ranking(best.ranking(), scores[:, : start + 100], 5)


def test_scores_on_a_device_are_looked_through_there():
    """The way through torch finds the same scores as the way through numpy."""
    scores = np.random.default_rng(5).standard_normal((3, 200)).astype(np.float32)
    threshold = np.array([0.5, -np.inf, 9], dtype=np.float32)
    found = [
        sorted(zip(*(part.tolist() for part in parts), strict=True))
        for parts in (
            search_module._reaching(scores, threshold),
            search_module._reaching(np.asfortranarray(scores), threshold),
            search_module._reaching_on_device(torch.from_numpy(scores), threshold),
        )
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("place", [0, 3000])
def test_a_score_that_is_not_a_number_is_refused(place):
    """NaN stops the search, in the first block and behind the threshold alike."""
    scores = np.random.default_rng(6).standard_normal((2, 4000)).astype(np.float32)
    scores[1, place] = np.nan
    with pytest.raises(EncodingError, match="not a number"):
        search(scores, 3, 100)
