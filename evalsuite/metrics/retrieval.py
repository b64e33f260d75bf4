"""Retrieval metrics from the ranks of relevant documents: one value per query, trec_eval's conventions.

Every metric here depends only on the ranks of the relevant documents and on the judgements. Gains are the
grades themselves (linear), the discount is 1 / log2(rank + 1), the ideal ranking runs over all judged
documents, found or not, and a query without any relevant document scores 0, as in trec_eval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evalsuite.metrics.judgements import Doubles, Hits, Ints, Judgements

Metric = Callable[[Hits, Ints, Judgements, int], Doubles]


def score(
    hits: Hits, judgements: Judgements, cutoffs: Sequence[int], ranks: Ints | None = None
) -> dict[str, Doubles]:
    """Compute every metric at every cut-off.

    Args:
        hits: Relevant documents and their positions.
        judgements: What the judges said; its depth must reach the largest cut-off.
        cutoffs: Ranks k to compute `metric@k` at.
        ranks: int64 (hits,) ranks to use instead of `hits.rank`, such as `hits.worst_case()`.

    Returns:
        Canonical metric text to float64 (queries,) values between 0 and 1.
    """
    ranks = hits.rank if ranks is None else ranks
    return {
        f"{name}@{k}": metric(hits, ranks, judgements, k) for name, metric in METRICS.items() for k in cutoffs
    }


def ndcg(hits: Hits, ranks: Ints, judgements: Judgements, k: int) -> Doubles:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002; trec_eval `ndcg_cut`)."""
    # Added up by rising rank, as trec_eval does: the last bit decides whether two queries are equal.
    order = np.lexsort((ranks, hits.query))
    query, rank = hits.query[order], ranks[order]
    within = rank <= k
    gains = hits.grade[order][within] / np.log2(rank[within] + 1.0)
    return ratio(per_query(query[within], gains, judgements), ideal_dcg(judgements, k))


def average_precision(hits: Hits, ranks: Ints, judgements: Judgements, k: int) -> Doubles:
    """Average precision: mean of precision at each relevant rank, over all relevant (trec_eval `map_cut`)."""
    order = np.lexsort((ranks, hits.query))
    query, rank = hits.query[order], ranks[order]
    first = np.searchsorted(query, query, side="left")
    nth = np.arange(len(order)) - first + 1
    within = rank <= k
    precisions = nth[within] / rank[within]
    return ratio(per_query(query[within], precisions, judgements), judgements.relevant)


def reciprocal_rank(hits: Hits, ranks: Ints, judgements: Judgements, k: int) -> Doubles:
    """Reciprocal of the first relevant rank, 0 if it is beyond k (trec_eval `recip_rank`, cut at k)."""
    values = np.zeros(len(judgements))
    within = ranks <= k
    np.maximum.at(values, hits.query[within], 1.0 / ranks[within])
    return values


def recall(hits: Hits, ranks: Ints, judgements: Judgements, k: int) -> Doubles:
    """Share of the relevant documents among the first k (trec_eval `recall`)."""
    return ratio(_found(hits, ranks, judgements, k), judgements.relevant)


def precision(hits: Hits, ranks: Ints, judgements: Judgements, k: int) -> Doubles:
    """Share of the first k documents that are relevant (trec_eval `P`; k is not lowered to the corpus)."""
    return _found(hits, ranks, judgements, k) / k


def hit_rate(hits: Hits, ranks: Ints, judgements: Judgements, k: int) -> Doubles:
    """1 if a relevant document is among the first k (trec_eval `success`)."""
    return (_found(hits, ranks, judgements, k) > 0).astype(np.float64)


METRICS: dict[str, Metric] = {
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "recall": recall,
    "precision": precision,
    "hit_rate": hit_rate,
}
"""The retrieval metrics, by the name that canonical metric texts use."""


def ideal_dcg(judgements: Judgements, k: int) -> Doubles:
    """Discounted cumulative gain of the best possible ranking, cut at k: float64 (queries,)."""
    depth = min(k, judgements.ideal_gains.shape[1])
    if depth == 0:
        return np.zeros(len(judgements))
    gains = judgements.ideal_gains[:, :depth] / np.log2(np.arange(depth) + 2.0)
    return np.asarray(np.cumsum(gains, axis=1)[:, -1])


def per_query(query: Ints, values: Doubles, judgements: Judgements) -> Doubles:
    """Sum one value a hit into one value a query: float64 (queries,)."""
    return np.bincount(query, weights=values, minlength=len(judgements)).astype(np.float64)


def ratio(numerator: Doubles, denominator: Doubles | Ints) -> Doubles:
    """Divide, giving 0 where the denominator is 0: a query with nothing to find."""
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0)


def _found(hits: Hits, ranks: Ints, judgements: Judgements, k: int) -> Doubles:
    """Count the relevant documents among the first k: float64 (queries,)."""
    return np.bincount(hits.query[ranks <= k], minlength=len(judgements)).astype(np.float64)
