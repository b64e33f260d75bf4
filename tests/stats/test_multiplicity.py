"""Corrections for many tests: by hand, then scipy, then what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalsuite.stats.multiplicity import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def test_holm_by_hand():
    """0.01, 0.04, 0.03 of three: 3 x 0.01, then 2 x 0.03, then the running maximum."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(P_VALUES)
def test_holm_rejects_what_its_steps_reject(p):
    """Adjusted p <= alpha exactly where stepping down from the smallest has not stopped yet."""
    adjusted, m, alpha = holm(p), len(p), 0.05
    going, rejected = True, set()
    for step, index in enumerate(np.argsort(p, kind="stable")):
        going = going and p[index] * (m - step) <= alpha
        if going:
            rejected.add(index)
    assert set(np.flatnonzero(adjusted <= alpha)) == rejected


@given(P_VALUES)
def test_bh_equals_scipy(p):
    """Benjamini and Hochberg's values are those of scipy.stats.false_discovery_control."""
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p), abs=1e-12)


@given(P_VALUES)
def test_corrections_never_help(p):
    """No adjusted value is below its own p, and Holm is at least as strict as Benjamini and Hochberg."""
    assert (holm(p) >= np.asarray(p) - 1e-15).all()
    assert (holm(p) >= benjamini_hochberg(p) - 1e-12).all()


def test_holm_keeps_the_family_error():
    """Of 2,000 families of 20 true nulls, at most about 5 % hold a false alarm (seed 0, 4 errors)."""
    p = np.random.default_rng(0).random((2000, 20))
    alarms = sum((holm(family) <= 0.05).any() for family in p)
    assert alarms / 2000 <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 2000)


def test_nothing_to_correct():
    """An empty family is no error."""
    assert holm([]).shape == (0,)
    assert benjamini_hochberg([]).shape == (0,)
