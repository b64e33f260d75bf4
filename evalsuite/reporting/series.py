"""Series, sorted by what they are, and the few of many that matter most.

A series is what the variants of one line share: precision, scoring, and the projection if it is a control.
"""

from __future__ import annotations

import enum
import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from evalsuite.core.variant import ASYMMETRIC, PCA, PREFIX, PROTOCOLS, RANDOM, RESCORED, Variant
from evalsuite.reporting.view import REFERENCE_PRECISION, ReportView

FEW = 7
"""So many series can be told apart in one picture; of more, only those that matter most are drawn in full."""

PLAIN_LEVELS = (REFERENCE_PRECISION, "float16", "int8", "int4", "binary")
"""The levels that everybody knows."""

_CONTROLS_DRAWN = (f"{PCA} {REFERENCE_PRECISION}", f"{RANDOM} {REFERENCE_PRECISION}")
_TOOLS = {
    "mteb": "as mteb scores it",
    "sbert": "as sentence-transformers scores it",
    "hakari": "as HAKARI-Bench scores it",
    "hakari_rescore": "as HAKARI-Bench scores it, rescored",
}
_CONTROLS = {PCA: "control: principal components", RANDOM: "control: dimensions at random"}


class _HasVariant(Protocol):
    """A cell or a summary."""

    @property
    def variant(self) -> Variant: ...


_Entry = TypeVar("_Entry", bound=_HasVariant)


class Group(enum.IntEnum):
    """What kind of series it is, in the order of a table."""

    LEVEL = 0
    ASYMMETRIC = 1
    RESCORED = 2
    PROTOCOL = 3
    CONTROL = 4

    @property
    def title(self) -> str:
        """A few words for people."""
        return _TITLES[self]


_TITLES = {
    Group.LEVEL: "Codes against codes",
    Group.ASYMMETRIC: "float32 query against codes",
    Group.RESCORED: "Rescored",
    Group.PROTOCOL: "As other tools score",
    Group.CONTROL: "Controls",
}


@dataclass(frozen=True)
class Lines:
    """Which series a picture of many shows, and how.

    Attributes:
        full: Those that matter most, in their own colour and with a name.
        controls: float32 in other dimensions than the first ones.
        grey: Those that can be shipped as well, for the overall picture.
        absent: How many controls and other tools' scorings are left to the tables.
    """

    full: tuple[str, ...]
    controls: tuple[str, ...]
    grey: tuple[str, ...]
    absent: int


def group_of(variant: Variant) -> Group:
    """Tell what kind of series a variant belongs to."""
    if variant.projection != PREFIX:
        return Group.CONTROL
    mode = variant.scoring.mode
    if mode in PROTOCOLS:
        return Group.PROTOCOL
    return {ASYMMETRIC: Group.ASYMMETRIC, RESCORED: Group.RESCORED}.get(mode, Group.LEVEL)


def group_of_series(series: str) -> Group:
    """Tell what kind of series a name such as `pca int8` or `binary+rescore4` is."""
    projection, _, level = series.rpartition(" ")
    return group_of(Variant.parse(f"{projection}1/{level}"))


def grouped(series: Iterable[str]) -> tuple[str, ...]:
    """Sort names by their group; within a group they keep their order."""
    return tuple(sorted(series, key=group_of_series))


def shipped(series: Iterable[str]) -> tuple[str, ...]:
    """Leave out controls and other tools' scoring."""
    return tuple(name for name in series if group_of_series(name) < Group.PROTOCOL)


def remark(variant: Variant) -> str:
    """Say of a control or of another tool's scoring what it is; empty for variants that can be shipped."""
    tool, control = _TOOLS.get(variant.scoring.mode, ""), _CONTROLS.get(variant.projection, "")
    return ", ".join(words for words in (control, tool) if words)


def by_dimension(entries: Iterable[_Entry]) -> dict[int, tuple[_Entry, ...]]:
    """Sort what has a variant by falling dimension, within it by group; equals keep their order."""
    ordered = sorted(entries, key=lambda entry: (-entry.variant.dim, group_of(entry.variant)))
    return {dim: tuple(some) for dim, some in itertools.groupby(ordered, key=lambda e: e.variant.dim)}


def key_series(view: ReportView, limit: int) -> tuple[str, ...]:
    """Choose the series that matter most among those that can be shipped.

    float32 and the recommended series come first, then those with most variants on Pareto fronts, then
    `PLAIN_LEVELS`. All are chosen if there is room for all.

    Args:
        view: The report.
        limit: How many to choose at most.

    Returns:
        Names in the order of the view.
    """
    names = shipped(view.precisions)
    if len(names) <= limit:
        return names
    chosen = [view_.recommendation.chosen for view_ in view.checkpoints]
    wins = Counter(cell.variant.series for panel in view.panels for cell in panel.front)
    ranked = [
        REFERENCE_PRECISION,
        *(summary.variant.series for summary in chosen if summary is not None),
        *sorted((name for name in names if wins[name]), key=lambda name: -wins[name]),
        *PLAIN_LEVELS,
    ]
    kept = [name for name in dict.fromkeys(ranked) if name in names][:limit] or names[:limit]
    return tuple(name for name in names if name in kept)


def lines_of(view: ReportView) -> Lines:
    """Sort the series of a view by how a picture of lines shows them."""
    full = key_series(view, FEW)
    controls = tuple(name for name in _CONTROLS_DRAWN if name in view.precisions)
    grey = tuple(name for name in shipped(view.precisions) if name not in full)
    absent = len(view.precisions) - len(full) - len(controls) - len(grey)
    return Lines(full, controls, grey, absent)
