"""Minimum detectable effects and power: the formula, the exact distribution, and simulation."""

import numpy as np
import pytest

from evalsuite.stats.paired import Spread, spread_of_mean, t_test
from evalsuite.stats.power import minimum_detectable_effect, power_of_drop
from evalsuite.stats.strata import Strata


def spread(n, deviation=0.1):
    return Spread(np.array([deviation / np.sqrt(n)]), np.array([n - 1.0]))


def test_many_queries_need_2_49_standard_errors():
    """z(0.95) + z(0.8) = 2.486."""
    many = spread(10**6)
    assert minimum_detectable_effect(many, 0.05, 0.8)[0] / many.error[0] == pytest.approx(2.486, abs=1e-3)


@pytest.mark.parametrize("n", [30, 300])
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_the_effect_is_found_with_the_stated_power(n, power):
    """The exact power at the minimum detectable effect is the one asked for, to one percent."""
    effect = minimum_detectable_effect(spread(n), 0.05, power)
    assert power_of_drop(effect, spread(n), 0.05)[0] == pytest.approx(power, abs=0.01)


def test_power_equals_simulation():
    """Of 2,000 samples with a true drop, the share found is the stated power within 4 errors (seed 1)."""
    n, drop, deviation = 50, 0.03, 0.1
    d = np.random.default_rng(1).normal(-drop, deviation, (n, 2000))
    found = (t_test(d.mean(axis=0), spread_of_mean(d, Strata.whole(n))).less <= 0.05).mean()
    expected = power_of_drop(drop, spread(n, deviation), 0.05)[0]
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 2000))


def test_no_drop_is_found_with_probability_alpha():
    """At a drop of 0 the power is the level."""
    assert power_of_drop(0.0, spread(40), 0.05)[0] == pytest.approx(0.05, abs=1e-6)
