"""Statistics of eigenvalues: how many directions the vectors use, and how fast the rest fades."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigvalsh_tridiagonal, lapack

Doubles = npt.NDArray[np.float64]

NOISE_SHARE = 1e-4
"""Less than this share of the mean energy in a direction is rounding noise; bfloat16 leaves 1e-6 to 3e-5."""

CLIFF = 4.0
"""A head's missing directions begin with a drop by more than this; spectra that fade have no such step."""

DRAWN_POINTS = 48
"""Points of a spectrum kept for plots."""


def eigenvalues(second: Doubles, mean: Doubles) -> tuple[Doubles, Doubles]:
    """Eigenvalues of a second-moment matrix S and of the covariance C = S - μμᵀ, from one reduction.

    A reflection turns μ into the first axis, where reducing S to tridiagonal form leaves it (Golub & Van
    Loan 2013, section 8.3). Both matrices are then tridiagonal and differ by |μ|² in their first entry; the
    reduction is all the work there is.

    Args:
        second: float64 (d, d), the uncentred S.
        mean: float64 (d,), μ.

    Returns:
        float64 (d,) each, those of S and of C, descending, rounding below zero removed.
    """
    dim = len(mean)
    turned = np.array(_reflected(second, mean), order="F")
    workspace, _ = lapack.dsytrd_lwork(dim, lower=1)
    _, diagonal, beside, _, _ = lapack.dsytrd(turned, lower=1, lwork=int(workspace), overwrite_a=1)
    centred = diagonal.copy()
    centred[0] -= mean @ mean
    return _descending(diagonal, beside), _descending(centred, beside)


def _reflected(matrix: Doubles, vector: Doubles) -> Doubles:
    """Reflect a symmetric matrix, H A H, H turning a vector into the first axis (Householder 1958)."""
    normal = vector.copy()
    normal[0] += math.copysign(float(np.linalg.norm(vector)), vector[0])
    square = float(normal @ normal)
    if square == 0:
        return matrix
    image = matrix @ normal * (2 / square)
    image -= float(normal @ image) / square * normal
    change = np.outer(normal, image)
    return np.asarray(matrix - change - change.T)


def _descending(diagonal: Doubles, beside: Doubles) -> Doubles:
    """Eigenvalues of a tridiagonal matrix, descending, rounding below zero removed."""
    if len(diagonal) == 1:
        return np.clip(diagonal, 0, None)
    found = eigvalsh_tridiagonal(diagonal, beside, lapack_driver="sterf")
    return np.asarray(np.clip(found[::-1], 0, None))


def numerical_rank(second_eigenvalues: Doubles) -> int:
    """Count directions of the uncentred second-moment matrix that hold more than rounding noise."""
    return int(np.count_nonzero(second_eigenvalues > NOISE_SHARE * second_eigenvalues.mean()))


def ends_in_a_cliff(second_eigenvalues: Doubles, rank: int) -> bool:
    """Tell whether the energy breaks off after `rank` directions, rather than fading into rounding noise."""
    rest = second_eigenvalues[rank:]
    return rank > 0 and len(rest) > 0 and bool(rest[0] * CLIFF < second_eigenvalues[rank - 1])


def entropy_rank(weights: Doubles) -> float:
    """Exponential of the Shannon entropy of weights scaled to sum 1; NaN without weights.

    Of singular values of the uncentred rows it is RankMe (Garrido et al. 2023, arXiv 2210.02885), of
    covariance eigenvalues the effective rank in its second convention (Roy & Vetterli 2007).
    """
    total = weights.sum()
    if not total > 0:
        return float("nan")
    shares = weights[weights > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def power_law(values: Doubles, rank: int) -> tuple[float, float]:
    """Fit λ_i ~ i^-α by least squares on log-spaced ranks from max(2, r/20) to r/2 (Agrawal et al. 2022).

    Returns:
        α and the fit's R²; NaN for fewer than five positive values in the range.
    """
    first, last = max(2, rank // 20), rank // 2
    if last - first < 4:
        return float("nan"), float("nan")
    ranks = np.unique(np.geomspace(first, last, 32).round().astype(int))
    ranks = ranks[ranks <= len(values)]
    ranks = ranks[values[ranks - 1] > 0]
    if len(ranks) < 5:
        return float("nan"), float("nan")
    x, y = np.log(ranks), np.log(values[ranks - 1])
    x, y = x - x.mean(), y - y.mean()
    slope = float(x @ y / (x @ x))
    spread = float(y @ y)
    return -slope, float((slope * x) @ (slope * x)) / spread if spread > 0 else 1.0


def drawn_ranks(count: int) -> npt.NDArray[np.int64]:
    """Choose log-spaced ranks from 1 to `count` that keep a spectrum's shape in a plot."""
    return np.unique(np.geomspace(1, count, min(count, DRAWN_POINTS)).round().astype(np.int64))
