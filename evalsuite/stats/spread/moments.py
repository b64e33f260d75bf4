"""First and second moments of unit rows, and what follows from them exactly, over all pairs.

With G = XᵀX, t = Σx and unit rows, sums over all pairs of different rows need no pair
(Zhang et al. 2017, arXiv 1708.06320, for what they measure)::

    Σ_{i≠j} x_i·x_j    = |t|² - N          Σ_{i≠j} (x_i·x_j)² = |G|_F² - N
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
AnyFloats = npt.NDArray[np.floating]

NO_VARIANCE = 1e-5
"""A variance under this share of the squared length is what rounding leaves of equal float32 rows."""

ROWS_IN_SINGLE = 8192
"""Rows of one matrix product, added up in the rows' precision. Fewer lose speed, more lose digits."""

ROWS_SUMMED = 256
"""Rows of one sum: entries of one sign lose digits faster than the mixed ones of a product."""


@dataclass
class Moments:
    """Sums over unit rows, in float64 whatever the rows' precision.

    Attributes:
        dim: Dimensions d of a row.
        n: Rows added so far.
        total: float64 (d,), sum of the rows.
        gram: float64 (d, d), sum of the rows' outer products.
    """

    dim: int
    n: int = 0
    total: Doubles = field(init=False)
    gram: Doubles = field(init=False)
    _product: AnyFloats | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        self.total = np.zeros(self.dim)
        self.gram = np.zeros((self.dim, self.dim))

    @classmethod
    def of_sums(cls, n: int, total: Doubles, gram: Doubles) -> Self:
        """Take sums that are known: those of n rows, float64 (d,) and (d, d)."""
        moments = cls(0)
        moments.dim, moments.n, moments.total, moments.gram = len(total), n, total, gram
        return moments

    def add(self, rows: AnyFloats) -> None:
        """Count unit rows, float (n, d).

        Products add up in the rows' precision over 8192 rows, then in float64: float64 rows give moments
        to 1e-12, float32 rows to 1e-7 of their value.
        """
        total = np.zeros(self.dim)
        for start in range(0, len(rows), ROWS_SUMMED):
            total += rows[start : start + ROWS_SUMMED].sum(axis=0)
        self.add_known(rows, len(rows), total)

    def add_known(self, rows: AnyFloats, count: int, total: Doubles) -> None:
        """Count unit rows whose sum is known.

        Args:
            rows: float (n, d); rows of zeros add nothing.
            count: How many of them are not zeros.
            total: float64 (d,), their sum.
        """
        if self._product is None or self._product.dtype != rows.dtype:
            self._product = np.empty((self.dim, self.dim), dtype=rows.dtype)
        for start in range(0, len(rows), ROWS_IN_SINGLE):
            part = rows[start : start + ROWS_IN_SINGLE]
            # numpy sees a matrix times its own transpose and asks BLAS for one triangle: half the work.
            self.gram += np.matmul(part.T, part, out=self._product)
        self.total += total
        self.n += count
        for name in ("second", "covariance"):
            self.__dict__.pop(name, None)

    @property
    def mean(self) -> Doubles:
        """Mean row, float64 (d,)."""
        return self.total / self.n

    @functools.cached_property
    def second(self) -> Doubles:
        """Uncentred second-moment matrix S = G/N, float64 (d, d)."""
        return self.gram / self.n

    @functools.cached_property
    def covariance(self) -> Doubles:
        """Centred covariance C = S - μμᵀ with divisor N, float64 (d, d)."""
        outer = np.outer(self.mean, self.mean)
        return np.subtract(self.second, outer, out=outer)

    @property
    def varies(self) -> bool:
        """Whether rows differ by more than rounding."""
        return bool(self.square - self.mean @ self.mean > NO_VARIANCE * self.square)

    @property
    def square(self) -> float:
        """Mean squared length of a row: 1 up to rounding."""
        return float(np.trace(self.gram)) / self.n


