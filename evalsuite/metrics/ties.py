"""Expected metrics over every order of tied documents, in closed form, per query.

A tie group is a set of documents of one query with equal scores. With `above` documents before the group,
`tied` documents in it and `relevant` of these relevant, each order inside the group is equally likely. The
expectations follow McSherry & Najork, "Computing Information Retrieval Performance Measures Efficiently in
the Presence of Tied Scores" (ECIR 2008); the expected nDCG equals scikit-learn's tie-averaged `ndcg_score`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from evalsuite.core.measure import UNRANKED
from evalsuite.metrics.judgements import Doubles, Hits, Ints, Judgements
from evalsuite.metrics.retrieval import ideal_dcg, per_query, ratio


@dataclass(frozen=True)
class TieGroups:
    """The tie groups that hold a relevant document, sorted by query, then by place.

    Attributes:
        query: int64 (groups,), query row.
        above: int64 (groups,), documents ranked before the group.
        tied: int64 (groups,), documents in the group.
        relevant: int64 (groups,), relevant documents in the group.
        gain: float64 (groups,), sum of their grades.
        relevant_before: int64 (groups,), relevant documents of the query in earlier groups.
    """

    query: Ints
    above: Ints
    tied: Ints
    relevant: Ints
    gain: Doubles
    relevant_before: Ints

    @classmethod
    def of(cls, hits: Hits) -> TieGroups:
        """Gather hits into groups; documents that were not retrieved are left out."""
        kept = np.flatnonzero(hits.above < UNRANKED)
        order = kept[np.lexsort((hits.above[kept], hits.query[kept]))]
        query, above = hits.query[order], hits.above[order]
        starts = np.ones(len(order), dtype=bool)
        starts[1:] = (query[1:] != query[:-1]) | (above[1:] != above[:-1])
        first = np.flatnonzero(starts)
        relevant = np.diff(np.append(first, len(order)))
        gain = np.add.reduceat(hits.grade[order].astype(np.float64), first) if len(first) else np.zeros(0)
        group_query = query[first]
        so_far = np.cumsum(relevant) - relevant
        leader = np.searchsorted(group_query, group_query, side="left")
        before = so_far - so_far[leader]
        return cls(group_query, above[first], hits.tied[order][first], relevant, gain, before)

    def within(self, k: int) -> Ints:
        """Count the places of each group at or above rank k: int64 (groups,)."""
        return np.clip(k - self.above, 0, self.tied)


def expected(hits: Hits, judgements: Judgements, cutoffs: Sequence[int]) -> dict[str, Doubles]:
    """Compute the expected value of every metric at every cut-off.

    Args:
        hits: Relevant documents and their positions.
        judgements: What the judges said; its depth must reach the largest cut-off.
        cutoffs: Ranks k to compute `metric@k` at.

    Returns:
        Canonical metric text to float64 (queries,) values between 0 and 1.
    """
    groups = TieGroups.of(hits)
    return {
        f"{name}@{k}": expectation(groups, judgements, k)
        for name, expectation in EXPECTATIONS.items()
        for k in cutoffs
    }


def expected_ndcg(groups: TieGroups, judgements: Judgements, k: int) -> Doubles:
    """Each group's gain times the mean discount of the places it occupies, over the ideal."""
    discounts = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    start = np.minimum(groups.above, k)
    mean_discount = (discounts[start + groups.within(k)] - discounts[start]) / groups.tied
    return ratio(per_query(groups.query, groups.gain * mean_discount, judgements), ideal_dcg(judgements, k))


def expected_average_precision(groups: TieGroups, judgements: Judgements, k: int) -> Doubles:
    """Sum over the places p of P(relevant at p) E[relevant up to p | relevant at p] / p, over all relevant.

    At the j-th of t places with r relevant, P = r / t and the expectation is B + 1 + (j - 1)(r - 1)/(t - 1)
    with B relevant documents before the group.
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, k + 1))])
    start, places = np.minimum(groups.above, k), groups.within(k)
    inverse_ranks = harmonic[start + places] - harmonic[start]
    earlier_over_rank = places - (groups.above + 1) * inverse_ranks
    density = np.where(groups.tied > 1, (groups.relevant - 1) / np.maximum(groups.tied - 1, 1), 0.0)
    total = (groups.relevant_before + 1) * inverse_ranks + density * earlier_over_rank
    values = np.where(places > 0, groups.relevant / groups.tied * total, 0.0)
    return ratio(per_query(groups.query, values, judgements), judgements.relevant)


def expected_reciprocal_rank(groups: TieGroups, judgements: Judgements, k: int) -> Doubles:
    """Expected reciprocal of the first relevant rank, which lies in the query's first group.

    The first of r relevant among t places is at place j with probability C(t - j, r - 1) / C(t, r); each is
    obtained from the one before by the factor (t - j - r + 1) / (t - j).
    """
    leading = np.flatnonzero(groups.relevant_before == 0)
    leading = leading[groups.above[leading] < k]
    above, tied = groups.above[leading], groups.tied[leading].astype(np.float64)
    relevant = groups.relevant[leading]
    probability = relevant / tied
    values = np.zeros(len(leading))
    last_place = np.minimum(tied - relevant + 1, k - above)
    for place in range(1, int(last_place.max(initial=0)) + 1):
        values += np.where(place <= last_place, probability / (above + place), 0.0)
        remaining = np.maximum(tied - place, 1.0)
        probability *= np.clip((tied - place - relevant + 1) / remaining, 0.0, 1.0)
    return per_query(groups.query[leading], values, judgements)


def expected_recall(groups: TieGroups, judgements: Judgements, k: int) -> Doubles:
    """Expected relevant documents among the first k, over all relevant."""
    return ratio(_expected_found(groups, judgements, k), judgements.relevant)


def expected_precision(groups: TieGroups, judgements: Judgements, k: int) -> Doubles:
    """Expected relevant documents among the first k, over k."""
    return _expected_found(groups, judgements, k) / k


def expected_hit_rate(groups: TieGroups, judgements: Judgements, k: int) -> Doubles:
    """Probability that a relevant document is among the first k.

    A group cut at m of its t places, r of them relevant, misses with probability C(t - r, m) / C(t, m).
    """
    places = groups.within(k)
    tied, relevant = groups.tied, groups.relevant
    possible = tied - relevant >= places
    log_miss = _log_choose(np.maximum(tied - relevant, places), places) - _log_choose(tied, places)
    misses = np.where(possible, np.exp(log_miss), 0.0)
    none_found = np.ones(len(judgements))
    np.multiply.at(none_found, groups.query, misses)
    return 1.0 - none_found


EXPECTATIONS: dict[str, Callable[[TieGroups, Judgements, int], Doubles]] = {
    "ndcg": expected_ndcg,
    "map": expected_average_precision,
    "mrr": expected_reciprocal_rank,
    "recall": expected_recall,
    "precision": expected_precision,
    "hit_rate": expected_hit_rate,
}
"""The expectations, by the name that canonical metric texts use."""


def _expected_found(groups: TieGroups, judgements: Judgements, k: int) -> Doubles:
    """Expected number of relevant documents among the first k: float64 (queries,)."""
    return per_query(groups.query, groups.relevant * groups.within(k) / groups.tied, judgements)


def _log_choose(n: Ints, m: Ints) -> Doubles:
    """Natural logarithm of the binomial coefficient n over m."""
    return np.asarray(gammaln(n + 1.0) - gammaln(m + 1.0) - gammaln(n - m + 1.0))
