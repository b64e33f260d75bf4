"""Comparisons of two systems: calibrated under the null, powerful at the stated effect."""

import numpy as np
import pytest
from scipy import stats

from evalsuite.stats.compare import Sampling, compare_correlations, compare_means
from evalsuite.stats.strata import Strata

FEW = Sampling((0,), 200)
SIMULATIONS = 2000


def within(alarms, level, simulations=SIMULATIONS):
    """A count lies in the two-sided 99.9 % binomial interval of its level."""
    low, high = stats.binom.interval(0.999, simulations, level)
    return low <= alarms <= high


def null_scores(n, rng):
    """Two systems that are equally good: skewed scores, half the queries untouched, noise of two halves."""
    base = rng.beta(2, 1, (n, SIMULATIONS)).round(2)
    noise = rng.normal(0, 0.15, (2, n, SIMULATIONS)) * (rng.random((n, SIMULATIONS)) < 0.5)
    return base + noise[0], base + noise[1]


@pytest.mark.parametrize("n", [50, 300])
def test_false_alarms_keep_their_level(n):
    """Under the null, 2,000 simulations: drops are shown with probability alpha (seed 0, 99.9 % bounds)."""
    found = compare_means(*null_scores(n, np.random.default_rng(0)), Strata.whole(n), FEW)
    tests = found.tests()
    assert within((tests.less <= 0.05).sum(), 0.05)
    assert within((tests.greater <= 0.05).sum(), 0.05)
    assert within((tests.two_sided <= 0.01).sum(), 0.01)


def test_harmlessness_is_shown_falsely_with_probability_alpha():
    """With a true drop of exactly the margin, 5 % pass and no more (seed 1, 99.9 % bounds)."""
    base, cand = null_scores(200, np.random.default_rng(1))
    found = compare_means(base, cand - 0.02, Strata.whole(200), FEW)
    p = found.noninferiority(np.ones(SIMULATIONS), np.full(SIMULATIONS, 0.02))
    assert within((p <= 0.05).sum(), 0.05)


def test_a_relative_margin_counts_the_noise_of_the_baseline():
    """With a true drop of exactly 5 % of the baseline, 5 % pass (seed 2, 99.9 % bounds)."""
    base, cand = null_scores(200, np.random.default_rng(2))
    found = compare_means(base, 0.95 * cand, Strata.whole(200), FEW)
    p = found.noninferiority(np.full(SIMULATIONS, 0.95), np.zeros(SIMULATIONS))
    assert within((p <= 0.05).sum(), 0.05)


def test_false_alarms_of_correlations_keep_their_level():
    """Rank correlations of two equally good systems, 300 simulations (seed 3, 99.9 % bounds)."""
    rng, alarms, passes = np.random.default_rng(3), 0, 0
    for _ in range(300):
        gold = rng.integers(0, 11, 120) / 2.0
        sides = gold[:, None] + rng.normal(0, 2, (120, 2))
        found = compare_correlations(
            sides[:, :1], sides[:, 1:], gold, Strata.whole(120), Sampling((1,), 200), ranked=True
        )
        alarms += found.tests().less[0] <= 0.05
        passes += found.noninferiority(np.ones(1), np.zeros(1))[0] <= 0.05
    assert within(alarms, 0.05, 300)
    assert within(passes, 0.05, 300)


def test_parts_are_averaged_not_pooled():
    """A task of two parts has the mean of its parts' correlations."""
    rng = np.random.default_rng(4)
    gold = np.concatenate([rng.normal(0, 1, 40), rng.normal(10, 1, 20)])
    values = gold[:, None] + rng.normal(0, 1, (60, 1))
    strata = Strata.of(["a"] * 40 + ["b"] * 20)
    found = compare_correlations(values, values, gold, strata, FEW, ranked=True)
    parts = [stats.spearmanr(values[rows, 0], gold[rows]).statistic for rows in strata.members()]
    assert found.base[0] == pytest.approx(np.mean(parts))


def test_three_equal_drops_are_no_proof():
    """A drop by the same amount on three queries has no variance; p is that of three coin tosses."""
    base = np.full((3, 1), 0.5)
    found = compare_means(base, base - 0.1, Strata.whole(3), FEW)
    assert found.tests().less[0] == pytest.approx(1 / 8)
    assert found.noninferiority(np.ones(1), np.array([0.2]))[0] == pytest.approx(1 / 8)


def test_equal_seeds_give_equal_numbers():
    """A comparison can be repeated to the last digit."""
    base, cand = np.random.default_rng(5).random((2, 40, 3))
    first, second = (compare_means(base, cand, Strata.whole(40), FEW) for _ in range(2))
    assert (first.lower == second.lower).all()
    assert (first.flips.two_sided == second.flips.two_sided).all()