def mean_cosine(moments: Moments) -> float:
    """Average x_i·x_j over all pairs i≠j; NaN for fewer than two rows."""
    n = moments.n
    if n < 2:
        return math.nan
    return float(moments.total @ moments.total - n * moments.square) / (n * (n - 1))


def second_moment(moments: Moments) -> float:
    """Average (x_i·x_j)² over all pairs i≠j; NaN for fewer than two rows.

    Its inverse is an effective dimension without bias in N. It may lie under 1/d where N <= d (Welch bound).
    """
    n = moments.n
    if n < 2:
        return math.nan
    return float(np.vdot(moments.gram, moments.gram) - n * moments.square**2) / (n * (n - 1))


def gor_terms(moments: Moments) -> tuple[float, float]:
    """Evaluate both terms of Global Orthogonal Regularization over all rows as one batch.

    As sentence-transformers' `GlobalOrthogonalRegularizationLoss` does: M1² and max(0, M2 - 1/d)
    (Zhang et al. 2017, arXiv 1708.06320, eq. 6, whose M1 and M2 it takes over all pairs). A batch of
    fewer than two rows has the terms 0.
    """
    if moments.n < 2:
        return 0.0, 0.0
    return mean_cosine(moments) ** 2, max(0.0, second_moment(moments) - 1 / moments.dim)


def cross_mean_cosine(left: Moments, right: Moments) -> float:
    """Average x·y over all x of the one side and y of the other."""
    return float(left.mean @ right.mean)


def cross_second_moment(left: Moments, right: Moments) -> float:
    """Average (x·y)² over all x of the one side and y of the other: tr(S_x S_y)."""
    return float(np.vdot(left.gram, right.gram)) / (left.n * right.n)


@dataclass(frozen=True)
class CovarianceTraces:
    """Traces of the covariance from which participation ratios follow.

    Attributes:
        square_of_trace: Unbiased estimate of (tr C)².
        trace_of_square: Unbiased estimate of tr(C²).
        naive: (tr C)² / tr(C²) of the sample's own covariance.
    """

    square_of_trace: float
    trace_of_square: float
    naive: float


def covariance_traces(moments: Moments) -> CovarianceTraces:
    """Estimate (tr C)² and tr(C²) without bias, whatever the rows' distribution.

    The estimators of Himeno & Yamada (2014, Journal of Multivariate Analysis 130, 27-44), which correct
    the covariance's own traces by Q = Σ|x_i - μ|⁴/(N - 1); for rows of one length Q follows from the
    moments too. Needs four rows, fewer give NaN; equal rows have traces 0.
    """
    n = moments.n
    if n < 4:
        return CovarianceTraces(math.nan, math.nan, math.nan)
    if not moments.varies:
        return CovarianceTraces(0.0, 0.0, math.nan)
    mean, second = moments.mean, moments.second
    centred = moments.covariance
    own_trace, own_square = float(np.trace(centred)), float(np.vdot(centred, centred))
    norm = float(mean @ mean)
    shift = moments.square + norm
    fourth = n * (shift**2 - 4 * shift * norm + 4 * float(mean @ second @ mean)) / (n - 1)
    trace, square = own_trace * n / (n - 1), own_square * (n / (n - 1)) ** 2
    scale = (n - 1) / (n * (n - 2) * (n - 3))
    return CovarianceTraces(
        square_of_trace=scale * (2 * square + (n * n - 3 * n + 1) * trace**2 - n * fourth),
        trace_of_square=scale * ((n - 1) * (n - 2) * square + trace**2 - n * fourth),
        naive=own_trace**2 / own_square,
    )


def isoscore(participation_ratio: float, dim: int) -> float:
    """Map a participation ratio to IsoScore (Rudman et al. 2022, arXiv 2108.07344): (PR - 1)/(d - 1)."""
    return (participation_ratio - 1) / (dim - 1) if dim > 1 else math.nan
