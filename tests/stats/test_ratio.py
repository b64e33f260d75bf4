"""Retention as a ratio of means."""

import numpy as np
import pytest

from evalsuite.stats.ratio import ratio_of_means
from evalsuite.stats.resample import bootstrap_means
from evalsuite.stats.strata import Strata


def resampled(values, seed=0, count=4000):
    return bootstrap_means(values, Strata.whole(len(values)), np.random.default_rng(seed), count)


def test_a_ratio_of_means_by_hand():
    """(0 + 1) / (1 + 1) is one half, although no query has that ratio."""
    found = ratio_of_means((0.5, 1.0), (np.full(9, 0.5), np.ones(9)), 0.9)
    assert (found.value, found.lower, found.upper) == (0.5, 0.5, 0.5)


def test_shared_luck_cancels():
    """A candidate that is 90 % of its reference on every query keeps 90 %, without any width."""
    values = np.random.default_rng(0).random((30, 1))
    draws = resampled(np.hstack([0.9 * values, values]))
    found = ratio_of_means((0.9 * values.mean(), values.mean()), (draws[:, 0], draws[:, 1]), 0.95)
    assert (found.lower, found.upper) == pytest.approx((0.9, 0.9))


def test_a_reference_of_nothing_has_no_ratio():
    """Nothing is divided by 0, in the data or in a resample."""
    assert ratio_of_means((0.5, 0.0), (np.ones(3), np.ones(3)), 0.9) is None
    assert ratio_of_means((0.5, 0.1), (np.ones(3), np.array([1.0, 0.0, 1.0])), 0.9) is None


def test_the_interval_covers_the_truth():
    """About 90 % of intervals hold the true ratio 0.8 (seed 2, 300 samples of 60, within 4 errors)."""
    rng, covered = np.random.default_rng(2), 0
    for _ in range(300):
        base = rng.beta(4, 2, 60)
        values = np.column_stack([0.8 * base + rng.normal(0, 0.05, 60), base])
        draws = bootstrap_means(values, Strata.whole(60), rng, 400)
        found = ratio_of_means(tuple(values.mean(axis=0)), (draws[:, 0], draws[:, 1]), 0.9)
        covered += found.lower <= 0.8 <= found.upper
    assert covered / 300 == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 300))
