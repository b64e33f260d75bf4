"""The distribution of cosines between sampled rows, beside the Beta law of a uniform sphere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from evalsuite.core.spread import Curve
from evalsuite.stats.spread import ideal
from evalsuite.stats.spread.moments import AnyFloats

Doubles = npt.NDArray[np.float64]

BINS = 4096
"""Bins over [-1, 1]; at 768 dimensions a standard deviation of the Beta law is 74 of them."""
DRAWN_BINS = 64
"""Bins at most of the curve that is kept."""

_EDGES = np.linspace(-1, 1, BINS + 1)
_CENTRES = (_EDGES[1:] + _EDGES[:-1]) / 2


@dataclass(frozen=True)
class CosineHistogram:
    """Counts of cosines in equal bins over [-1, 1].

    Attributes:
        counts: int64 (4096,).
    """

    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, cosines: AnyFloats) -> CosineHistogram:
        """Count finite cosines of any shape; rounding beyond ±1 counts at the end."""
        scaled = cosines.ravel() + 1
        scaled *= BINS / 2
        return cls(np.bincount(np.clip(scaled.astype(np.int16), 0, BINS - 1), minlength=BINS))

    def without(self, cosines: AnyFloats) -> CosineHistogram:
        """Take cosines out that were counted, such as those of rows with themselves."""
        return CosineHistogram(self.counts - CosineHistogram.of(cosines).counts)

    @cached_property
    def shares(self) -> Doubles:
        """Share of each bin."""
        return np.asarray(self.counts / self.counts.sum())

    def moment(self, power: int) -> float:
        """Mean of cosine^power, to the width of a bin."""
        return float(self.shares @ _CENTRES**power)

    def square_variance(self) -> float:
        """Variance of the squared cosine between pairs."""
        return self.moment(4) - self.moment(2) ** 2

    def distance(self, rank: int) -> float:
        """Kolmogorov distance to the Beta law, the largest gap at the bins' edges.

        Pairs share rows, so this is a distance and not a test.
        """
        gaps = np.cumsum(self.shares) - _law(rank)[1:]
        return float(np.abs(gaps).max())

    def curve(self, rank: int) -> Curve:
        """Thin the histogram for a plot, over the range where cosines or the Beta law are."""
        law = np.diff(_law(rank))
        seen = np.flatnonzero((self.counts > 0) | (law > 1e-6))
        # One less: bins start at multiples of their width, which can take one more.
        step = -(-(int(seen[-1]) + 1 - int(seen[0])) // (DRAWN_BINS - 1))
        first = (int(seen[0]) // step) * step
        starts = np.arange(first, int(seen[-1]) + 1, step)
        ends = np.minimum(starts + step, BINS)
        width = _EDGES[ends] - _EDGES[starts]
        return Curve(
            x=tuple(((_EDGES[starts] + _EDGES[ends]) / 2).tolist()),
            y=tuple((_sums(self.shares, starts, ends) / width).tolist()),
            ideal=tuple((_sums(law, starts, ends) / width).tolist()),
        )


@lru_cache(maxsize=64)
def _law(rank: int) -> Doubles:
    """Distribution of a uniform sphere's cosines at the bins' edges; all sides of a task ask for the same."""
    return ideal.cosine_cdf(_EDGES, rank)


def _sums(values: Doubles, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Doubles:
    """Sum values[start:end] of each pair."""
    cumulated = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(cumulated[ends] - cumulated[starts])


def uniformity(cosines: AnyFloats) -> tuple[float, float]:
    """Estimate log E exp(-2|x - y|²) over pairs i≠j (Wang & Isola 2020, arXiv 2005.10242) with its error.

    Args:
        cosines: float (m, m) of m >= 3 rows with each other; the diagonal is not used.

    Returns:
        The uniformity and its standard error: that of a U-statistic, 4ζ₁/m + 2ζ₂/(m(m-1)) (Hoeffding 1948),
        carried to the logarithm.
    """
    m = len(cosines)
    kernel = np.exp(4 * (cosines - 1))
    np.fill_diagonal(kernel, 0)
    pairs = m * (m - 1)
    by_row = kernel.sum(axis=1, dtype=np.float64) / (m - 1)
    mean = float(by_row.mean())
    squares = float(np.vdot(kernel, kernel))
    zeta_2 = max(0.0, squares / pairs - mean**2)
    zeta_1 = max(0.0, float(by_row.var(ddof=1)) - zeta_2 / m)
    return float(np.log(mean)), float(np.sqrt(4 * zeta_1 / m + 2 * zeta_2 / pairs)) / mean
