"""Retrieval metrics: bounds, numbers worked by hand, trec_eval as the oracle."""

import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.measure import CUTOFFS, UNRANKED
from evalsuite.metrics.judgements import Hits, Judgements
from evalsuite.metrics.retrieval import METRICS, score

TREC = {"ndcg": "ndcg_cut", "map": "map_cut", "recall": "recall", "precision": "P", "hit_rate": "success"}


def one_query(grades_by_rank, unfound=()):
    """A query whose relevant documents stand at the given ranks: {rank: grade}."""
    ranks = np.array(sorted(grades_by_rank), dtype=np.int64)
    grades = np.array([grades_by_rank[rank] for rank in ranks], dtype=np.int64)
    zeros = np.zeros(len(ranks), dtype=np.int64)
    hits = Hits(zeros, grades, ranks, ranks - 1, np.ones_like(ranks))
    every = np.concatenate([grades, np.array(unfound, dtype=np.int64)])
    return hits, Judgements.from_grades(1, np.zeros(len(every), dtype=np.int64), every, max(CUTOFFS))


def test_ndcg_by_hand():
    """Grades 2 at rank 1 and 1 at rank 3, ideal 2 then 1: (2 + 1/2) / (2 + 1/log2(3))."""
    hits, judgements = one_query({1: 2, 3: 1})
    expected = (2 + 1 / 2) / (2 + 1 / math.log2(3))
    assert score(hits, judgements, [10])["ndcg@10"][0] == pytest.approx(expected, abs=1e-12)


def test_the_rest_by_hand():
    """Relevant at ranks 2 and 5, a third one missing from the corpus."""
    hits, judgements = one_query({2: 1, 5: 1}, unfound=[1])
    values = {name: value[0] for name, value in score(hits, judgements, [1, 5]).items()}
    assert values["map@5"] == pytest.approx((1 / 2 + 2 / 5) / 3)
    assert values["mrr@5"] == pytest.approx(1 / 2)
    assert values["recall@5"] == pytest.approx(2 / 3)
    assert values["precision@5"] == pytest.approx(2 / 5)
    assert values["hit_rate@5"] == 1
    assert {values[f"{name}@1"] for name in METRICS} == {0}


def test_perfect_ranking_scores_one():
    """Every metric that can reach 1 does when the relevant documents lead in grade order."""
    hits, judgements = one_query({1: 3, 2: 2, 3: 1})
    values = {name: value[0] for name, value in score(hits, judgements, [3]).items()}
    assert values == pytest.approx(dict.fromkeys(values, 1.0))


def test_nothing_relevant_scores_zero():
    """A judged query without a relevant document scores 0 on every metric, as in trec_eval."""
    judgements = Judgements.from_grades(1, np.array([0, 0]), np.array([0, -1]), 10)
    empty = np.zeros(0, dtype=np.int64)
    values = score(Hits(empty, empty, empty, empty, empty), judgements, [10])
    assert all(value[0] == 0 for value in values.values())


runs = st.integers(0, 2**32 - 1)


def random_run(seed):
    """A run without ties, graded judgements, some judged documents missing from the corpus."""
    rng = np.random.default_rng(seed)
    queries, documents = 6, int(rng.integers(1, 60))
    qrels, run = {}, {}
    for q in range(queries):
        judged = rng.choice(documents + 5, size=min(documents, int(rng.integers(1, 9))), replace=False)
        qrels[f"q{q}"] = {f"d{d}": int(rng.integers(-1, 4)) for d in judged}
        scores = rng.permutation(documents)
        run[f"q{q}"] = {f"d{d}": float(scores[d]) for d in range(documents)}
    return qrels, run


def as_arrays(qrels, run):
    """Turn a run without ties into hits and judgements."""
    rows = [(q, d, g) for q, (name, grades) in enumerate(qrels.items()) for d, g in grades.items() if name]
    names = list(qrels)
    judgements = Judgements.from_grades(
        len(names), np.array([r[0] for r in rows]), np.array([r[2] for r in rows]), max(CUTOFFS)
    )
    order = {q: sorted(run[q], key=run[q].get, reverse=True) for q in names}
    found = [(q, g, order[names[q]].index(d) + 1) for q, d, g in rows if g > 0 and d in run[names[q]]]
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Hits(
        table[:, 0], table[:, 1], table[:, 2], table[:, 2] - 1, np.ones(len(table), dtype=np.int64)
    ), judgements


@given(runs)
def test_equals_trec_eval(seed):
    """Per query, every metric at every cut-off equals pytrec_eval's to 1e-6."""
    qrels, run = random_run(seed)
    hits, judgements = as_arrays(qrels, run)
    ours = score(hits, judgements, CUTOFFS)
    cuts = ",".join(map(str, CUTOFFS))
    measures = {f"{trec}.{cuts}" for trec in TREC.values()} | {"recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    for row, query in enumerate(qrels):
        for name, trec in TREC.items():
            for k in CUTOFFS:
                assert ours[f"{name}@{k}"][row] == pytest.approx(theirs[query][f"{trec}_{k}"], abs=1e-6)
        assert ours["mrr@1000"][row] == pytest.approx(theirs[query]["recip_rank"], abs=1e-6)


@given(runs)
def test_bounded_and_monotone(seed):
    """Every metric lies in [0, 1]; recall, hit rate and MRR never fall as the cut-off grows."""
    hits, judgements = as_arrays(*random_run(seed))
    values = score(hits, judgements, CUTOFFS)
    for value in values.values():
        assert value.min() >= 0
        assert value.max() <= 1 + 1e-12
    for name in ("recall", "hit_rate", "mrr"):
        ladder = np.array([values[f"{name}@{k}"] for k in CUTOFFS])
        assert (np.diff(ladder, axis=0) >= -1e-12).all()


@given(runs, st.randoms())
def test_order_of_hits_does_not_matter(seed, random):
    """Shuffling the rows of the judgements changes nothing."""
    hits, judgements = as_arrays(*random_run(seed))
    order = list(range(len(hits.query)))
    random.shuffle(order)
    shuffled = Hits(*(getattr(hits, name)[order] for name in ("query", "grade", "rank", "above", "tied")))
    before, after = score(hits, judgements, CUTOFFS), score(shuffled, judgements, CUTOFFS)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-12)


def test_unretrieved_counts_as_missed():
    """A relevant document beyond the depth searched adds nothing and still counts in the denominator."""
    one = np.array([0], dtype=np.int64)
    far = np.array([UNRANKED], dtype=np.int64)
    hits = Hits(one, one + 1, far, far, one + 1)
    judgements = Judgements.from_grades(1, one, one + 1, 1000)
    assert {value[0] for value in score(hits, judgements, CUTOFFS).values()} == {0.0}
