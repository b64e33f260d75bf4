"""Ties: the expectation over all orders, and the best and worst of them."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from evalsuite.core.measure import CUTOFFS
from evalsuite.metrics.judgements import Hits, Judgements
from evalsuite.metrics.retrieval import score
from evalsuite.metrics.ties import expected

CUTS = (1, 2, 3, 5, 10)


def arrays(scores, grades, missing=0):
    """Hits and judgements of one query; `missing` relevant documents are not in the corpus."""
    scores, grades = np.asarray(scores, dtype=float), np.asarray(grades, dtype=np.int64)
    relevant = np.flatnonzero(grades > 0)
    above = np.array([(scores > scores[d]).sum() for d in relevant], dtype=np.int64)
    tied = np.array([(scores == scores[d]).sum() for d in relevant], dtype=np.int64)
    order = np.lexsort((np.arange(len(scores)), -scores))
    rank = np.array([int(np.flatnonzero(order == d)[0]) + 1 for d in relevant], dtype=np.int64)
    zeros = np.zeros(len(relevant), dtype=np.int64)
    every = np.concatenate([grades, np.ones(missing, dtype=np.int64)])
    judgements = Judgements.from_grades(1, np.zeros(len(every), dtype=np.int64), every, max(CUTS))
    return Hits(zeros, grades[relevant], rank, above, tied), judgements


def every_order(scores, grades, missing):
    """All metrics under every order of tied documents."""
    hits, judgements = arrays(scores, grades, missing)
    relevant = np.flatnonzero(np.asarray(grades) > 0)
    results = []
    for permutation in itertools.permutations(range(len(scores))):
        order = sorted(permutation, key=lambda d: -scores[d])  # stable: the permutation decides among equals
        place = {document: rank for rank, document in enumerate(order, start=1)}
        ranks = np.array([place[d] for d in relevant], dtype=np.int64)
        results.append({name: value[0] for name, value in score(hits, judgements, CUTS, ranks).items()})
    return {name: np.array([r[name] for r in results]) for name in results[0]}


tied_queries = st.integers(1, 5).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
        st.integers(0, 2),
    )
)


@given(tied_queries)
def test_expected_is_the_mean_over_every_order(query):
    """The closed forms equal the average over all permutations of tied documents, for every metric."""
    scores, grades, missing = query
    brute = every_order(scores, grades, missing)
    closed = expected(*arrays(scores, grades, missing), CUTS)
    for name, values in brute.items():
        assert closed[name][0] == pytest.approx(values.mean(), abs=1e-9), name


@given(tied_queries)
def test_best_and_worst_case_bound_every_order(query):
    """Ties won is the largest and ties lost the smallest value any order of tied documents reaches."""
    scores, grades, missing = query
    hits, judgements = arrays(scores, grades, missing)
    brute = every_order(scores, grades, missing)
    won = score(hits, judgements, CUTS, hits.best_case())
    lost = score(hits, judgements, CUTS, hits.worst_case())
    for name, values in brute.items():
        assert won[name][0] == pytest.approx(values.max(), abs=1e-9), name
        assert lost[name][0] == pytest.approx(values.min(), abs=1e-9), name


@given(st.integers(0, 2**32 - 1))
def test_expected_ndcg_equals_scikit_learn(seed):
    """With heavy ties, expected nDCG@k equals scikit-learn's tie-averaged `ndcg_score`."""
    rng = np.random.default_rng(seed)
    scores, grades = rng.integers(0, 5, size=40), rng.integers(0, 3, size=40)
    closed = expected(*arrays(scores, grades), CUTS)
    for k in CUTS:
        reference = ndcg_score(grades[None, :], scores[None, :].astype(float), k=k)
        assert closed[f"ndcg@{k}"][0] == pytest.approx(reference, abs=1e-9)


def test_without_ties_everything_agrees():
    """Where no two scores are equal, the bracket closes on the headline."""
    hits, judgements = arrays([0.9, 0.5, 0.7, 0.1], [0, 2, 1, 1])
    headline = score(hits, judgements, CUTOFFS[:4])
    for other in (
        expected(hits, judgements, CUTOFFS[:4]),
        score(hits, judgements, CUTOFFS[:4], hits.best_case()),
        score(hits, judgements, CUTOFFS[:4], hits.worst_case()),
    ):
        for name, values in headline.items():
            np.testing.assert_allclose(other[name], values, atol=1e-12)


def test_one_large_tie_by_hand():
    """One relevant among 100 equal scores: expected recall@10 is 0.1, MRR@10 is H(10) / 100."""
    grades = [1, *[0] * 99]
    closed = expected(*arrays([0.0] * 100, grades), (10,))
    assert closed["recall@10"][0] == pytest.approx(0.1)
    assert closed["hit_rate@10"][0] == pytest.approx(0.1)
    assert closed["mrr@10"][0] == pytest.approx(sum(1 / rank for rank in range(1, 11)) / 100)
