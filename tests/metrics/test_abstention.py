"""nAUC: bounds, numbers worked by hand. mteb is the oracle in `test_official`."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.metrics.abstention import confidences, nauc

values = arrays(np.float64, st.integers(2, 30), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]))


def area(confidence, metric):
    return nauc({"c": np.asarray(confidence, dtype=float)}, {"m": np.asarray(metric, dtype=float)})["m", "c"]


@given(values)
def test_the_metric_itself_is_the_best_confidence(metric):
    """Its nAUC is 1, and no other confidence gets beyond."""
    best = area(metric, metric)
    assert math.isnan(best) or best == pytest.approx(1.0)
    other = area(np.arange(len(metric)), metric)
    assert math.isnan(other) or other <= 1 + 1e-9


@given(values)
def test_a_constant_confidence_is_worth_nothing(metric):
    """Abstaining at random leaves the mean where it is."""
    found = area(np.ones(len(metric)), metric)
    assert math.isnan(found) or found == pytest.approx(0.0, abs=1e-9)


def test_by_hand():
    """Two queries, 1 and 0: one is left out from rate 0.3 on, where 2 x 0.3 rounds to 1.

    The mean is 0.5 at rates 0, 0.1, 0.2 and 1 from 0.3 on, if the bad one goes first: area 0.2 x 0.5 +
    0.1 x 0.75 + 0.6 x 1 = 0.775; flat 0.45. The other order gives 0.2 x 0.5 + 0.1 x 0.25 = 0.125.
    """
    assert area([1, 0], [1, 0]) == pytest.approx(1.0)
    assert area([0, 1], [1, 0]) == pytest.approx((0.125 - 0.45) / (0.775 - 0.45))


def test_nothing_to_gain_is_nan():
    """If every query has the same value there is nothing to abstain for."""
    assert math.isnan(area([1, 2, 3], [1, 1, 1]))
    assert nauc({"c": np.ones(3)}, {}) == {}


def test_confidences_by_hand():
    """The best, the spread and the lead; nothing retrieved is no confidence."""
    nan = math.nan
    found = confidences(np.array([[3.0, 1.0, -1.0], [2.0, nan, nan], [nan, nan, nan]], dtype=np.float32))
    assert found["max"].tolist() == [3, 2, 0]
    assert found["std"] == pytest.approx([math.sqrt(8 / 3), 0, 0])
    assert found["diff1"].tolist() == [2, 0, 0]
