"""Which side is better where, as text: a grid's changes in points with their marks."""

from __future__ import annotations

from evalsuite.core.verdict import Verdict
from evalsuite.core.where import Grid, Place, grids
from evalsuite.gate.words import DASH, change

_MOST_GRIDS = 4


def shown_grids(verdict: Verdict) -> list[Grid]:
    """Choose the grids that a terminal and a pull request have room for."""
    return grids(verdict, _MOST_GRIDS)


def cell_text(place: Place | None) -> str:
    """Write a change and what is shown of it."""
    return DASH if place is None else f"{change(place.delta)} {place.mark}"
