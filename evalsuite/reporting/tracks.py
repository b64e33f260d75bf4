"""What a figure over checkpoints shows: their order, and what each variant and each dimension did."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from evalsuite.core.spread import SpreadEntry
from evalsuite.core.variant import Variant
from evalsuite.reporting.canvas import drawable
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell
from evalsuite.reporting.series import FEW
from evalsuite.reporting.style import (
    AMBER,
    BLUE,
    CRIMSON,
    GREEN,
    INDIGO,
    PURPLE,
    SLATE,
    VERMILION,
    LineStyle,
    line_style,
)
from evalsuite.reporting.text import plural, shorten
from evalsuite.reporting.view import ReportView

LEAST = 3
"""Two checkpoints make a comparison, three a line."""

STATISTIC, SIDE = "second_moment_x_dim", "document"
"""What stands for spread: it is 1 on a sphere at every dimension, so dimensions share an axis."""

_STEP = re.compile(
    r"(?P<before>.*?)(?P<word>checkpoint|ckpt|step|epoch|iter(?:ation)?)[-_=]?(?P<number>\d+)", re.IGNORECASE
)
"""A label that ends in a number of steps, such as `checkpoint-500`; a version such as `v2` is none."""

_TICK_WIDTH = 20
"""Characters of a checkpoint's label below the axis."""

_DIM_LOOKS = (
    (SLATE, "o"), (BLUE, "s"), (GREEN, "^"), (AMBER, "D"), (VERMILION, "X"), (PURPLE, "P"), (INDIGO, "v"),
    (CRIMSON, "d"),
)  # fmt: skip

