"""Abstention: does a low score of a ranking tell that the ranking is bad?

If the queries with the least confident rankings were left unanswered, the mean metric of the others should
rise. nAUC says how much of the possible rise a confidence achieves: 1 for the best order of abstaining, 0 for
an order that has nothing to do with the metric. Gisserot-Boukhlef et al., "Towards Trustworthy Reranking: A
Simple yet Effective Abstention Mechanism" (2024, https://arxiv.org/abs/2402.12997); the conventions, down to
the order of floating-point sums, are those of mteb 2.26, so that degenerate cases agree too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from evalsuite.metrics.judgements import Doubles, Ints

RATES = np.linspace(0, 1, 11)[:-1]
"""Shares of queries left unanswered: 0, 0.1, ..., 0.9."""


def confidences(top_scores: npt.NDArray[np.floating]) -> dict[str, Doubles]:
    """Compute three confidences of each ranking from its scores alone.

    Args:
        top_scores: (queries, depth), the scores of each query's ranking, falling; NaN fills up the rows of
            queries with fewer documents.

    Returns:
        `max` (the best score), `std` (population standard deviation of the scores) and `diff1` (the best
        minus the second best score): float64 (queries,) each. A ranking without documents has 0 everywhere,
        one with a single document has `diff1` 0.
    """
    scores = np.asarray(top_scores, dtype=np.float64)
    depths = np.count_nonzero(~np.isnan(scores), axis=1)
    found = {name: np.zeros(len(scores)) for name in ("max", "std", "diff1")}
    for depth in np.unique(depths[depths > 0]):
        mine = depths == depth
        some = np.ascontiguousarray(scores[mine, :depth])
        found["max"][mine] = some[:, 0]
        found["std"][mine] = some.std(axis=1)
        if depth > 1:
            found["diff1"][mine] = some[:, 0] - some[:, 1]
    return found


def nauc(confidence: Mapping[str, Doubles], values: Mapping[str, Doubles]) -> dict[tuple[str, str], float]:
    """Compute the normalised area under the abstention curve of every metric by every confidence.

    nAUC = (area of the curve - flat area) / (area of the best possible curve - flat area). Queries of equal
    confidence count with their mean metric: what abstaining among them at random gives.

    Args:
        confidence: Name to float64 (queries,).
        values: Metric to float64 (queries,), a value a query.

    Returns:
        (metric, confidence) to nAUC; NaN where no order of abstaining changes the mean.
    """
    if not values:
        return {}
    table = np.ascontiguousarray(np.stack(list(values.values())), dtype=np.float64)
    best = np.stack([_curves(row[None], row)[0] for row in table])
    flat = best[:, 0] * (RATES[-1] - RATES[0])
    room = _areas(best) - flat
    found: dict[tuple[str, str], float] = {}
    for name, by in confidence.items():
        gained = _areas(_curves(table, by)) - flat
        shares = np.divide(gained, room, out=np.full(len(table), np.nan), where=room != 0)
        found |= {(metric, name): float(share) for metric, share in zip(values, shares, strict=True)}
    return found


def _curves(table: Doubles, confidence: Doubles) -> Doubles:
    """Compute the mean metric of the queries still answered, at each of `RATES`.

    Args:
        table: float64 (metrics, queries).
        confidence: float64 (queries,).

    Returns:
        float64 (metrics, rates); NaN without queries.
    """
    count = len(confidence)
    if count == 0:
        return np.full((len(table), len(RATES)), np.nan)
    order = np.argsort(confidence, stable=True)
    answered = _tied_means(table[:, order], confidence[order])
    left_out = [min(round(float(rate) * count), count - 1) for rate in RATES]
    return np.stack([np.ascontiguousarray(answered[:, first:]).mean(axis=1) for first in left_out], axis=1)


def _tied_means(table: Doubles, confidence: Doubles) -> Doubles:
    """Replace the values of queries whose rising confidences are equal by their mean."""
    first: Ints = np.flatnonzero(np.r_[True, confidence[1:] != confidence[:-1]])
    sizes = np.diff(np.r_[first, len(confidence)])
    if len(sizes) == len(confidence):
        return table
    # A row at a time: over a table, numpy adds in another order, and rows of equal values end up unequal.
    means = np.stack([np.add.reduceat(row, first) / sizes for row in np.ascontiguousarray(table)])
    return np.repeat(means, sizes, axis=1)


def _areas(curves: Doubles) -> Doubles:
    """Integrate curves over `RATES` by the trapezoidal rule: float64 (metrics,)."""
    return np.asarray(np.trapezoid(curves, RATES, axis=1), dtype=np.float64)
