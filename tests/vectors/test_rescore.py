"""Rescoring: with every document a candidate it is the better ranking; otherwise the rest keeps its order."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.measure import UNRANKED
from evalsuite.vectors.rescore import rerank
from evalsuite.vectors.search import Pairs, TopK

cases = st.tuples(
    st.integers(1, 3), st.integers(2, 25), st.integers(1, 25), st.integers(1, 25), st.integers(0, 2**32 - 1)
)


def first_stage(scores, k):
    """Rank a score matrix and watch every pair."""
    queries, documents = scores.shape
    query, document = (axis.ravel().astype(np.int64) for axis in np.mgrid[0:queries, 0:documents])
    pairs, _ = Pairs.ordered(query, document)
    best = TopK(queries, k, pairs)
    best.update(torch.from_numpy(scores), 0)
    return best.ranking(), pairs


def case_of(queries, documents, k, count, seed):
    """Coarse first scores, better second scores in [-1, 1], sizes within the corpus."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, size=(queries, documents)).astype(np.float32)
    fine = (rng.integers(-8, 9, size=(queries, documents)) / 8).astype(np.float32)
    k = min(k, documents)
    return coarse, fine, k, min(count, k)


def expected_order(coarse, fine, count):
    """Candidates by new score, then the others by first score; rows ascending among equals."""
    first = sorted(range(len(coarse)), key=lambda d: (-coarse[d], d))
    candidates = sorted(first[:count], key=lambda d: (-fine[d], d))
    return candidates, first[count:]


@given(cases)
def test_order_is_candidates_then_the_rest(case):
    """The candidates stand first in their new order, the others follow in the order they had."""
    coarse, fine, k, count = case_of(*case)
    ranking, pairs = first_stage(coarse, k)
    renewed = np.take_along_axis(fine, ranking.rows[:, :count], axis=1)
    final = rerank(ranking, renewed, pairs)
    for query in range(len(coarse)):
        candidates, rest = expected_order(coarse[query], fine[query], count)
        assert list(final.rows[query]) == (candidates + rest)[:k]
    assert (np.diff(final.scores, axis=1) <= 0).all()


@given(cases)
def test_all_candidates_is_the_better_ranking(case):
    """With as many candidates as documents, nothing of the first stage is left."""
    coarse, fine, _, _ = case_of(*case)
    documents = coarse.shape[1]
    ranking, pairs = first_stage(coarse, documents)
    final = rerank(ranking, np.take_along_axis(fine, ranking.rows, axis=1), pairs)
    direct, _ = first_stage(fine, documents)
    np.testing.assert_array_equal(final.rows, direct.rows)
    np.testing.assert_array_equal(final.scores, direct.scores)
    np.testing.assert_array_equal(final.boundary, direct.boundary)


@given(cases)
def test_positions_follow_the_final_order(case):
    """Every watched document's rank, documents above and ties are those of the two-level score."""
    coarse, fine, k, count = case_of(*case)
    ranking, pairs = first_stage(coarse, k)
    final = rerank(ranking, np.take_along_axis(fine, ranking.rows[:, :count], axis=1), pairs)
    positions = final.positions(pairs)
    for place, (query, document) in enumerate(zip(pairs.query, pairs.document, strict=True)):
        candidates, rest = expected_order(coarse[query], fine[query], count)
        score = {d: (1, fine[query][d]) for d in candidates} | {d: (0, coarse[query][d]) for d in rest}
        order = candidates + rest
        last = score[order[k - 1]]
        if score[document] < last:
            assert positions.above[place] == UNRANKED
            continue
        assert positions.above[place] == sum(other > score[document] for other in score.values())
        assert positions.tied[place] == sum(other == score[document] for other in score.values())
        rank = order.index(document) + 1
        assert positions.rank[place] == (rank if rank <= k else UNRANKED)
