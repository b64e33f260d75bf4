"""Bootstrap of correlations: every resample is what scipy makes of the same pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalsuite.stats.correlations import (
    bootstrap_pearson,
    bootstrap_spearman,
    pearson_columns,
    spearman_columns,
)


def draws(n, resamples, seed):
    """The pairs of each resample, from the same stream of random numbers."""
    return np.random.default_rng(seed).integers(0, n, size=(resamples, n))


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.integers(5, 40), st.sampled_from([3, 8, 10**6]))
def test_ranks_in_resamples_are_scipys(seed, n, levels):
    """Few or many distinct values on either side: each resample's rank correlation is scipy's."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 4, n) / 2.0
    values = np.column_stack([rng.integers(0, levels, n), gold + rng.normal(0, 1, n)]).astype(float)
    found = bootstrap_spearman(values, gold, np.random.default_rng(seed), 10)
    for row, pairs in zip(found, draws(n, 10, seed), strict=True):
        for column in range(2):
            x, y = values[pairs, column], gold[pairs]
            if np.ptp(x) == 0 or np.ptp(y) == 0:
                assert np.isnan(row[column])
            else:
                assert row[column] == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


def test_pearson_in_resamples_is_scipys():
    """Correlations from weighted moments equal those of the drawn pairs."""
    rng = np.random.default_rng(1)
    gold = rng.normal(0, 1, 50)
    values = (0.7 * gold + rng.normal(0, 1, 50))[:, None] * 1e-3 + 0.9
    found = bootstrap_pearson(values, gold, np.random.default_rng(2), 30)
    for row, pairs in zip(found, draws(50, 30, 2), strict=True):
        assert row[0] == pytest.approx(stats.pearsonr(values[pairs, 0], gold[pairs]).statistic, abs=1e-9)


def test_columns_equal_scipy():
    """Point values are scipy's."""
    rng = np.random.default_rng(3)
    gold, values = rng.integers(0, 6, 70).astype(float), rng.normal(0, 1, (70, 2))
    for column in range(2):
        reference = stats.spearmanr(values[:, column], gold).statistic
        assert spearman_columns(values, gold)[column] == pytest.approx(reference)
        reference = stats.pearsonr(values[:, column], gold).statistic
        assert pearson_columns(values, gold)[column] == pytest.approx(reference)


def test_a_constant_has_no_correlation():
    """Equal similarities give NaN, not 0."""
    assert np.isnan(pearson_columns(np.ones((5, 1)), np.arange(5.0))[0])
    assert np.isnan(bootstrap_spearman(np.ones((5, 1)), np.arange(5.0), np.random.default_rng(0), 3)).all()


def test_two_systems_share_their_resamples():
    """Equal columns are equal in every resample: a difference of correlations is paired."""
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (30, 1)).repeat(2, axis=1)
    found = bootstrap_spearman(values, rng.normal(0, 1, 30), np.random.default_rng(0), 200)
    assert (found[:, 0] == found[:, 1]).all()
