"""Resampling by matrix products: weights are drawn once a task and shared by its cells, which stay paired.

Weights are made in blocks that fit the processor's caches, so that 10,000 resamples of 7,000 queries need no
more memory than 10,000 resamples of 70. The stream of random numbers does not depend on the block's size.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evalsuite.stats.strata import Doubles, Strata

RESAMPLES = 10_000
_BLOCK_ELEMENTS = 1 << 21


def counts(strata: Strata, rng: np.random.Generator, resamples: int) -> Iterator[Doubles]:
    """Draw bootstrap resamples, stratum by stratum.

    Args:
        strata: The units; each stratum is resampled within itself.
        rng: Source of randomness. With one stratum the draws are those of `scipy.stats.bootstrap`.
        resamples: How many.

    Yields:
        float64 (block, n): how often each unit is in each resample.
    """
    n = len(strata.index)
    members = strata.members()
    block = max(1, _BLOCK_ELEMENTS // max(n, 1))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = np.empty((size, n))
        for rows in members:
            picks = rng.integers(0, len(rows), size=(size, len(rows)))
            picks += np.arange(size)[:, None] * len(rows)
            counted = np.bincount(picks.ravel(), minlength=size * len(rows))
            drawn[:, rows] = counted.reshape(size, len(rows))
        yield drawn


def bootstrap_means(
    values: Doubles, strata: Strata, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Doubles:
    """Resample units and average anew.

    Args:
        values: float64 (n, m), a row a unit, a column a cell.
        strata: The units.
        rng: Source of randomness.
        resamples: How many resamples.

    Returns:
        float64 (resamples, m), the mean of strata means in each resample.
    """
    weighted = strata.weights[:, None] * values
    return np.concatenate([drawn @ weighted for drawn in counts(strata, rng, resamples)])


def signs(n: int, rng: np.random.Generator, resamples: int) -> Iterator[Doubles]:
    """Draw random signs, -1 or 1, for n units: blocks of float64 (block, n)."""
    block = max(1, _BLOCK_ELEMENTS // max(n, 1))
    for start in range(0, resamples, block):
        drawn = rng.integers(0, 2, size=(min(block, resamples - start), n), dtype=np.int8)
        yield drawn.astype(np.float64) * 2 - 1


def all_signs(n: int) -> Doubles:
    """Return every assignment of signs to n units, float64 (2^n, n)."""
    bits = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1
    return bits.astype(np.float64) * 2 - 1
