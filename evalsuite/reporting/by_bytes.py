"""Quality over bytes per vector: one mark a cell, and the Pareto front as a labelled line."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from evalsuite.reporting.canvas import (
    NOTHING_SCORED,
    Sheet,
    as_it_is,
    lay_out,
    legend_place,
    log2_axis,
    note,
    quality_axis,
    text_width,
)
from evalsuite.reporting.labels import place_labels
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.series import FEW, Group, group_of, shipped
from evalsuite.reporting.style import FAMILIES, INK, MUTED, SURFACE, Tone, drawing, family, line_style
from evalsuite.reporting.text import byte_count
from evalsuite.reporting.view import CheckpointView, ReportView

_LEGEND_SIZE = 8.5

_COMPARED = {Group.PROTOCOL: "s", Group.CONTROL: "o"}
_SCORED_OTHERWISE = {Group.ASYMMETRIC: "<", Group.RESCORED: "*"}
"""Lines tell a scoring by their dashes; marks alone need shapes of their own."""


@dataclass(frozen=True)
class Mark:
    """What a mark looks like, and what it stands for.

    Attributes:
        title: Name in the legend.
        marker: Matplotlib marker.
        tone: Its colour.
        hollow: Whether only its outline is drawn: a thing to compare with, not to ship.
    """

    title: str
    marker: str
    tone: Tone
    hollow: bool = False


def quality_by_bytes(view: ReportView, fit: Callable[[Sheet], Sheet] = as_it_is) -> Figure:
    """Draw quality over bytes per vector: one marker a cell, and the Pareto front as a labelled line.

    The recommended variant wears a ring. Of more than `series.FEW` precisions the colours tell the family.
    Each checkpoint and task has its panel; checkpoints share the vertical axis of a task.
    """
    handles = [*map(_handle, marks_of(view)), *_other_handles(view)]
    sheet = fit(bytes_sheet(view))
    columns = _legend_columns(view, sheet, [str(handle.get_label()) for handle in handles])
    sheet = replace(sheet, legend=0.1 + 0.19 * math.ceil(len(handles) / columns))
    chosen = {checkpoint.label: checkpoint for checkpoint in view.checkpoints}
    with drawing():
        figure, axes = lay_out(view.panels, sheet)
        for ax, panel in zip(axes, view.panels, strict=True):
            _draw(ax, panel, chosen[panel.checkpoint], view)
        figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=legend_place(figure, sheet),
            ncol=columns, frameon=False, fontsize=_LEGEND_SIZE, labelcolor=INK.light, handlelength=1.6,
            handletextpad=0.5, columnspacing=1.2, borderpad=0.1, labelspacing=0.35, borderaxespad=0,
        )  # fmt: skip
    return figure


def bytes_sheet(view: ReportView) -> Sheet:
    """Return the sizes of `quality_by_bytes`: the long names of many precisions need more room."""
    width, height = (3.5, 2.9) if _many(view) else (2.75, 2.4)
    return Sheet("Quality versus bytes per vector", width=width, height=height, right=0.2)


def bytes_caption(view: ReportView) -> str:
    """Say how to read `quality_by_bytes`."""
    names = " Colours tell the family of precisions." if _many(view) else ""
    hollow = any(mark.hollow for mark in marks_of(view))
    compared = " Hollow marks are there to compare with, never to ship." if hollow else ""
    return (
        "One mark per variant, over what a document vector takes in storage (logarithmic). The marks on "
        f"the Pareto front are strong: no other variant is as small and as good.{names}{compared}"
    )


def marks_of(view: ReportView) -> tuple[Mark, ...]:
    """List the marks of `quality_by_bytes`: one a precision, or one a family if there are many."""
    variants = {cell for panel in view.panels for cell in panel.cells}
    found = {_mark(variant.series, group_of(variant), many=_many(view)) for variant in variants}
    order = [kind.title for kind in FAMILIES] if _many(view) else list(view.precisions)
    order += [group.title for group in _COMPARED]
    return tuple(sorted(found, key=lambda mark: order.index(mark.title)))


def _many(view: ReportView) -> bool:
    """Whether there are more precisions than colours can tell apart."""
    return len(shipped(view.precisions)) > FEW


def _mark(series: str, group: Group, *, many: bool) -> Mark:
    """Choose the mark of a series."""
    if group in _COMPARED:
        return Mark(group.title, _COMPARED[group], MUTED, hollow=True)
    if many:
        kind = family(series)
        return Mark(kind.title, kind.marker, kind.tone)
    look = line_style(series)
    return Mark(series, _SCORED_OTHERWISE.get(group, look.marker), look.tone)


def _draw(ax: Axes, panel: Panel, checkpoint: CheckpointView, view: ReportView) -> None:
    """Draw one panel."""
    sizes = [s.bytes_per_vector for s in checkpoint.variants if s.bytes_per_vector is not None] or [1.0, 2.0]
    low, high = math.log2(min(sizes)) - 0.6, math.log2(max(sizes)) + 0.6
    ax.set_xlim(2**low, 2**high)
    quality_axis(ax, panel.metric, _limits(view, panel.task))
    powers = range(math.ceil(low), math.floor(high) + 1)
    ticks = [2.0**power for power in powers if power % (1 + len(powers) // 7) == 0]
    log2_axis(ax, ticks, [byte_count(tick) for tick in ticks], "Bytes per vector")
    if not panel.scored:
        note(ax, NOTHING_SCORED)
        return
    _draw_front(ax, panel)
    _draw_marks(ax, panel, many=_many(view))
    chosen = checkpoint.recommendation.chosen
    ringed = panel.cells.get(chosen.variant) if chosen is not None else None
    if isinstance(ringed, ScoredCell):
        ax.plot(
            [ringed.bytes_per_vector], [100 * ringed.value], linestyle="none", marker="o", markersize=12.5,
            markerfacecolor="none", markeredgecolor=INK.light, markeredgewidth=1.3, zorder=4,
        )  # fmt: skip
    place_labels(ax, panel, ringed if isinstance(ringed, ScoredCell) else None)


def _draw_front(ax: Axes, panel: Panel) -> None:
    """Draw the line along the Pareto front."""
    ax.plot(
        [cell.bytes_per_vector for cell in panel.front], [100 * cell.value for cell in panel.front],
        color=INK.light, linewidth=1.2, drawstyle="steps-post", alpha=0.55, zorder=1.5,
    )  # fmt: skip


def _draw_marks(ax: Axes, panel: Panel, *, many: bool) -> None:
    """Draw every cell: those on the front strong, those for comparison hollow and behind the others."""
    alike: dict[tuple[Mark, bool], list[ScoredCell]] = {}
    for cell in panel.scored:
        mark = _mark(cell.variant.series, group_of(cell.variant), many=many)
        alike.setdefault((mark, cell.pareto), []).append(cell)
    for (mark, optimal), cells in alike.items():
        size, alpha = (3.4, 0.45) if mark.hollow else (7.5, 1.0) if optimal else (5.0, 0.5)
        ax.plot(
            [cell.bytes_per_vector for cell in cells], [100 * cell.value for cell in cells],
            linestyle="none", marker=mark.marker, color=mark.tone.light, markersize=size, alpha=alpha,
            markerfacecolor="none" if mark.hollow else mark.tone.light,
            markeredgecolor=mark.tone.light if mark.hollow else SURFACE.light, markeredgewidth=0.6,
            zorder=1.4 if mark.hollow else 3 if optimal else 2,
        )  # fmt: skip


def _limits(view: ReportView, task: str) -> tuple[float, float]:
    """Find the vertical axis in points that all checkpoints share on one task."""
    values = [100 * cell.value for panel in view.panels if panel.task == task for cell in panel.scored]
    if not values:
        return 0.0, 100.0
    margin = 0.1 * max(max(values) - min(values), 1.0)
    return min(values) - margin, max(values) + margin


def _legend_columns(view: ReportView, sheet: Sheet, titles: Sequence[str]) -> int:
    """Count the columns of the legend that fit over the panels."""
    beside = sheet.columns or min(max(len(checkpoint.panels) for checkpoint in view.checkpoints), 3)
    room = 72 * beside * sheet.panel_width
    column = max(text_width(title, _LEGEND_SIZE) for title in titles) + 3.4 * _LEGEND_SIZE
    return max(1, min(len(titles), int((room - 72 * sheet.left) / column)))


def _handle(mark: Mark) -> Line2D:
    """Make the legend's entry of a mark."""
    return Line2D(
        [], [], linestyle="none", marker=mark.marker, color=mark.tone.light, label=mark.title,
        markersize=5 if mark.hollow else 7, markerfacecolor="none" if mark.hollow else mark.tone.light,
    )  # fmt: skip


def _other_handles(view: ReportView) -> list[Line2D]:
    """Make the legend's entries of the front and the ring."""
    handles = [
        Line2D(
            [], [], color=INK.light, linewidth=1.2, drawstyle="steps-post", alpha=0.55, label="Pareto front"
        )
    ]
    if any(checkpoint.recommendation.chosen for checkpoint in view.checkpoints):
        handles.append(
            Line2D([], [], linestyle="none", marker="o", markersize=9, markerfacecolor="none",
                   markeredgecolor=INK.light, markeredgewidth=1.3, label="Recommended")
        )  # fmt: skip
    return handles
