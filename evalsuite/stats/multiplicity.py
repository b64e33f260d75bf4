"""Corrections for testing many cells at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evalsuite.stats.strata import Doubles


def holm(p_values: npt.ArrayLike) -> Doubles:
    """Adjust p-values so that the chance of even one false alarm among all cells stays below alpha.

    `p_(i) (m - i + 1)`, running maximum, at most 1 (Holm 1979); valid whatever the cells' correlation.

    Args:
        p_values: (m,).

    Returns:
        float64 (m,), in the order given.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def benjamini_hochberg(p_values: npt.ArrayLike) -> Doubles:
    """Adjust p-values so that the expected share of false findings stays below alpha; for exploring.

    `p_(i) m / i`, running minimum from the largest (Benjamini & Hochberg 1995).

    Args:
        p_values: (m,).

    Returns:
        float64 (m,), in the order given.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")[::-1]
    m = len(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(p[order] * m / np.arange(m, 0, -1)))
    return adjusted
