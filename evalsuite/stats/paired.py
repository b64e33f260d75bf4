"""Paired tests and intervals of a mean difference, for every cell of a task at once.

The unit is the query. What is compared is `d_i = candidate_i - baseline_i`, a column a cell.

* t-test: `t = mean(d) / se`, the test whose error rates were closest to nominal in the largest study of
  retrieval tests (Urbano, Lima & Hanjalic, SIGIR 2019). It has no smallest p-value, so it survives a
  correction for thousands of cells. It decides.
* sign-flip randomization: flip the sign of each `d_i` at random, `p = (1 + #) / (B + 1)`; exact where all 2^n
  assignments can be tried. It assumes only exchangeability and stands beside the t-test as a check.
* paired bootstrap: percentile and BCa intervals (Efron 1987).

Wilcoxon's and the sign test are left out on purpose. They test a median or a share of wins, not the mean that
tables show, and disagree with the tests above (Smucker, Allan & Carterette, CIKM 2007); with thousands of
queries their error rate is far above nominal (Ihemelandu & Ekstrand, SIGIR 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from evalsuite.stats.resample import RESAMPLES, all_signs, signs
from evalsuite.stats.strata import Doubles, Strata

_EXACT_UNITS = 13
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Spread:
    """How far a mean difference may lie from the truth.

    Attributes:
        error: float64 (m,), standard error.
        freedom: float64 (m,), degrees of freedom; n - 1 with one stratum, else Welch and Satterthwaite's.
    """

    error: Doubles
    freedom: Doubles


@dataclass(frozen=True)
class PValues:
    """p-values of the three alternatives, float64 (m,) each.

    Attributes:
        less: The difference is below 0 (a drop).
        greater: The difference is above 0 (a gain).
        two_sided: The difference is not 0.
    """

    less: Doubles
    greater: Doubles
    two_sided: Doubles


def spread_of_mean(differences: Doubles, strata: Strata) -> Spread:
    """Estimate the standard error of the mean of strata means.

    `error² = sum_s var_s / n_s / S²`; a stratum of one unit says nothing about its variance and makes the
    error infinite.

    Args:
        differences: float64 (n, m).
        strata: The units.
    """
    groups = strata.members()
    if any(len(rows) < 2 for rows in groups):
        width = differences.shape[1]
        return Spread(np.full(width, np.inf), np.ones(width))
    parts = np.stack([differences[rows].var(axis=0, ddof=1) / len(rows) for rows in groups])
    parts /= len(groups) ** 2
    variance = parts.sum(axis=0)
    below = (parts**2 / (strata.counts[:, None] - 1)).sum(axis=0)
    freedom = np.divide(
        variance**2,
        below,
        out=np.full(variance.shape, float(len(differences) - len(groups))),
        where=below > 0,
    )
    return Spread(np.sqrt(variance), freedom)


def t_test(estimate: Doubles, spread: Spread) -> PValues:
    """Test differences against 0 with Student's t.

    Args:
        estimate: float64 (m,), mean differences.
        spread: Their standard errors.

    Returns:
        With a standard error of 0: 1 where the estimate is 0 too, else 0 for the side it lies on.
    """
    t = t_statistic(estimate, spread.error)
    less = stats.t.cdf(t, spread.freedom)
    greater = stats.t.sf(t, spread.freedom)
    none = (spread.error == 0) & (estimate == 0)
    less, greater = np.where(none, 1.0, less), np.where(none, 1.0, greater)
    return PValues(less, greater, np.minimum(1.0, 2 * np.minimum(less, greater)))


def t_statistic(estimate: Doubles, error: Doubles) -> Doubles:
    """Divide estimates by standard errors; infinite where only the error is 0, and 0 where both are."""
    limit = np.where(estimate > 0, np.inf, np.where(estimate < 0, -np.inf, 0.0))
    return np.divide(estimate, error, out=limit, where=error > 0)


def sign_flips(
    differences: Doubles, strata: Strata, rng: np.random.Generator, resamples: int = RESAMPLES
) -> PValues:
    """Test differences by flipping signs: `p = (1 + #) / (B + 1)`, exact (`# / 2^n`) for at most 13 units.

    Args:
        differences: float64 (n, m); zeros count, they are what "nothing changed" looks like.
        strata: The units.
        rng: Source of randomness.
        resamples: How many random assignments of signs.
    """
    n = len(differences)
    weighted = strata.weights[:, None] * differences
    observed = weighted.sum(axis=0)
    exact = n <= _EXACT_UNITS and 2**n <= resamples
    blocks = [all_signs(n)] if exact else signs(n, rng, resamples)
    below, above, beyond = (np.zeros(observed.shape) for _ in range(3))
    for flips in blocks:
        flipped = flips @ weighted
        below += (flipped <= observed + _ROUNDING).sum(axis=0)
        above += (flipped >= observed - _ROUNDING).sum(axis=0)
        beyond += (np.abs(flipped) >= np.abs(observed) - _ROUNDING).sum(axis=0)
    own, total = (0, 2**n) if exact else (1, resamples + 1)
    return PValues((below + own) / total, (above + own) / total, (beyond + own) / total)


def percentile_interval(resampled: Doubles, confidence: float) -> tuple[Doubles, Doubles]:
    """Cut equal tails off resampled estimates: float64 (B, m) to two (m,); undefined ones are left out."""
    tail = (1 - confidence) / 2
    lower, upper = np.nanquantile(resampled, [tail, 1 - tail], axis=0)
    return lower, upper


def bca_interval(
    resampled: Doubles, estimate: Doubles, influence: Doubles, confidence: float
) -> tuple[Doubles, Doubles]:
    """Bound estimates by the bias-corrected and accelerated bootstrap (Efron 1987).

    Args:
        resampled: float64 (B, m), the estimate in each resample.
        estimate: float64 (m,).
        influence: float64 (n, m), how each unit moves the estimate (for a mean: the jackknife's deviations).
        confidence: Such as 0.95.

    Returns:
        float64 (m,) lower and (m,) upper ends; the estimate itself where nothing varies.
    """
    share = ((resampled < estimate).sum(axis=0) + (resampled <= estimate).sum(axis=0)) / (2 * len(resampled))
    bias = stats.norm.ppf(share)
    squares = (influence**2).sum(axis=0)
    safe = np.where(squares > 0, squares, 1.0)
    acceleration = (influence**3).sum(axis=0) / (6 * safe**1.5)
    lower, upper = estimate.astype(np.float64, copy=True), estimate.astype(np.float64, copy=True)
    tail = (1 - confidence) / 2
    for column in np.flatnonzero((squares > 0) & np.isfinite(bias)):
        ends = bias[column] + stats.norm.ppf([tail, 1 - tail])
        levels = stats.norm.cdf(bias[column] + ends / (1 - acceleration[column] * ends))
        lower[column], upper[column] = np.quantile(resampled[:, column], levels)
    return lower, upper
