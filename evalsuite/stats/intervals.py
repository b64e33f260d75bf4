"""95 % intervals: percentile bootstrap for means over queries, analytic for correlations over pairs."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Doubles = npt.NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 2000

METHOD = (
    f"{CONFIDENCE:.0%}: percentile bootstrap over queries ({RESAMPLES} resamples) for means; "
    "Fisher z with Bonett & Wright's variance for Spearman, with 1/(n-3) for Pearson"
)
"""How the intervals are made, in words for the record."""


class MeanBootstrap:
    """Resamples of n queries, drawn once and shared by every cell of a task, so that cells stay paired.

    Args:
        n: Number of queries.
        rng: Source of randomness.
        resamples: Number of resamples.
    """

    def __init__(self, n: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> None:
        drawn = rng.integers(0, n, size=(resamples, n))
        offsets = np.arange(resamples)[:, None] * n
        counts = np.bincount((drawn + offsets).ravel(), minlength=resamples * n).reshape(resamples, n)
        self._weights = counts / n

    def intervals(self, values: Doubles) -> tuple[Doubles, Doubles]:
        """Bound the mean of each column.

        Args:
            values: float64 (n, m), one row a query.

        Returns:
            float64 (m,) lower and (m,) upper ends (Efron & Tibshirani 1993, percentile method).
        """
        means = self._weights @ values
        tail = (1 - CONFIDENCE) / 2
        lower, upper = np.quantile(means, [tail, 1 - tail], axis=0)
        return lower, upper


def spearman_interval(rho: float, n: int) -> tuple[float, float]:
    """Bound a rank correlation: Fisher z with variance (1 + rho²/2) / (n - 3) (Bonett & Wright 2000)."""
    return _fisher_interval(rho, n, 1 + rho**2 / 2)


def pearson_interval(r: float, n: int) -> tuple[float, float]:
    """Bound a correlation: Fisher z with variance 1 / (n - 3)."""
    return _fisher_interval(r, n, 1.0)


def _fisher_interval(correlation: float, n: int, variance_factor: float) -> tuple[float, float]:
    """Bound a correlation on the arctanh scale; n <= 3 bounds nothing."""
    if n <= 3:
        return -1.0, 1.0
    if abs(correlation) >= 1.0:
        return correlation, correlation
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * math.sqrt(variance_factor / (n - 3))
    centre = math.atanh(correlation)
    return math.tanh(centre - half), math.tanh(centre + half)
