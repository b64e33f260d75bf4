"""Quality over dimension: the lines that matter in full, all others behind them in grey."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from evalsuite.reporting.beside import PublishedLine, draw_published, score_lines
from evalsuite.reporting.canvas import (
    NOTHING_SCORED,
    Sheet,
    as_it_is,
    lay_out,
    log2_axis,
    note,
    quality_axis,
    text_width,
)
from evalsuite.reporting.labels import LABEL_SIZE, place_beside
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell
from evalsuite.reporting.series import FEW, Lines, lines_of
from evalsuite.reporting.style import MUTED, SURFACE, drawing, line_style
from evalsuite.reporting.view import ReportView

_LEADER = 0.2
"""Room between the axes and the labels beside them, in inches."""


def quality_by_dimension(view: ReportView, fit: Callable[[Sheet], Sheet] = as_it_is) -> Figure:
    """Draw quality over dimension: one line a precision, a band for its 95 % interval.

    Of more than `series.FEW` precisions only those that matter most are drawn so; the others are thin grey
    lines. Each checkpoint and task has its panel; checkpoints share the vertical axis of a task.
    Published scores of the very same task are dashed.
    """
    lines = lines_of(view)
    with drawing():
        figure, axes = lay_out(view.panels, fit(dimension_sheet(view)))
        for ax, panel in zip(axes, view.panels, strict=True):
            published = score_lines(panel, view.published)
            _draw(ax, panel, lines, published, _limits(view, panel.task, lines, published))
    return figure


def dimension_sheet(view: ReportView) -> Sheet:
    """Return the sizes of `quality_by_dimension`: the longest label fits beside the axes."""
    lines = lines_of(view)
    own, published = (
        lines.full + lines.controls,
        [score_lines(panel, view.published) for panel in view.panels],
    )
    names = [*own, *(line.label for some in published for line in some)]
    longest = max((text_width(name, LABEL_SIZE, bold=True) for name in names), default=0) / 72
    height = max(2.2, 0.62 + 0.2 * (len(own) + max(map(len, published), default=0)))
    return Sheet("Quality versus dimension", height=height, right=max(0.78, _LEADER + longest + 0.06))


def dimension_caption(view: ReportView) -> str:
    """Say how to read `quality_by_dimension`, and what it does not show."""
    lines = lines_of(view)
    parts = [
        "One line per precision, over the number of leading dimensions kept (logarithmic). Bands are 95 % "
        "intervals. Where precisions agree, their lines lie on one another, the later ones thinner."
    ]
    if any(score_lines(panel, view.published) for panel in view.panels):
        parts.append("Dashed: published for the same task.")
    if lines.controls:
        parts.append("Muted and named: controls that keep other dimensions than the first ones.")
    if lines.grey:
        parts.append(f"{len(lines.grey)} more in grey; every number is in the tables.")
    if lines.absent:
        parts.append(f"Controls and other tools' scorings that are only in the tables: {lines.absent}.")
    return " ".join(parts)


def _limits(
    view: ReportView, task: str, lines: Lines, published: Sequence[PublishedLine]
) -> tuple[float, float]:
    """Find the vertical axis in points that all checkpoints share on one task."""
    named = {*lines.full, *lines.controls}
    cells = [cell for panel in view.panels if panel.task == task for cell in panel.scored]
    drawn = [cell for cell in cells if cell.variant.series in named]
    ends = [end for cell in drawn for end in (cell.lower, cell.value, cell.upper) if end is not None]
    ends += [cell.value for cell in cells if cell.variant.series in lines.grey]
    ends += [value / 100 for line in published for value in line.points.values()]
    if not ends:
        return 0.0, 100.0
    low, high = 100 * min(ends), 100 * max(ends)
    margin = 0.08 * max(high - low, 1.0)
    return low - margin, high + margin


def _draw(
    ax: Axes, panel: Panel, lines: Lines, published: Sequence[PublishedLine], limits: tuple[float, float]
) -> None:
    """Draw one panel."""
    dims = sorted(panel.dims)
    ticks = sorted({*dims, *(dim for line in published for dim in line.points)})
    ax.set_xlim(ticks[0] / 2**0.18, ticks[-1] * 2**0.12)
    quality_axis(ax, panel.metric, limits)
    log2_axis(ax, ticks, [str(dim) for dim in ticks], "Dimensions kept")
    if not panel.scored:
        note(ax, NOTHING_SCORED)
        return
    _draw_grey(ax, panel, dims, lines.grey)
    ends = draw_published(ax, published)
    failures: Counter[int] = Counter()
    for rank, name in enumerate((*lines.controls, *lines.full), start=-len(lines.controls)):
        _draw_line(ax, panel, name, rank=rank, strength=0.09 if len(lines.full) < FEW else 0.05)
        values = _values(panel, dims, name)
        scored = [(dim, value) for dim, value in zip(dims, values, strict=True) if not math.isnan(value)]
        if scored:
            ends.append((*scored[-1], name))
        failed = [dim for dim in dims if isinstance(panel.at(dim, name), FailedCell)]
        _mark_failed(ax, failed, failures, line_style(name).tone.light)
    place_beside(ax, ends, limits)


def _draw_line(ax: Axes, panel: Panel, name: str, *, rank: int, strength: float) -> None:
    """Draw one line in full, its band of a given opacity; controls, whose rank is negative, have no band."""
    look, dims, control = line_style(name), sorted(panel.dims), rank < 0
    if not control:
        ends = [_interval(panel.at(dim, name)) for dim in dims]
        lower, upper = [low for low, _ in ends], [high for _, high in ends]
        # A band over a single dimension has no width: its interval is a line.
        ax.fill_between(dims, lower, upper, color=look.tone.light, alpha=strength, linewidth=0)
        if len(dims) == 1:
            ax.vlines(dims, lower, upper, color=look.tone.light, alpha=0.6, linewidth=1.4)
    # Later lines are thinner: where precisions agree, the earlier ones still show around them.
    ax.plot(
        dims, _values(panel, dims, name), color=look.tone.light, linestyle=look.dash, marker=look.marker,
        linewidth=1.1 if control else max(4.2 - 1.3 * rank, 1.6),
        markersize=3.6 if control else max(8.0 - 0.8 * rank, 5.6),
        markeredgecolor=SURFACE.light, markeredgewidth=0.6, label=name,
    )  # fmt: skip


def _draw_grey(ax: Axes, panel: Panel, dims: Sequence[int], names: Sequence[str]) -> None:
    """Draw the lines that only show where the rest lies."""
    lines = [list(zip(dims, _values(panel, dims, name), strict=True)) for name in names]
    ax.add_collection(
        LineCollection(lines, colors=MUTED.light, linewidths=0.7, alpha=0.4, zorder=1.2), autolim=False
    )


def _values(panel: Panel, dims: Sequence[int], name: str) -> list[float]:
    """Return the values of one series in points, NaN where there is none."""
    cells = [panel.at(dim, name) for dim in dims]
    return [100 * cell.value if isinstance(cell, ScoredCell) else math.nan for cell in cells]


def _interval(cell: ScoredCell | FailedCell | None) -> tuple[float, float]:
    """Return both ends of an interval in points, NaN where there is none."""
    if not isinstance(cell, ScoredCell) or cell.lower is None or cell.upper is None:
        return math.nan, math.nan
    return 100 * cell.lower, 100 * cell.upper


def _mark_failed(ax: Axes, dims: Sequence[int], above: Counter[int], colour: str) -> None:
    """Write `failed` at the foot of the axes, above the dimensions at which a precision failed.

    `above` counts what is already written at each dimension, and is brought up to date.
    """
    for dim in dims:
        ax.annotate(
            "failed", (dim, 0), xycoords=("data", "axes fraction"), xytext=(0, 3 + 9 * above[dim]),
            textcoords="offset points", ha="center", fontsize=7, color=colour, fontstyle="italic",
        )  # fmt: skip
        above[dim] += 1
