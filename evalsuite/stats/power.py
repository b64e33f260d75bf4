"""What a comparison could have seen: the minimum detectable effect and the power at a given effect."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from evalsuite.stats.paired import Spread
from evalsuite.stats.strata import Doubles


def minimum_detectable_effect(spread: Spread, alpha: float, power: float) -> Doubles:
    """Return the smallest drop that a one-sided test at level alpha finds with the given probability.

    `(t_{1-alpha} + t_{power}) * error`: 2.49 standard errors for alpha 0.05 and power 0.8 and many queries.

    Args:
        spread: Standard errors and degrees of freedom, (m,).
        alpha: Level of the test; divide by the number of cells for Holm's first step.
        power: Probability to find it.

    Returns:
        float64 (m,), in the metric's unit.
    """
    quantiles = stats.t.ppf(1 - alpha, spread.freedom) + stats.t.ppf(power, spread.freedom)
    return np.asarray(quantiles * spread.error, dtype=np.float64)


def power_of_drop(drop: npt.ArrayLike, spread: Spread, alpha: float) -> Doubles:
    """Return the probability that a one-sided t-test at level alpha finds a drop of this size.

    Exact for normal differences: the tail of the non-central t distribution.

    Args:
        drop: (m,), sizes as positive numbers.
        spread: Standard errors and degrees of freedom, (m,).
        alpha: Level of the test.
    """
    critical = stats.t.ppf(1 - alpha, spread.freedom)
    return np.asarray(stats.nct.sf(critical, spread.freedom, np.asarray(drop) / spread.error))
