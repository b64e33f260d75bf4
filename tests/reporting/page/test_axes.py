"""Axes: everything fits, ticks are few and nice."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.reporting.page.axes import dimensions, linear, logarithmic

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=8)
POSITIVE = st.lists(st.floats(1e-9, 1e9), max_size=8)


@given(VALUES)
def test_linear_axes_hold_every_value(values):
    """Limits around the values, ticks inside, at most a dozen."""
    axis = linear("x", values)
    assert axis.low < axis.high
    assert all(0 <= axis.share(value) <= 1 for value in values)
    assert len(axis.ticks) <= 12
    assert all(-1e-6 <= axis.share(tick) <= 1 + 1e-6 for tick, _ in axis.ticks)


@given(POSITIVE)
def test_logarithmic_axes_hold_every_value(values):
    """The same on a logarithmic axis, however many decades."""
    axis = logarithmic("x", values)
    assert all(0 <= axis.share(value) <= 1 for value in values)
    assert 1 <= len(axis.ticks) <= 14


def test_what_has_no_place_is_not_shown():
    """Not a number nowhere, zero not on a logarithm."""
    assert not linear("x", [1, math.nan]).shows(math.nan)
    assert not logarithmic("x", [1.0, 2.0]).shows(0.0)
    assert logarithmic("x", [1.0, 2.0]).shows(0.5)


def test_ticks_read_well():
    """Round numbers, a true minus sign, zero without decimals."""
    assert [label for _, label in linear("x", [-1.0, 1.0]).ticks] == [
        "\N{MINUS SIGN}1.0",
        "\N{MINUS SIGN}0.5",
        "0",
        "0.5",
        "1.0",
    ]
    assert [label for _, label in logarithmic("x", [40, 3000]).ticks] == ["100", "300", "1k", "3k"]
    assert linear("x", [3.0], include=[0.0]).low == 0.0


@pytest.mark.parametrize("dims", [[768], [64, 128, 256, 384], list(range(16, 1025, 16))])
def test_dimensions_that_would_touch_are_left_out(dims):
    """The largest always has its label."""
    axis = dimensions(dims)
    shares = [axis.share(tick) for tick, _ in axis.ticks]
    assert axis.ticks[-1][1] == str(dims[-1])
    assert all(after - before > 0.1 for before, after in itertools.pairwise(shares))
