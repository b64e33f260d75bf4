"""Area and work of a curve, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.ann import RECALL_TARGETS, AnnPoint
from evalsuite.vectors.ann.curve import area_under_curve, work_at


def points_of(*pairs):
    """Points from (work, recall)."""
    return [AnnPoint(parameter=i, work=w, recall=r) for i, (w, r) in enumerate(pairs, 1)]


sweeps = st.lists(st.tuples(st.floats(1, 5000), st.floats(0, 1)), min_size=1, max_size=8)


@given(sweeps, st.integers(2, 5000))
def test_area_is_a_share(pairs, documents):
    """The area lies between 0 and the best recall."""
    area = area_under_curve(points_of(*pairs), documents)
    assert 0 <= area <= max(r for _, r in pairs) + 1e-12


@given(sweeps)
def test_more_recall_costs_no_less(pairs):
    """Work rises with the target; a target is reached exactly where some setting reaches it."""
    found = work_at(points_of(*pairs))
    reached = [w for w in found.values() if w is not None]
    assert tuple(found) == RECALL_TARGETS
    assert reached == sorted(reached)
    for target, work in found.items():
        assert (work is not None) == any(r >= target for _, r in pairs)


def test_perfect_from_the_smallest_budget_is_one():
    """Recall 1 at 1 % of 1,000 documents fills the whole area."""
    assert area_under_curve(points_of((10, 1.0)), 1000) == pytest.approx(1.0)


def test_nothing_is_found_below_the_cheapest_setting():
    """Recall .8 from 10 % on: half of the budgets between 1 % and 100 % find nothing."""
    assert area_under_curve(points_of((100, 0.8)), 1000) == pytest.approx(0.4)


def test_between_settings_recall_is_linear_in_log_work():
    """From 0 at 1 % to 1 at 10 %, then 1: a triangle and a square, (1/2 + 1) / 2."""
    assert area_under_curve(points_of((10, 0.0), (100, 1.0)), 1000) == pytest.approx(0.75)


def test_settings_dearer_than_exhaustive_search_do_not_count():
    """From 0 at 10 % to 1 at 1,000 %: at 100 % the recall is 1/2, so the area is 1/4 of half the range."""
    assert area_under_curve(points_of((100, 0.0), (10_000, 1.0)), 1000) == pytest.approx(0.125)


def test_an_index_dearer_than_exhaustive_search_has_no_area():
    """Two documents and a centroid cost three distances; looking at both costs two."""
    assert area_under_curve(points_of((3, 1.0)), 2) == 0.0


def test_work_is_interpolated_in_its_logarithm():
    """Recall .9 half way from .8 at 100 to 1 at 10,000 costs 1,000."""
    found = work_at(points_of((100, 0.8), (10_000, 1.0)))
    assert found[0.9] == pytest.approx(1000)
    assert found[0.95] == pytest.approx(100 * 100**0.75)


def test_the_cheapest_setting_may_reach_it():
    """Nothing is cheaper than the cheapest setting."""
    assert work_at(points_of((50, 0.97), (70, 0.98))) == {
        0.9: pytest.approx(50),
        0.95: pytest.approx(50),
        0.99: None,
    }


def test_the_order_of_settings_does_not_matter():
    """A sweep is sorted by its work."""
    up, down = points_of((10, 0.2), (50, 0.93)), points_of((50, 0.93), (10, 0.2))
    assert work_at(up) == work_at(down)
    assert area_under_curve(up, 100) == area_under_curve(down, 100)


def test_areas_agree_with_a_fine_sum():
    """The exact area is the limit of a Riemann sum."""
    pairs = [(30, 0.1), (80, 0.5), (200, 0.9), (700, 0.95)]
    budgets = np.exp(np.linspace(np.log(10), np.log(1000), 200_001))
    sums = np.interp(np.log(budgets), np.log([w for w, _ in pairs]), [r for _, r in pairs])
    sums[budgets < 30] = 0
    assert area_under_curve(points_of(*pairs), 1000) == pytest.approx(sums.mean(), abs=1e-4)
