"""What a uniform sphere shows: the law of its cosines, of its spectrum and of its nearest neighbours."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

from evalsuite.stats.spread import neighbours

Doubles = npt.NDArray[np.float64]

_SIMULATED = 1 << 16
"""Distances drawn for the ideals of intrinsic dimension: one per cent of noise at most."""


def cosine_cdf(cosines: Doubles, rank: int) -> Doubles:
    """Distribution of the cosine of two uniform points of S^(rank-1).

    (1 + s)/2 ~ Beta((r-1)/2, (r-1)/2) (Zhang et al. 2017, arXiv 1708.06320, eq. 3).
    """
    if rank < 2:
        return np.where(cosines < -1, 0.0, np.where(cosines < 1, 0.5, 1.0))
    half = (rank - 1) / 2
    return np.asarray(special.betainc(half, half, np.clip((1 + cosines) / 2, 0, 1)))


def uniformity(rank: int) -> float:
    """Uniformity of a uniform sphere: log E exp(-4(1-s)) = -4 + log ₀F₁(; r/2; 4)."""
    return -4 + math.log(float(special.hyp0f1(rank / 2, 4.0)))


def beta_distance(pairs: int) -> float:
    """Mean Kolmogorov distance of a sample from its own law: √(π/2)·ln 2/√P.

    The cosines of a uniform sphere are independent pair by pair, so P pairs spread like P draws.
    """
    return math.sqrt(math.pi / 2) * math.log(2) / math.sqrt(pairs)


def spectrum(rank: int, n: int) -> Doubles:
    """Eigenvalues that n uniform points of a sphere in `rank` dimensions show, as shares of their sum.

    Quantiles of the Marchenko-Pastur law (1967); the min(rank, n) of them that are not zero, descending.
    """
    count = min(rank, n)
    ratio = count / max(rank, n)
    angles = (np.arange(8192) + 0.5) * np.pi / 8192
    points = 1 + ratio + 2 * math.sqrt(ratio) * np.cos(angles)
    cumulated = np.cumsum(2 * np.sin(angles) ** 2 / (np.pi * points))
    levels = (np.arange(count) + 0.5) / count
    values = np.interp(levels, cumulated / cumulated[-1], points)
    return np.asarray(values / values.sum())


def variance_ratio(dim: int, n: int) -> float:
    """Largest of d equal variances over their mean, as n texts estimate them: 1 + √(2/n)·√(2 ln d)."""
    return 1 + math.sqrt(2 / n) * math.sqrt(2 * math.log(dim)) if dim > 1 else 1.0


def mean_top3_share(dim: int) -> float:
    """Share of the three largest of d squared normal deviates in their sum (expected quantiles)."""
    count = min(3, dim)
    levels = 1 - (np.arange(count) + 0.5) / dim
    return float(min(1.0, special.chdtri(1, 1 - levels).sum() / dim))


def bit_entropy(n: int) -> float:
    """Entropy that n fair bits show: 1 - 1/(2 n ln 2) (Miller 1955)."""
    return 1 - 1 / (2 * n * math.log(2))


def bit_imbalance(n: int) -> float:
    """Mean |p - ½| that n fair bits show: 1/√(2πn)."""
    return 1 / math.sqrt(2 * math.pi * n)


def bit_correlation(dim: int, rank: int, n: int) -> float:
    """Mean |φ| of sign bits in general position, with the sampling noise of n texts.

    E|φ| = √(2/π)·√(v + 1/n), v the mean squared correlation of two bits (`bit_coupling`).
    """
    return math.sqrt(2 / math.pi * (bit_coupling(dim, rank) + 1 / n))


def effective_bits(dim: int, rank: int) -> float:
    """Participation ratio of sign bits of a uniform sphere in a subspace in general position."""
    return dim / (1 + (dim - 1) * bit_coupling(dim, rank))


def bit_coupling(dim: int, rank: int) -> float:
    """Mean squared correlation of two sign bits where `dim` coordinates share `rank` directions.

    Coordinates correlate with mean square (d/r - 1)/(d - 1); their signs by (2/π)·asin ρ, here 2ρ/π.
    """
    return (2 / math.pi) ** 2 * (dim / rank - 1) / (dim - 1) if dim > 1 else 0.0


def poisson_robin_hood(rate: float) -> float:
    """Robin Hood index of Poisson counts: E|N - λ|/2λ = λ^⌊λ⌋ e^-λ/⌊λ⌋! (Crow 1958)."""
    whole = math.floor(rate)
    return math.exp(whole * math.log(rate) - rate - math.lgamma(whole + 1))


@lru_cache(maxsize=256)
def two_nn(rank: int, n: int) -> float | None:
    """TwoNN's estimate for n uniform points of a sphere in `rank` dimensions; None on a line."""
    return neighbours.two_nn(neighbour_log_distances(rank, n, 2)) if rank > 1 else None


@lru_cache(maxsize=256)
def mle_dimension(rank: int, n: int, k: int) -> float | None:
    """Maximum-likelihood intrinsic dimension of n uniform points of a sphere; None on a line."""
    return neighbours.mle_dimension(neighbour_log_distances(rank, n, k))[0] if rank > 1 else None


def neighbour_log_distances(rank: int, n: int, k: int) -> Doubles:
    """Draw log distances to the k nearest of n - 1 uniform points, exact for a single point.

    A neighbour's r²/4 ~ Beta((r-1)/2, (r-1)/2), and its k smallest of n - 1 come from the order
    statistics of a uniform sample. One fixed seed: an ideal is a constant.

    Returns:
        float64 (65536 // k, k), ascending in each row.
    """
    rng, points = np.random.default_rng(0), _SIMULATED // k
    arrivals = np.cumsum(rng.standard_exponential((points, k)), axis=1)
    levels = arrivals / (arrivals[:, -1:] + rng.standard_gamma(n - k, size=(points, 1)))
    half = (rank - 1) / 2
    grid = np.linspace(math.log(levels.min()), math.log(levels.max()), 512)
    distances = 0.5 * np.log(4 * special.betaincinv(half, half, np.exp(grid)))
    return np.asarray(np.interp(np.log(levels), grid, distances))
