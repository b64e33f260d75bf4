"""The decision itself: how often it is wrong when nothing changed, and how often it sees a real drop."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from evalsuite.gate.decide import status_of
from evalsuite.gate.estimates import adjust
from evalsuite.stats.compare import Sampling, compare_means
from evalsuite.stats.power import minimum_detectable_effect
from evalsuite.stats.strata import Strata

SIMULATIONS, N, ALPHA = 2000, 100, 0.05
FEW = Sampling((0,), 10)
"""Resamples make intervals, and nothing here depends on an interval."""


def decisions(cells, drop, margin, seed):
    """Judge 2,000 comparisons of correlated cells; the first cell's true drop is `drop`, the others' 0.

    Returns:
        Statuses (simulations, cells), and the mean minimum detectable effect at Holm's first step.
    """
    rng = np.random.default_rng(seed)
    shape = (N, SIMULATIONS, cells)
    shared = rng.normal(0, 0.1, (N, SIMULATIONS, 1))
    change = (shared + rng.normal(0, 0.1, shape)).astype(np.float64)
    change[:, :, 0] -= drop
    found = compare_means(
        np.full((N, SIMULATIONS * cells), 0.5),
        0.5 + change.reshape(N, -1),
        Strata.whole(N),
        FEW,
    )
    p = found.tests()
    harmless = found.noninferiority(np.ones(SIMULATIONS * cells), np.full(SIMULATIONS * cells, margin))
    estimates = [
        SimpleNamespace(p_drop=less, p_gain=greater, p_two_sided=both, p_noninferior=ni, identical=False)
        for less, greater, both, ni in zip(p.less, p.greater, p.two_sided, harmless, strict=True)
    ]
    statuses = []
    for start in range(0, len(estimates), cells):
        family = estimates[start : start + cells]
        pairs = zip(family, adjust(family), strict=True)
        statuses.append([status_of(estimate, adjusted, ALPHA) for estimate, adjusted in pairs])
    effect = minimum_detectable_effect(found.spread(), ALPHA / cells, 0.8).mean()
    return np.array(statuses), effect


def interval(level):
    """The two-sided 99.9 % binomial interval of a count."""
    return stats.binom.interval(0.999, SIMULATIONS, level)


def test_false_alarms_of_one_cell_are_alpha():
    """No change, a margin far below the noise: one cell regresses falsely with probability alpha (seed 0)."""
    statuses, _ = decisions(1, 0.0, 0.0001, seed=0)
    low, high = interval(ALPHA)
    assert low <= (statuses == "regressed").sum() <= high


@pytest.mark.parametrize("margin", [0.0001, 0.02])
def test_false_alarms_of_a_grid_stay_below_alpha(margin):
    """No change in any of 5 cells: a false alarm anywhere has a probability of at most alpha (seed 1)."""
    statuses, _ = decisions(5, 0.0, margin, seed=1)
    assert (statuses == "regressed").any(axis=1).sum() <= interval(ALPHA)[1]


def test_a_drop_of_one_margin_is_found_with_the_stated_power():
    """Margin and true drop are the minimum detectable effect: 80 % of 2,000 are found, 5 % pass (seed 2)."""
    effect = decisions(1, 0.0, 0.01, seed=2)[1]
    statuses, stated = decisions(1, effect, effect, seed=2)
    low, high = interval(0.8)
    assert stated == pytest.approx(effect)
    assert low <= (statuses == "regressed").sum() <= high
    assert (np.isin(statuses, ["passed", "improved"])).sum() <= interval(ALPHA)[1]


def test_in_a_grid_the_stated_power_is_a_lower_bound():
    """One of 5 cells drops by its minimum detectable effect: found at least as often as stated (seed 3)."""
    effect = decisions(5, 0.0, 0.01, seed=3)[1]
    statuses, _ = decisions(5, effect, 0.02, seed=3)
    assert (statuses[:, 0] == "regressed").sum() >= interval(0.8)[0]
    assert (statuses[:, 1:] == "regressed").any(axis=1).sum() <= interval(ALPHA)[1]


def test_the_check_can_fail():
    """Without Holm's correction 8 cells do raise more false alarms than alpha allows."""
    statuses, _ = decisions(1, 0.0, 0.0001, seed=4)
    eight = (statuses[: SIMULATIONS // 8 * 8].reshape(-1, 8) == "regressed").any(axis=1)
    assert eight.mean() > 3 * ALPHA