_NAN = (math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Route:
    """The checkpoints in the order of the axis.

    Attributes:
        labels: Labels of the checkpoints.
        ticks: What stands below the axis for each.
        title: Title of the axis.
        steps: Whether the ticks are numbers of steps.
    """

    labels: tuple[str, ...]
    ticks: tuple[str, ...]
    title: str
    steps: bool


@dataclass(frozen=True)
class Line:
    """One line of a panel.

    Attributes:
        name: What is written beside it.
        look: Colour, marker and dash.
        points: Value, lower and upper end at every checkpoint; NaN where there is none.
        failed: Whether the cell of a checkpoint failed.
    """

    name: str
    look: LineStyle
    points: tuple[tuple[float, float, float], ...]
    failed: tuple[bool, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the line has any point."""
        return any(not math.isnan(value) for value, _, _ in self.points)


@dataclass(frozen=True)
class Track:
    """One panel.

    Attributes:
        heading: Carries the two lines above the axes, and the metric.
        lines: Lines in full, each with its name.
        grey: Lines that only show where the rest lies.
    """

    heading: Panel
    lines: tuple[Line, ...]
    grey: tuple[Line, ...] = ()

    @property
    def limits(self) -> tuple[float, float]:
        """Limits of the vertical axis."""
        ends = [end for line in self.lines for point in line.points for end in point]
        ends += [point[0] for line in self.grey for point in line.points]
        known = [end for end in ends if not math.isnan(end)]
        margin = 0.08 * max(max(known) - min(known), 1e-3)
        return min(known) - margin, max(known) + margin


def route_of(view: ReportView) -> Route:
    """Put the checkpoints in order: by step if every label ends in one, else by the time of their run."""
    created = {
        entry.label: run.record.provenance.created for run in view.runs for entry in run.record.checkpoints
    }
    labels = sorted((checkpoint.label for checkpoint in view.checkpoints), key=lambda name: created[name])
    found = [_STEP.fullmatch(label) for label in labels]
    steps = {label: int(match["number"]) for label, match in zip(labels, found, strict=True) if match}
    stems = {(match["before"], match["word"]) for match in found if match}
    if len(set(steps.values())) == len(labels) and len(stems) == 1:
        ordered = tuple(sorted(labels, key=lambda name: steps[name]))
        title = "Epoch" if stems.pop()[1].lower() == "epoch" else "Training step"
        return Route(ordered, tuple(f"{steps[name]}" for name in ordered), title, steps=True)
    ticks = tuple(shorten(drawable(label), _TICK_WIDTH) for label in labels)
    return Route(tuple(labels), ticks, "Checkpoints, in the order of their runs", steps=False)


def key_variants(view: ReportView) -> tuple[Variant, ...]:
    """Choose the variants that matter most, among those that can be shipped.

    The full-width float32 variants come first, then the recommended ones, then those on most Pareto fronts.
    All are chosen if there is room for all.

    Returns:
        At most `series.FEW` variants, by falling dimension.
    """
    everything = dict.fromkeys(
        variant for panel in view.panels for variant in panel.cells if not variant.for_comparison
    )
    wins = Counter(cell.variant for panel in view.panels for cell in panel.front)
    chosen = [checkpoint.recommendation.chosen for checkpoint in view.checkpoints]
    ranked = [
        *(checkpoint.full for checkpoint in view.checkpoints),
        *(summary.variant for summary in chosen if summary is not None),
        *sorted(everything, key=lambda variant: -wins[variant]),
    ]
    kept = [variant for variant in dict.fromkeys(ranked) if variant in everything][:FEW]
    return tuple(sorted((v for v in everything if v in kept), key=lambda variant: -variant.dim))


def tracks_of(view: ReportView) -> tuple[Track, ...]:
    """Work out the panels: one a task that enough checkpoints were judged on, and one of spread."""
    if len(view.checkpoints) < LEAST:
        return ()
    order, key = route_of(view).labels, key_variants(view)
    panels = {(panel.task, panel.checkpoint): panel for panel in view.panels}
    tracks = []
    for task in dict.fromkeys(panel.task for panel in view.panels):
        row = [panels.get((task, label)) for label in order]
        if sum(panel is not None and bool(panel.scored) for panel in row) >= LEAST:
            tracks.append(_quality(row, key))
    drawn = tuple(track for track in tracks if any(line.is_known for line in track.lines))
    return (*drawn, *_spread_track(view, order)) if drawn else ()


def _quality(row: Sequence[Panel | None], key: Sequence[Variant]) -> Track:
    """Follow the variants of one task from checkpoint to checkpoint."""
    first = next(panel for panel in row if panel is not None)
    every = dict.fromkeys(variant for panel in row if panel is not None for variant in panel.cells)
    grey = [variant for variant in every if variant not in key and not variant.for_comparison]
    # The line below a panel's title names a checkpoint elsewhere; here every panel shows all of them.
    return Track(
        replace(first, checkpoint="Quality"),
        tuple(_variant_line(variant, row) for variant in key if variant in every),
        tuple(_variant_line(variant, row) for variant in grey),
    )


def _variant_line(variant: Variant, row: Sequence[Panel | None]) -> Line:
    """Follow one variant, in points."""
    cells = [None if panel is None else panel.cells.get(variant) for panel in row]
    points = tuple(
        _point(100 * cell.value, _percent(cell.lower), _percent(cell.upper))
        if isinstance(cell, ScoredCell)
        else _NAN
        for cell in cells
    )
    failed = tuple(isinstance(cell, FailedCell) for cell in cells)
    return Line(str(variant), line_style(variant.series), points, failed)


def _spread_track(view: ReportView, order: Sequence[str]) -> tuple[Track, ...]:
    """Follow the spread of the documents at every dimension; no panel if too few checkpoints have it."""
    # A record written before spread was measured has no such field.
    entries: list[SpreadEntry] = [
        entry
        for run in view.runs
        for entry in getattr(run.record, "spread", ())
        if entry.side == SIDE and STATISTIC in entry.values
    ]
    measured = Counter(task for task, _ in {(entry.task, entry.checkpoint) for entry in entries})
    tasks = [task for task, count in measured.items() if count >= LEAST]
    found = {(entry.checkpoint, entry.dim, entry.task): entry for entry in entries}
    dims = sorted({entry.dim for entry in entries if entry.task in tasks}, reverse=True)[: len(_DIM_LOOKS)]
    lines = tuple(
        Line(
            str(dim),
            LineStyle(*look, "-"),
            tuple(_mean_spread([found.get((label, dim, task)) for task in tasks]) for label in order),
        )
        for dim, look in zip(dims, _DIM_LOOKS, strict=False)
    )
    lines = tuple(line for line in lines if line.is_known)
    title = tasks[0] if len(tasks) == 1 else f"Mean over {plural(len(tasks), 'task')}"
    heading = Panel("Spread of the documents' vectors", title, STATISTIC, (), (), {})
    return (Track(heading, lines),) if lines else ()


def _mean_spread(entries: Sequence[SpreadEntry | None]) -> tuple[float, float, float]:
    """Average the statistic over tasks; of a single task its interval is known too."""
    values = [entry.values[STATISTIC] for entry in entries if entry is not None]
    if len(values) < len(entries):
        return _NAN
    if len(values) == 1:
        return _point(values[0].value, values[0].lower, values[0].upper)
    return _point(statistics.fmean(value.value for value in values), None, None)


def _point(value: float, lower: float | None, upper: float | None) -> tuple[float, float, float]:
    """Put a value and its interval together, NaN where no interval is known."""
    return value, math.nan if lower is None else lower, math.nan if upper is None else upper


def _percent(fraction: float | None) -> float | None:
    """Turn a fraction into points."""
    return None if fraction is None else 100 * fraction
