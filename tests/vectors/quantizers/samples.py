"""Vectors and fitted levels the tests of this folder share."""

from functools import cache

import numpy as np

from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import quantizer


def uniform(n, dim, seed=0):
    """Uniform unit vectors."""
    x = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return unit_prefix(x, dim)


def offset(n, dim, seed=0):
    """Unit vectors around a common mean, as encoders produce."""
    common = np.random.default_rng(1234).standard_normal(dim)
    x = np.random.default_rng(seed).standard_normal((n, dim)) + 0.5 * common
    return unit_prefix(x.astype(np.float32), dim)


@cache
def fitted(name, dim):
    """The level fitted to 300 vectors around a mean."""
    return quantizer(name).fit(offset(300, dim, 99), np.random.default_rng(7))


def decibel(original, decoded, best_scale=False):
    """Signal to quantization noise, optionally at the scale of least error."""
    x, y = original.astype(np.float64), decoded.astype(np.float64)
    scale = (x * y).sum() / (y * y).sum() if best_scale else 1.0
    return 10 * np.log10((x * x).sum() / ((scale * y - x) ** 2).sum())
