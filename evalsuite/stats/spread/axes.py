"""Statistics of single coordinates, which quantizers see and rotation changes: variances, means, signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread.moments import AnyFloats, Moments, covariance_traces

Doubles = npt.NDArray[np.float64]


def variance_ratio(variances: Doubles) -> float:
    """Divide the largest variance by the mean variance, which must not be 0."""
    return float(variances.max() / variances.mean())


def rogue_dims(mean: Doubles, variances: Doubles) -> int:
    """Count coordinates whose mean is over three standard deviations from zero."""
    return int(np.count_nonzero(np.abs(mean) > 3 * np.sqrt(variances)))


def mean_top3_share(mean: Doubles) -> float:
    """Share of |μ|² in its three largest coordinates (after Timkey & van Schijndel 2021)."""
    squares = np.sort(mean**2)
    total = float(squares.sum())
    return float(squares[-3:].sum()) / total if total > 0 else float("nan")


def bit_entropy(shares: Doubles) -> float:
    """Mean entropy in bits of sign bits that are 1 with these frequencies."""
    p = np.clip(shares, 0.0, 1.0)
    inside = p[(p > 0) & (p < 1)]
    return float(-(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)).sum()) / len(p)


def bit_imbalance(shares: Doubles) -> float:
    """Mean distance of the bits' frequencies from one half."""
    return float(np.abs(shares - 0.5).mean())


@dataclass(frozen=True)
class BitMoments:
    """Second moments of sign bits at full width; every prefix is a corner of them.

    Attributes:
        n: Rows counted.
        total: float64 (width,), sum of the signs, each -1 or 1.
        gram: float64 (width, width), sum of the signs' outer products.
    """

    n: int
    total: Doubles
    gram: Doubles

    @classmethod
    def of(cls, rows: AnyFloats) -> BitMoments:
        """Take the signs of sampled rows, float (n, width), as a binary code does: 1 above zero, else -1."""
        signs = (rows > 0).astype(np.float32)
        signs *= 2
        signs -= 1
        whole = Moments(rows.shape[1])
        whole.add(signs)
        return cls(whole.n, whole.total, whole.gram)

    def correlation(self, dim: int) -> float:
        """Mean absolute correlation |φ| of two bits of a prefix, among the bits that change."""
        moments = self._prefix(dim)
        covariance = moments.covariance
        spread = np.sqrt(np.clip(np.diag(covariance), 0, None))
        inverse = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
        count = np.count_nonzero(inverse)
        if count < 2:
            return float("nan")
        return float(inverse @ np.abs(covariance) @ inverse - count) / (count * (count - 1))

    def effective_bits(self, dim: int) -> float:
        """Participation ratio of the bits' covariance, corrected for the sample; NaN where no bit changes."""
        traces = covariance_traces(self._prefix(dim))
        return traces.square_of_trace / traces.trace_of_square if traces.trace_of_square > 0 else float("nan")

    def _prefix(self, dim: int) -> Moments:
        """Cut the corner of a prefix out."""
        return Moments.of_sums(self.n, self.total[:dim], self.gram[:dim, :dim])
