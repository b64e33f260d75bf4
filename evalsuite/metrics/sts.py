"""Semantic textual similarity: cosines of pairs, and their correlation with scores given by people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Doubles = npt.NDArray[np.float64]

ROUNDING = 1e-6
"""Spread of cosines that says nothing: that of float32 rounding."""
TIE_DECIMALS = 12
"""Decimals that cosines are ranked at. Pairs of binary codes that differ in as many bits must tie; their sums
differ by 1e-16, an accident that would order them."""


def cosines(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> Doubles:
    """Cosine of each pair of rows.

    Args:
        first: float32 (pairs, d).
        second: float32 (pairs, d).

    Returns:
        float64 (pairs,); 0 where a row is all zeros.
    """
    left, right = first.astype(np.float64), second.astype(np.float64)
    products = np.einsum("ij,ij->i", left, right)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.asarray(np.divide(products, norms, out=np.zeros_like(products), where=norms > 0))


def pearson(values: Doubles, gold: Doubles) -> float:
    """Pearson's correlation of two float64 (pairs,) arrays.

    Raises:
        ValueError: If either side is constant: the correlation does not exist.
    """
    left, right = values - values.mean(), gold - gold.mean()
    norm = float(np.linalg.norm(left) * np.linalg.norm(right))
    if norm == 0.0 or is_constant(values) or is_constant(gold):
        message = "all similarities or all scores are equal: a correlation does not exist"
        raise ValueError(message)
    return float(left @ right / norm)


def is_constant(values: Doubles) -> bool:
    """Tell whether values differ by no more than float32 rounding of a cosine."""
    return float(np.ptp(values)) <= ROUNDING


def spearman(values: Doubles, gold: Doubles) -> float:
    """Spearman's rank correlation, tied values sharing their mean rank.

    Cosines that differ by less than float64 can compute them to are tied.

    Raises:
        ValueError: If either side is constant: the correlation does not exist.
    """
    if is_constant(values):
        message = "all similarities are equal: a correlation does not exist"
        raise ValueError(message)
    return pearson(rankdata(np.round(values, TIE_DECIMALS)), rankdata(gold))
