"""mteb's dictionaries from our values: mteb's own functions are the oracle."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores, make_score_dict
from mteb.abstasks.sts import AbsTaskSTS
from sklearn.metrics.pairwise import (
    paired_cosine_distances,
    paired_euclidean_distances,
    paired_manhattan_distances,
)

from evalsuite.core.measure import CUTOFFS
from evalsuite.metrics.judgements import Hits, Judgements
from evalsuite.metrics.official import PairScores, retrieval_scores, sts_scores
from evalsuite.metrics.retrieval import score

seeds = st.integers(0, 2**32 - 1)


def tied_run(seed):
    """Few distinct scores, queries alike, zero and negative grades, judged documents that are missing."""
    rng = np.random.default_rng(seed)
    queries, documents = int(rng.integers(1, 14)), int(rng.integers(1, 40))
    levels = int(rng.integers(1, 12))
    qrels, run = {}, {}
    for q in range(queries):
        judged = rng.choice(documents + 4, size=int(rng.integers(1, 5)), replace=False)
        qrels[f"q{q:02}"] = {f"d{d:02}": int(rng.integers(-1, 3)) for d in judged}
        kept = documents - int(rng.integers(0, 2)) if documents > 1 else documents
        run[f"q{q:02}"] = ranked({f"d{d:02}": float(rng.integers(0, levels)) / 4 for d in range(kept)})
    return qrels, run


def ranked(scores):
    """Best first, as a search gives them: in another order a standard deviation has another last bit."""
    return dict(sorted(scores.items(), key=lambda item: (item[1], item[0]), reverse=True))


def ours(qrels, run, cutoffs=CUTOFFS):
    """Rank by score, then id, both falling; then our metrics and mteb's names."""
    orders = [list(run[q]) for q in qrels]
    judged = [(row, g) for row, grades in enumerate(qrels.values()) for g in grades.values()]
    query, grade = np.array(judged, dtype=np.int64).T
    judgements = Judgements.from_grades(len(qrels), query, grade, max(cutoffs))
    found = [
        (row, g, orders[row].index(d) + 1)
        for row, grades in enumerate(qrels.values())
        for d, g in grades.items()
        if g > 0 and d in orders[row]
    ]
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    hits = Hits(*table.T, table[:, 2] - 1, np.ones(len(table), dtype=np.int64))
    top = np.full((len(qrels), max(map(len, orders))), np.nan)
    for row, (name, order) in enumerate(zip(qrels, orders, strict=True)):
        top[row, : len(order)] = [run[name][d] for d in order]
    return retrieval_scores(score(hits, judgements, cutoffs), top, cutoffs)


def theirs(qrels, run, cutoffs=CUTOFFS):
    """What mteb reports."""
    found = calculate_retrieval_scores(run, qrels, list(cutoffs))
    return make_score_dict(
        ndcg=found.ndcg, _map=found.map, recall=found.recall, precision=found.precision, mrr=found.mrr,
        naucs=found.naucs, naucs_mrr=found.naucs_mrr, hit_rate=found.hit_rate, task_scores={},
    )  # fmt: skip


def different(one, other):
    """Names whose values differ by more than 1e-9; NaN equals NaN."""
    assert set(one) == set(other)
    return {
        name: (one[name], other[name])
        for name in one
        if not (abs(one[name] - other[name]) <= 1e-9 or (math.isnan(one[name]) and math.isnan(other[name])))
    }


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_retrieval_equals_mteb(seed):
    """Every one of 148 numbers, with ties, zeros, missing documents and as little as one query."""
    qrels, run = tied_run(seed)
    assert different(ours(qrels, run), theirs(qrels, run)) == {}


def test_many_queries_equal_mteb():
    """The same at a size where floating-point sums have an order."""
    rng = np.random.default_rng(0)
    names = [f"d{d:03}" for d in range(200)]
    qrels = {
        f"q{q:03}": {names[d]: int(rng.integers(0, 4)) for d in rng.integers(0, 200, 6)} for q in range(300)
    }
    run = {}
    for q in qrels:
        run[q] = ranked(dict(zip(names, map(float, rng.normal(size=200).astype(np.float32)), strict=True)))
    assert different(ours(qrels, run), theirs(qrels, run)) == {}


def test_other_cutoffs_equal_mteb():
    """A task may have its own, as long as 1 is among them."""
    qrels, run = tied_run(3)
    found = ours(qrels, run, (1, 2, 7))
    assert different(found, theirs(qrels, run, (1, 2, 7))) == {}
    assert {"ndcg_at_7", "nauc_precision_at_2_diff1", "accuracy"} <= set(found)


def test_rounding_by_hand():
    """Means have five decimals, as in mteb; MRR does not."""
    values = {
        f"{name}@1": np.array([1.0, 0.0, 0.0]) for name in ("ndcg", "map", "recall", "precision", "mrr")
    }
    values["hit_rate@1"] = values["ndcg@1"]
    found = retrieval_scores(values, np.array([[3.0, 1.0], [2.0, 1.0], [1.0, 1.0]]), (1,))
    assert found["ndcg_at_1"] == 0.33333
    assert found["mrr_at_1"] == 1 / 3


def test_no_query_is_refused():
    """There is no mean of nothing; a table of another height is a mistake."""
    with pytest.raises(ValueError, match="0 queries"):
        retrieval_scores({"ndcg@1": np.zeros(0)}, np.zeros((0, 1)), (1,))
    with pytest.raises(ValueError, match="2 with rankings"):
        retrieval_scores({"ndcg@1": np.zeros(1)}, np.zeros((2, 1)), (1,))


def vectors(seed, pairs=40):
    """Pairs with a common part, some equal, one without direction."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(pairs, 24)).astype(np.float32)
    second = (first + rng.normal(size=first.shape) * rng.uniform(0, 2, (pairs, 1))).astype(np.float32)
    second[:3], first[-1] = first[:3], 0
    return first, second


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_pair_scores_equal_sklearn_bit_for_bit(seed):
    """Values that are equal there must be equal here, else ranks differ."""
    first, second = vectors(seed)
    pairs = PairScores.of(first, second)
    assert (pairs.cosine == 1 - paired_cosine_distances(first, second)).all()
    assert (pairs.manhattan == -paired_manhattan_distances(first, second)).all()
    assert (pairs.euclidean == -paired_euclidean_distances(first, second)).all()
    np.testing.assert_allclose(pairs.similarity, pairs.cosine, atol=0.5 * (first[-1] @ first[-1] == 0) + 1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_sts_equals_mteb(seed):
    """All eight correlations, from mteb's own arithmetic; the scale of the scores does not matter."""
    first, second = vectors(seed)
    pairs = PairScores.of(first, second)
    gold = np.random.default_rng(seed).integers(0, 6, len(first)).astype(np.float64)
    sides = {
        "cosine_scores": (1 - paired_cosine_distances(first, second)).tolist(),
        "manhattan_distances": (-paired_manhattan_distances(first, second)).tolist(),
        "euclidean_distances": (-paired_euclidean_distances(first, second)).tolist(),
        "similarity_scores": pairs.similarity.tolist(),
    }
    official = AbsTaskSTS._calculate_scores(None, sides, (gold / 5).tolist())
    assert different(sts_scores(pairs, gold), official) == {}


def test_constant_sides_have_no_correlation():
    """NaN, without a warning."""
    same = np.ones((4, 3), dtype=np.float32)
    found = sts_scores(PairScores.of(same, same), np.arange(4.0))
    assert all(math.isnan(value) for value in found.values())
