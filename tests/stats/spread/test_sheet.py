"""The sheet: nothing vanishes, derived values keep their intervals in order."""

import math

import pytest

from evalsuite.stats.spread.sheet import Sheet, around, around_log

NAMES = ("second_moment", "effective_dimension")


def test_every_name_is_accounted_for():
    """A sheet with a gap refuses to be read; a name that is not its own is refused at once."""
    sheet = Sheet(NAMES, 100)
    sheet.put("second_moment", 0.25)
    with pytest.raises(KeyError, match="effective_dimension"):
        sheet.result()
    with pytest.raises(KeyError, match="margin"):
        sheet.put("margin", 1.0)


def test_what_is_not_finite_is_missing_and_so_is_what_follows():
    """An undefined value is missing with a reason, and so is the value derived from it."""
    sheet = Sheet(NAMES, 100)
    sheet.put("second_moment", math.nan)
    sheet.put_mapped("effective_dimension", "second_moment", lambda m: 1 / m)
    values, missing = sheet.result()
    assert values == {}
    assert "too few" in missing["effective_dimension"]


def test_a_falling_function_turns_the_interval_round():
    """1/x of [0.2, 0.5] is [2, 5], and the ideal goes the same way."""
    sheet = Sheet(NAMES, 100)
    sheet.put("second_moment", 0.25, 0.125, (0.2, 0.5))
    sheet.put_mapped("effective_dimension", "second_moment", lambda m: 1 / m)
    found = sheet.result()[0]["effective_dimension"]
    assert (found.value, found.ideal, found.lower, found.upper) == (4, 8, 2, 5)


def test_an_interval_that_is_not_finite_is_none():
    """A value whose error is unknown stands without an interval."""
    sheet = Sheet(NAMES[:1], 100)
    sheet.put("second_moment", 0.25, None, around(0.25, math.nan))
    assert sheet.result()[0]["second_moment"].lower is None


def test_an_error_beyond_all_numbers_is_no_interval():
    """A collapsed model, whose vectors differ by their rounding alone, is measured and not crashed on."""
    assert around_log(2.0, 1e6) == (0.0, math.inf)
    sheet = Sheet(NAMES[:1], 100)
    sheet.put("second_moment", 0.25, None, around_log(0.25, 1e6))
    assert sheet.result()[0]["second_moment"].upper is None


def test_intervals_by_hand():
    """95 % is 1.96 standard errors, on the logarithm's scale where asked."""
    assert around(1.0, 0.5) == pytest.approx((1 - 0.98, 1 + 0.98), abs=1e-4)
    assert around_log(2.0, 0.5) == pytest.approx((2 * math.exp(-0.98), 2 * math.exp(0.98)), rel=1e-4)


@pytest.mark.parametrize(("texts", "lower"), [(9, None), (10, 0.2)])
def test_few_texts_give_no_interval(texts, lower):
    """A standard error from a handful of texts is far too small: of two texts it is 0."""
    sheet = Sheet(NAMES[:1], texts)
    sheet.put("second_moment", 0.25, None, (0.2, 0.5))
    assert sheet.result()[0]["second_moment"].lower == lower
