"""Paired tests: exact numbers by hand, then scipy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalsuite.stats.paired import (
    Spread,
    bca_interval,
    percentile_interval,
    sign_flips,
    spread_of_mean,
    t_test,
)
from evalsuite.stats.resample import bootstrap_means
from evalsuite.stats.strata import Strata


def sample(n, m=3, *, seed=0, shift=0.03):
    """A made-up baseline and candidate: skewed scores, correlated differences."""
    rng = np.random.default_rng(seed)
    base = rng.beta(2, 1, (n, m))
    return base, np.clip(base - shift + rng.normal(0, 0.1, (n, m)), 0, 1)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
def test_a_drop_and_a_gain_mirror_each_other(values):
    """Turning all differences round swaps the two one-sided p-values."""
    d, strata = np.array(values)[:, None], Strata.whole(len(values))
    there = sign_flips(d, strata, np.random.default_rng(0))
    back = sign_flips(-d, strata, np.random.default_rng(0))
    assert there.less == pytest.approx(back.greater)
    assert there.two_sided == pytest.approx(back.two_sided)


def test_sign_flips_by_hand():
    """Of the 8 assignments of signs to (-1, -2, -3) one is as low: p = 1/8, two-sided 2/8."""
    d = np.array([[-1.0], [-2.0], [-3.0]])
    found = sign_flips(d, Strata.whole(3), np.random.default_rng(0))
    assert (found.less[0], found.two_sided[0], found.greater[0]) == (1 / 8, 2 / 8, 1.0)


def test_no_difference_is_no_evidence():
    """Identical systems have p = 1 on every side."""
    d, strata = np.zeros((20, 1)), Strata.whole(20)
    for found in (
        sign_flips(d, strata, np.random.default_rng(0)),
        t_test(np.zeros(1), spread_of_mean(d, strata)),
    ):
        assert (found.less[0], found.greater[0], found.two_sided[0]) == (1, 1, 1)


def test_t_test_equals_scipy():
    """All three alternatives are those of scipy.stats.ttest_rel."""
    base, cand = sample(40)
    found = t_test((cand - base).mean(axis=0), spread_of_mean(cand - base, Strata.whole(40)))
    for mine, alternative in (
        (found.less, "less"),
        (found.greater, "greater"),
        (found.two_sided, "two-sided"),
    ):
        assert mine == pytest.approx(stats.ttest_rel(cand, base, alternative=alternative).pvalue, abs=1e-12)


def test_strata_equal_welch():
    """Twice the mean of two part means is a difference of means: its error and freedom are Welch's."""
    rng = np.random.default_rng(5)
    first, second = rng.normal(0, 1, 15), rng.normal(0.5, 3, 40)
    strata = Strata.of(["a"] * 15 + ["b"] * 40)
    spread = spread_of_mean(np.concatenate([first, -second])[:, None], strata)
    welch = stats.ttest_ind(first, second, equal_var=False)
    assert spread.freedom[0] == pytest.approx(welch.df)
    assert (first.mean() - second.mean()) / (2 * spread.error[0]) == pytest.approx(welch.statistic)


def test_exact_sign_flips_equal_scipy():
    """For ten queries all 1,024 assignments are tried, by scipy and here."""
    base, cand = sample(10, 1)
    mine = sign_flips(cand - base, Strata.whole(10), np.random.default_rng(0))
    for value, alternative in (
        (mine.less, "less"),
        (mine.greater, "greater"),
        (mine.two_sided, "two-sided"),
    ):
        reference = stats.permutation_test(
            (cand[:, 0] - base[:, 0],), np.mean, permutation_type="samples", alternative=alternative
        )
        assert value[0] == pytest.approx(reference.pvalue, abs=1e-12)


def test_random_sign_flips_agree_with_scipy():
    """With 20,000 random assignments the two agree to four standard errors; p is never 0."""
    base, cand = sample(60, 1, shift=0.02)
    mine = sign_flips(cand - base, Strata.whole(60), np.random.default_rng(0), 20_000).two_sided[0]
    reference = stats.permutation_test(
        (cand[:, 0] - base[:, 0],), np.mean, permutation_type="samples", n_resamples=20_000, rng=1
    ).pvalue
    assert mine == pytest.approx(reference, abs=4 * np.sqrt(2 * reference * (1 - reference) / 20_000))
    certain = sign_flips(np.full((60, 1), 0.5), Strata.whole(60), np.random.default_rng(0), 999)
    assert certain.greater[0] == pytest.approx(1 / 1000)


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_intervals_equal_scipy(method):
    """From the same seed both ends are scipy.stats.bootstrap's, to rounding."""
    base, cand = sample(80, 2, seed=3)
    d, strata = cand - base, Strata.whole(80)
    resampled = bootstrap_means(d, strata, np.random.default_rng(9), 3000)
    if method == "BCa":
        lower, upper = bca_interval(resampled, d.mean(axis=0), strata.influence(d), 0.9)
    else:
        lower, upper = percentile_interval(resampled, 0.9)
    for column in range(2):
        reference = stats.bootstrap(
            (d[:, column],), np.mean, n_resamples=3000, method=method, confidence_level=0.9,
            rng=np.random.default_rng(9),
        ).confidence_interval  # fmt: skip
        assert lower[column] == pytest.approx(reference.low, abs=1e-10)
        assert upper[column] == pytest.approx(reference.high, abs=1e-10)


def test_what_does_not_vary_has_no_width():
    """If every query drops by the same, the interval is that drop."""
    d, strata = np.full((12, 1), -0.1), Strata.whole(12)
    resampled = bootstrap_means(d, strata, np.random.default_rng(0), 200)
    lower, upper = bca_interval(resampled, d.mean(axis=0), strata.influence(d) * 0, 0.95)
    assert (lower[0], upper[0]) == pytest.approx((-0.1, -0.1))


def test_one_query_proves_nothing():
    """A part of a single query has an unknown variance: the error is infinite, and p one half."""
    spread = spread_of_mean(np.array([[-0.5]]), Strata.whole(1))
    assert np.isinf(spread.error[0])
    assert t_test(np.array([-0.5]), spread).less[0] == pytest.approx(0.5)


def test_an_error_of_zero_decides():
    """A drop without any uncertainty has p = 0 on its side and 1 on the other."""
    found = t_test(np.array([-0.1]), Spread(np.zeros(1), np.ones(1)))
    assert (found.less[0], found.greater[0]) == (0, 1)
