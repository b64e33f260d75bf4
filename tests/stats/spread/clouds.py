"""Clouds of vectors whose spread is known: those of the table of nulls and defects."""

import numpy as np


def unit(rows):
    """Scale rows to length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def uniform(n, dim, seed=0):
    """Uniform points of the sphere in `dim` dimensions."""
    return unit(np.random.default_rng(seed).standard_normal((n, dim))).astype(np.float32)


def rank_deficient(n, dim, rank, seed=0):
    """Uniform points of a sphere of `rank` dimensions, laid into `dim`."""
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.standard_normal((dim, rank)))[0]
    return unit(rng.standard_normal((n, rank)) @ frame.T).astype(np.float32)


def common_mean(n, dim, length=0.7, seed=0):
    """Uniform points all shifted by a vector of this length."""
    rng = np.random.default_rng(seed)
    shift = unit(rng.standard_normal((1, dim))) * length
    return unit(rng.standard_normal((n, dim)) / np.sqrt(dim) + shift).astype(np.float32)


def power_law(n, dim, exponent=1.0, seed=0):
    """Normal points with eigenvalues i^-exponent, projected to the sphere."""
    scales = np.arange(1, dim + 1) ** (-exponent / 2)
    return unit(np.random.default_rng(seed).standard_normal((n, dim)) * scales).astype(np.float32)


def topics(n, dim, count=100, cosine=0.64, seed=0):
    """Points around `count` centres, two of one topic at this cosine."""
    rng = np.random.default_rng(seed)
    centres = unit(rng.standard_normal((count, dim)))
    noise = rng.standard_normal((n, dim)) * np.sqrt((1 / cosine - 1) / dim)
    return unit(centres[rng.integers(count, size=n)] + noise).astype(np.float32)


def rotation(dim, seed):
    """A random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]
