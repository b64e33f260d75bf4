"""Bootstrap of correlations: resample pairs, and correlate both systems anew in each resample.

A correlation is no mean over pairs, so there is no difference a pair to test. What can be resampled is the
pair itself, with its score by people and the similarities of both systems; ranks are made anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from evalsuite.stats.resample import RESAMPLES, counts
from evalsuite.stats.strata import Doubles, Strata

_CHUNK = 32
"""Resamples worked on at once: few enough that all intermediate arrays stay in the processor's caches."""


@dataclass(frozen=True)
class _Order:
    """Where the values of one column stand, ties included.

    Attributes:
        rows: int64 (n,), rows in ascending order of value.
        starts: int64 (groups,), place where each group of equal values begins.
        group: int64 (n,), group of each row, in the column's own order.
        tied: Whether any two values are equal.
    """

    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    tied: bool

    @classmethod
    def of(cls, values: Doubles) -> _Order:
        rows = np.argsort(values, kind="stable").astype(np.int64)
        ordered = values[rows]
        fresh = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        group = np.empty(len(values), dtype=np.int64)
        group[rows] = np.cumsum(fresh) - 1
        return cls(rows, np.flatnonzero(fresh).astype(np.int64), group, not bool(fresh.all()))

    def grouped(self, weights: Doubles) -> Doubles:
        """Sum (n, b) weights over equal values: (groups, b), in ascending order of value."""
        ordered = weights[self.rows]
        return np.add.reduceat(ordered, self.starts, axis=0) if self.tied else ordered


def spearman_columns(values: Doubles, gold: Doubles) -> Doubles:
    """Correlate the ranks of each column of (n, m) with those of (n,); NaN where a side is constant."""
    return pearson_columns(rankdata(values, axis=0), rankdata(gold))


def pearson_columns(values: Doubles, gold: Doubles) -> Doubles:
    """Correlate each column of float64 (n, m) with float64 (n,); NaN where a side is constant."""
    left, right = values - values.mean(axis=0), gold - gold.mean()
    norm = np.linalg.norm(left, axis=0) * np.linalg.norm(right)
    return np.asarray(np.divide(right @ left, norm, out=np.full(norm.shape, np.nan), where=norm > 0))


def bootstrap_pearson(
    values: Doubles, gold: Doubles, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Doubles:
    """Correlate resampled pairs, by matrix products of weighted moments.

    Args:
        values: float64 (n, m), similarities, a column a cell.
        gold: float64 (n,), scores by people.
        rng: Source of randomness.
        resamples: How many resamples.

    Returns:
        float64 (resamples, m); NaN where a resample holds one value only.
    """
    n = len(gold)
    # Centred first: a correlation does not change, and sums of squares lose no digits.
    left, right = values - values.mean(axis=0), gold - gold.mean()
    found = []
    for drawn in counts(Strata.whole(n), rng, resamples):
        weights = drawn / n
        x, y = weights @ left, (weights @ right)[:, None]
        cross = weights @ (left * right[:, None]) - x * y
        found.append(_ratio(cross, weights @ left**2 - x**2, (weights @ right**2)[:, None] - y**2))
    return np.concatenate(found)


def bootstrap_spearman(
    values: Doubles, gold: Doubles, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Doubles:
    """Rank and correlate resampled pairs; tied values share their mean rank.

    In a resample a value's mid-rank is the number of draws below it plus half the draws equal to it, so
    ranks are cumulative sums of draws in a sorting order that is found once.

    Args:
        values: float64 (n, m), similarities, a column a cell.
        gold: float64 (n,), scores by people.
        rng: Source of randomness; equal seeds give the resamples of `bootstrap_pearson`.
        resamples: How many resamples.

    Returns:
        float64 (resamples, m); NaN where a resample holds one value only.
    """
    by_gold = _Order.of(gold)
    columns = [_Order.of(values[:, column]) for column in range(values.shape[1])]
    found = []
    for drawn in counts(Strata.whole(len(gold)), rng, resamples):
        # Units down, resamples across: gathering rows and adding them up then runs along memory.
        chunks = (drawn[start : start + _CHUNK].T.copy() for start in range(0, len(drawn), _CHUNK))
        found += [_ranked(weights, by_gold, columns) for weights in chunks]
    return np.concatenate(found)


def _ranked(weights: Doubles, by_gold: _Order, columns: list[_Order]) -> Doubles:
    """Correlate ranks under (n, b) draws: float64 (b, m)."""
    centre = weights.shape[0] / 2
    gold_mass = by_gold.grouped(weights)
    gold_ranks = _mid_ranks(gold_mass, centre)
    gold_squares = _squares(gold_mass, gold_ranks)
    pulled = weights * gold_ranks[by_gold.group]
    result = np.empty((weights.shape[1], len(columns)))
    for number, order in enumerate(columns):
        mass = order.grouped(weights)
        ranks = _mid_ranks(mass, centre)
        cross = np.einsum("ij,ij->j", order.grouped(pulled), ranks)
        result[:, number] = _ratio(cross, _squares(mass, ranks), gold_squares)
    return result


def _mid_ranks(mass: Doubles, centre: float) -> Doubles:
    """Return centred mid-ranks of groups that hold `mass` draws each; their weighted mean is 0."""
    return np.asarray(np.cumsum(mass, axis=0) - mass / 2 - centre)


def _squares(mass: Doubles, ranks: Doubles) -> Doubles:
    return np.asarray(np.einsum("ij,ij,ij->j", mass, ranks, ranks))


def _ratio(cross: Doubles, left: Doubles, right: Doubles) -> Doubles:
    """Divide a covariance by standard deviations; NaN where one is (nearly) 0."""
    below = np.sqrt(np.maximum(left, 0) * np.maximum(right, 0))
    return np.asarray(np.divide(cross, below, out=np.full(np.shape(cross), np.nan), where=below > 1e-14))
