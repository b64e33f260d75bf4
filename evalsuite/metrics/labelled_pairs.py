"""Metrics of labelled pairs, each as one value a pair whose mean is the metric.

Average precision and the best F1 are no means, so each is linearised: a pair's value is the metric plus the
pair's influence on it, the derivative of the metric in the pair's weight (Hampel 1974, "The influence curve
and its role in robust estimation"). Influences sum to zero, so the mean is the metric itself, and for many
pairs the variance of that mean is the metric's. Values may lie outside 0 to 1. The best accuracy is a mean as
it is; its threshold is taken as given, as that of the best F1, because the metric is flat there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.metrics.equal_values import equal_runs

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RankedPairs:
    """Labelled pairs in descending order of similarity; pairs of equal similarity stand or fall together.

    Attributes:
        order: Positions of the pairs in that order, (n,).
        labels: Their labels in that order, 1 for alike and 0 for not, float64 (n,).
        first: Place of the first pair as similar as each, (n,).
        last: Place of the last pair as similar as each, (n,).
    """

    order: Longs
    labels: Doubles
    first: Longs
    last: Longs

    @classmethod
    def of(cls, similarities: Doubles, labels: Doubles) -> RankedPairs:
        """Sort pairs.

        Args:
            similarities: float64 (n,), larger for pairs that are more alike.
            labels: float64 (n,), 1 or 0.
        """
        order = np.argsort(-similarities, kind="stable")
        first, after = equal_runs(similarities[order])
        return cls(order, labels[order], first, after - 1)

    def average_precision(self) -> Doubles:
        """Return one value a pair, (n,) in the order given, whose mean is the average precision.

        AP is the mean over alike pairs of the precision R(s) = T(s)/N(s) among pairs at least as similar
        (scikit-learn's `average_precision_score`). With π the share of alike pairs, a pair of label y has the
        influence (y R(s) - π AP + Σ_{i: s_i <= s} y_i (y - R(s_i)) / (n N(s_i)))/π - AP (y - π)/π. NaN
        without an alike pair.
        """
        share = float(self.labels.mean())
        if share == 0:
            return np.full(len(self.labels), np.nan)
        above = self.last + 1.0
        precision = np.cumsum(self.labels)[self.last] / above
        metric = float((self.labels * precision).mean()) / share
        weights = self.labels / above
        behind, weighed = self._from_here(weights), self._from_here(weights * precision)
        pulls = self.labels * precision + self.labels * behind - weighed
        return self._in_place(pulls / share - metric * self.labels / share + metric)

    def best_accuracy(self) -> Doubles:
        """Return 1 for each pair that the best threshold puts on the right side, else 0: (n,).

        A threshold lies between two pairs of different similarity, as in mteb: the most similar pair is
        always above it, the least similar one below. NaN where all are equally similar.
        """
        alike, different = np.cumsum(self.labels), float((1 - self.labels).sum())
        right = alike + different - np.cumsum(1 - self.labels)
        cut = self._best_cut(right)
        if cut is None:
            return np.full(len(self.labels), np.nan)
        return self._in_place((self._above(cut) == self.labels).astype(np.float64))

    def best_f1(self) -> Doubles:
        """Return one value a pair, (n,), whose mean is the F1 at the best threshold, placed as for accuracy.

        With S predicted and labelled alike pairs together, F1 = 2 TP/S and a pair's value is
        F1 + n (2 tp - F1 (predicted + labelled))/S. NaN where there is no threshold or nothing is found.
        """
        alike, n = np.cumsum(self.labels), len(self.labels)
        cut = self._best_cut(2 * alike / (np.arange(1, n + 1) + max(float(alike[-1]), 1e-300)))
        if cut is None or alike[cut] == 0:
            return np.full(n, np.nan)
        size = cut + 1.0 + float(alike[-1])
        metric = 2 * float(alike[cut]) / size
        above = self._above(cut)
        return self._in_place(metric + n * (2 * above * self.labels - metric * (above + self.labels)) / size)

    def _from_here(self, values: Doubles) -> Doubles:
        """Sum values over the pairs that are at most as similar as each: (n,)."""
        return np.asarray(np.cumsum(values[::-1])[::-1][self.first])

    def _best_cut(self, worth: Doubles) -> int | None:
        """Find the place after which to cut for the largest worth, (n,); None if no two pairs differ."""
        places = np.flatnonzero(self.last[:-1] == np.arange(len(self.last) - 1))
        return int(places[np.argmax(worth[places])]) if len(places) else None

    def _above(self, cut: int) -> Doubles:
        """Say which pairs are above a cut: 1 or 0, (n,)."""
        return (np.arange(len(self.labels)) <= cut).astype(np.float64)

    def _in_place(self, ranked: Doubles) -> Doubles:
        """Bring values back into the order in which pairs were given."""
        placed = np.empty(len(ranked))
        placed[self.order] = ranked
        return placed
