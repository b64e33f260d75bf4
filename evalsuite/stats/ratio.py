"""Retention: the ratio of two means over the same queries, with its interval.

The ratio of means, not the mean of ratios: queries on which the reference scores 0 have no ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Ratio:
    """A ratio of two means.

    Attributes:
        value: numerator / denominator.
        lower: Lower end of the interval.
        upper: Upper end of the interval.
    """

    value: float
    lower: float
    upper: float


def ratio_of_means(
    estimates: tuple[float, float], resampled: tuple[Floats, Floats], confidence: float
) -> Ratio | None:
    """Divide two means that were resampled together.

    Args:
        estimates: Numerator and denominator.
        resampled: (B,) each, both from the same resamples, so that shared luck cancels.
        confidence: Such as 0.95; the interval is the percentile bootstrap's.

    Returns:
        The ratio, or None where the denominator is 0 or less, in the data or in a resample.
    """
    above, below = estimates
    tops, bottoms = resampled
    if below <= 0 or not (bottoms > 0).all():
        return None
    tail = (1 - confidence) / 2
    lower, upper = np.nanquantile(tops / bottoms, [tail, 1 - tail])
    return Ratio(above / below, float(lower), float(upper))
