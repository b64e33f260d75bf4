"""Compare two systems on the same units, all cells of a task at once: the numbers that judgements use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.stats.correlations import (
    bootstrap_pearson,
    bootstrap_spearman,
    pearson_columns,
    spearman_columns,
)
from evalsuite.stats.noninferiority import noninferiority_p
from evalsuite.stats.paired import (
    PValues,
    Spread,
    bca_interval,
    percentile_interval,
    sign_flips,
    spread_of_mean,
    t_test,
)
from evalsuite.stats.resample import RESAMPLES, bootstrap_means
from evalsuite.stats.strata import Doubles, Strata

ROUNDING = 1e-9
"""Differences below this are none: values are kept with fewer decimals."""


@dataclass(frozen=True)
class Sampling:
    """How to resample.

    Attributes:
        seed: Seeds of the generator; equal seeds give equal resamples.
        resamples: How many.
        confidence: Of the two-sided intervals.
    """

    seed: tuple[int, ...]
    resamples: int = RESAMPLES
    confidence: float = 0.9

    def rng(self) -> np.random.Generator:
        """Make a fresh generator."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True, kw_only=True)
class Comparison(ABC):
    """Baseline and candidate on one task, a column a cell.

    Attributes:
        n: Units.
        base: float64 (m,), the baseline's values.
        cand: float64 (m,), the candidate's.
        lower: float64 (m,), lower ends of the intervals of candidate minus baseline.
        upper: float64 (m,), upper ends.
        interval: How the intervals were made.
        resampled_base: float32 (B, m), the baseline's values in each resample.
        resampled_cand: float32 (B, m), the candidate's in the same resamples.
        changed: int64 (m,), units whose value differs.
        flips: p-values of the sign-flip test; None where there is no value a unit.
    """

    n: int
    base: Doubles
    cand: Doubles
    lower: Doubles
    upper: Doubles
    interval: str
    resampled_base: npt.NDArray[np.float32]
    resampled_cand: npt.NDArray[np.float32]
    changed: npt.NDArray[np.int64]
    flips: PValues | None = None

    @abstractmethod
    def spread(self, keep: Doubles | None = None) -> Spread:
        """Return the standard error of `cand - keep * base`, `keep` float64 (m,) or 1."""

    @property
    def delta(self) -> Doubles:
        """float64 (m,): candidate minus baseline."""
        return self.cand - self.base

    @property
    def resampled_delta(self) -> npt.NDArray[np.float32]:
        """float32 (B, m): candidate minus baseline in each resample."""
        return self.resampled_cand - self.resampled_base

    def tests(self) -> PValues:
        """Test each cell for a drop, a gain and a change by Student's t.

        No test that flips signs can give less than 2^-k where k units changed; the t-test, which assumes a
        variance it cannot know when all changes are alike, is held to that.
        """
        p = t_test(self.delta, self.spread())
        floor = np.where(self.changed > 0, 0.5 ** np.minimum(self.changed, 1000), 1.0)
        return PValues(*(np.maximum(each, floor) for each in (p.less, p.greater, p.two_sided)))

    def noninferiority(self, keep: Doubles, absolute: Doubles) -> Doubles:
        """Test `cand - keep * base > -absolute`: float64 (m,) one-sided p-values, not below 2^-n."""
        p = noninferiority_p(self.cand - keep * self.base, self.spread(keep), absolute)
        return np.maximum(p, 0.5 ** min(self.n, 1000))


@dataclass(frozen=True, kw_only=True)
class MeanComparison(Comparison):
    """Cells whose value is a mean over units, or a mean of strata means.

    Attributes:
        base_values: float64 (n, m), the baseline's value of each unit.
        cand_values: float64 (n, m), the candidate's.
        strata: The units.
    """

    base_values: Doubles
    cand_values: Doubles
    strata: Strata

    def spread(self, keep: Doubles | None = None) -> Spread:
        """Return the standard error from the differences, unit by unit."""
        kept = self.base_values if keep is None else self.base_values * keep
        return spread_of_mean(self.cand_values - kept, self.strata)


@dataclass(frozen=True, kw_only=True)
class CorrelationComparison(Comparison):
    """Cells whose value is a correlation over units, or a mean of such."""

    def spread(self, keep: Doubles | None = None) -> Spread:
        """Return the standard deviation over resamples, with n - 1 degrees of freedom."""
        kept = self.resampled_base if keep is None else self.resampled_base * keep
        error = np.nanstd(self.resampled_cand - kept, axis=0, ddof=1, dtype=np.float64)
        # float32 rounding of resampled values is no uncertainty.
        error = np.where(error < 1e-7, 0.0, error)
        return Spread(error, np.full(len(error), float(max(self.n - 1, 1))))


def compare_means(base: Doubles, cand: Doubles, strata: Strata, sampling: Sampling) -> MeanComparison:
    """Compare means over units.

    Args:
        base: float64 (n, m), the baseline's value of each unit, a column a cell.
        cand: float64 (n, m), the candidate's, of the same units in the same order.
        strata: The units.
        sampling: Seed, resamples, confidence.
    """
    difference = cand - base
    width = base.shape[1]
    rng = sampling.rng()
    resampled = bootstrap_means(np.hstack([base, cand]), strata, rng, sampling.resamples)
    before, after = resampled[:, :width], resampled[:, width:]
    estimate, influence = strata.mean(difference), strata.influence(difference)
    lower, upper = bca_interval(after - before, estimate, influence, sampling.confidence)
    return MeanComparison(
        n=len(base),
        base=strata.mean(base),
        cand=strata.mean(cand),
        lower=lower,
        upper=upper,
        interval="BCa bootstrap",
        resampled_base=before.astype(np.float32),
        resampled_cand=after.astype(np.float32),
        changed=(np.abs(difference) > ROUNDING).sum(axis=0),
        flips=sign_flips(difference, strata, rng, sampling.resamples),
        base_values=base,
        cand_values=cand,
        strata=strata,
    )


def compare_correlations(
    base: Doubles, cand: Doubles, gold: Doubles, strata: Strata, sampling: Sampling, *, ranked: bool
) -> CorrelationComparison:
    """Compare correlations over pairs.

    Args:
        base: float64 (n, m), the baseline's similarity of each pair, a column a cell.
        cand: float64 (n, m), the candidate's.
        gold: float64 (n,), scores by people.
        strata: The pairs; of several strata the correlations are averaged.
        sampling: Seed, resamples, confidence.
        ranked: Spearman's correlation; else Pearson's.
    """
    correlate = spearman_columns if ranked else pearson_columns
    bootstrap = bootstrap_spearman if ranked else bootstrap_pearson
    both, width, rng = np.hstack([base, cand]), base.shape[1], sampling.rng()
    groups = strata.members()
    values = np.mean([correlate(both[rows], gold[rows]) for rows in groups], axis=0)
    drawn = [bootstrap(both[rows], gold[rows], rng, sampling.resamples) for rows in groups]
    resampled = np.mean(drawn, axis=0)
    before, after = resampled[:, :width], resampled[:, width:]
    lower, upper = percentile_interval(after - before, sampling.confidence)
    return CorrelationComparison(
        n=len(gold),
        base=values[:width],
        cand=values[width:],
        lower=lower,
        upper=upper,
        interval="percentile bootstrap of pairs",
        resampled_base=before.astype(np.float32),
        resampled_cand=after.astype(np.float32),
        changed=(np.abs(cand - base) > ROUNDING).sum(axis=0),
    )
