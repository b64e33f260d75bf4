"""The nouns of spread: one table of names, values that survive a file."""

import pytest
from pydantic import ValidationError

from evalsuite.core.spread import (
    CROSS_STATISTICS,
    SIDE_STATISTICS,
    STATISTICS,
    Curve,
    SideSpread,
    SpreadEntry,
    SpreadValue,
)


def test_every_statistic_belongs_to_a_side():
    """Both lists of names are of the table, and together they are the whole of it."""
    assert {*CROSS_STATISTICS, *SIDE_STATISTICS} == set(STATISTICS)


def test_every_statistic_says_what_it_means():
    """Each has a symbol, and a meaning of one sentence."""
    for statistic in STATISTICS.values():
        assert statistic.symbol
        assert statistic.meaning.endswith(".")


def test_an_entry_survives_json():
    """What is written is what is read."""
    spread = SideSpread(
        side="query", dim=4, n=10, ideal_rank=4,
        values={"second_moment": SpreadValue(value=0.3, ideal=0.25, lower=0.2, upper=0.4)},
        missing={"margin": "no positives"},
        cosines=Curve(x=(0.0, 0.5), y=(1.0, 2.0), ideal=(1.0, 1.0)),
    )  # fmt: skip
    entry = spread.of("model", "task")
    assert (entry.checkpoint, entry.task, entry.values) == ("model", "task", spread.values)
    assert SpreadEntry.model_validate_json(entry.model_dump_json()) == entry


def test_a_value_is_finite():
    """NaN is no value: what cannot be computed is missing with a reason."""
    with pytest.raises(ValidationError):
        SpreadValue(value=float("nan"))
