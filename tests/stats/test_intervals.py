"""Intervals: scipy as the oracle, coverage, and the edges."""

import numpy as np
import pytest
from scipy import stats

from evalsuite.stats.intervals import MeanBootstrap, pearson_interval, spearman_interval


def test_mean_interval_agrees_with_scipy():
    """The percentile bootstrap's ends agree with scipy's to the resampling noise."""
    values = np.random.default_rng(1).beta(2, 1, size=300)
    lower, upper = MeanBootstrap(300, np.random.default_rng(0), resamples=20_000).intervals(values[:, None])
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    assert lower[0] == pytest.approx(reference.low, abs=1e-3)
    assert upper[0] == pytest.approx(reference.high, abs=1e-3)


def test_columns_share_resamples():
    """Two equal columns get equal intervals: cells of a task stay paired."""
    values = np.random.default_rng(1).random((50, 1)).repeat(2, axis=1)
    lower, upper = MeanBootstrap(50, np.random.default_rng(0)).intervals(values)
    assert lower[0] == lower[1]
    assert upper[0] == upper[1]


def test_a_constant_has_no_width():
    """If every query scores the same the interval is that score."""
    lower, upper = MeanBootstrap(20, np.random.default_rng(0)).intervals(np.full((20, 1), 0.25))
    assert (lower[0], upper[0]) == pytest.approx((0.25, 0.25), abs=1e-12)


def test_pearson_interval_equals_scipy():
    """Fisher's interval is scipy's."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal(80)
    y = x + rng.standard_normal(80)
    result = stats.pearsonr(x, y)
    reference = result.confidence_interval(0.95)
    assert pearson_interval(result.statistic, 80) == pytest.approx((reference.low, reference.high), abs=1e-9)


def test_spearman_interval_covers_the_truth():
    """About 95 % of intervals from normal samples hold the true rank correlation (seed 4, 400 draws)."""
    rng, r, n = np.random.default_rng(4), 0.7, 100
    truth = 6 / np.pi * np.arcsin(r / 2)
    covered = 0
    for _ in range(400):
        x = rng.standard_normal(n)
        y = r * x + np.sqrt(1 - r**2) * rng.standard_normal(n)
        low, high = spearman_interval(stats.spearmanr(x, y)[0], n)
        covered += low <= truth <= high
    assert 0.92 <= covered / 400 <= 0.98


@pytest.mark.parametrize("interval", [spearman_interval, pearson_interval])
def test_edges(interval):
    """A perfect correlation is its own interval; three pairs bound nothing."""
    assert interval(1.0, 50) == (1.0, 1.0)
    assert interval(0.5, 3) == (-1.0, 1.0)
