"""The three pictures of the trade-off: quality by dimension, quality by bytes, retention as a map.

Each function draws one panel a checkpoint and task; checkpoints share the vertical axis of a task.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from evalsuite.reporting.canvas import Sheet, lay_out, legend_place, log2_axis, note, quality_axis
from evalsuite.reporting.labels import place_beside, place_labels
from evalsuite.reporting.style import GRID, INK, MUTED, SURFACE, drawing, line_style
from evalsuite.reporting.text import byte_count
from evalsuite.reporting.view import CheckpointView, FailedCell, Panel, ReportView, ScoredCell

BY_DIMENSION = Sheet("Quality versus dimension", right=0.78)
BY_BYTES = Sheet("Quality versus bytes per vector", height=2.3, right=0.2)

NOTHING_SCORED = "No cell was scored"
_HEAT = ("#f4f1e4", "#cfe3d6", "#8fc3c9", "#4b94b8", "#22649b", "#0e3a6b")
"""From little to full retention: one hue family whose lightness falls steadily, safe for every eye."""


def quality_by_dimension(view: ReportView) -> Figure:
    """Draw quality over dimension: one line a precision, a band for its 95 % interval."""
    with drawing():
        figure, axes = lay_out(view.panels, BY_DIMENSION)
        for ax, panel in zip(axes, view.panels, strict=True):
            _draw_by_dimension(ax, panel, _limits(view, panel.task))
    return figure


def quality_by_bytes(view: ReportView) -> Figure:
    """Draw quality over bytes per vector: one marker a cell, and the Pareto front as a labelled line.

    The recommended variant wears a ring.
    """
    marks = _legend_marks(view)
    columns = 3 * min(len(view.tasks), 3)
    sheet = replace(BY_BYTES, legend=0.1 + 0.19 * math.ceil(len(marks) / columns))
    chosen = {checkpoint.label: checkpoint for checkpoint in view.checkpoints}
    with drawing():
        figure, axes = lay_out(view.panels, sheet)
        for ax, panel in zip(axes, view.panels, strict=True):
            _draw_by_bytes(ax, panel, chosen[panel.checkpoint], _limits(view, panel.task))
        figure.legend(
            handles=marks, loc="upper left", bbox_to_anchor=legend_place(figure, sheet),
            ncol=columns, frameon=False, fontsize=8.5, labelcolor=INK.light, handlelength=1.6,
            handletextpad=0.5, columnspacing=1.2, borderpad=0.1, labelspacing=0.35, borderaxespad=0,
        )  # fmt: skip
    return figure


def retention_map(view: ReportView) -> Figure:
    """Draw retention as a map: a row a precision, a column a dimension, percent of full-width float32.

    Failed cells are hatched, cells that the run did not ask for are left empty.
    """
    kept = [cell.retention for panel in view.panels for cell in panel.scored if cell.retention is not None]
    least = max(min(0.9, math.floor(10 * min(kept, default=0.9)) / 10), 0.0)
    with drawing():
        figure, axes = lay_out(view.panels, map_sheet(view))
        for ax, panel in zip(axes, view.panels, strict=True):
            _draw_map(ax, panel, least)
    return figure


def map_sheet(view: ReportView) -> Sheet:
    """Return the sizes of `retention_map`: every row is equally high."""
    rows = max((len(panel.precisions) for panel in view.panels), default=1)
    title = "Retention, % of full-width float32"
    return Sheet(title, height=max(0.42 * rows, 0.8), left=0.85, width=2.9, right=0.15)


def _limits(view: ReportView, task: str) -> tuple[float, float]:
    """Find the vertical axis in points that all checkpoints share on one task."""
    cells = [cell for panel in view.panels if panel.task == task for cell in panel.scored]
    if not cells:
        return 0.0, 100.0
    low = 100 * min(min(cell.lower, cell.value) for cell in cells)
    high = 100 * max(max(cell.upper, cell.value) for cell in cells)
    margin = 0.08 * max(high - low, 1.0)
    return low - margin, high + margin


def _draw_by_dimension(ax: Axes, panel: Panel, limits: tuple[float, float]) -> None:
    """Draw one panel of `quality_by_dimension`."""
    dims = sorted(panel.dims)
    ax.set_xlim(dims[0] / 2**0.18, dims[-1] * 2**0.12)
    quality_axis(ax, panel.metric, limits)
    log2_axis(ax, dims, [str(dim) for dim in dims], "Dimensions kept")
    if not panel.scored:
        note(ax, NOTHING_SCORED)
        return
    ends: list[tuple[float, float, str]] = []
    failures: Counter[int] = Counter()
    for rank, precision in enumerate(panel.precisions):
        look, cells = line_style(precision), [panel.at(dim, precision) for dim in dims]
        values = [100 * c.value if isinstance(c, ScoredCell) else math.nan for c in cells]
        lower = [100 * c.lower if isinstance(c, ScoredCell) else math.nan for c in cells]
        upper = [100 * c.upper if isinstance(c, ScoredCell) else math.nan for c in cells]
        ax.fill_between(dims, lower, upper, color=look.tone.light, alpha=0.09, linewidth=0)
        # Later lines are thinner: where precisions agree, the earlier ones still show around them.
        ax.plot(
            dims, values, color=look.tone.light, linestyle=look.dash, marker=look.marker,
            linewidth=max(4.2 - 1.3 * rank, 1.6), markersize=max(8.0 - 0.8 * rank, 5.6),
            markeredgecolor=SURFACE.light, markeredgewidth=0.6, label=precision,
        )  # fmt: skip
        scored = [(dim, value) for dim, value in zip(dims, values, strict=True) if not math.isnan(value)]
        if scored:
            ends.append((*scored[-1], precision))
        failed = [dim for dim, cell in zip(dims, cells, strict=True) if isinstance(cell, FailedCell)]
        _mark_failed(ax, failed, failures, look.tone.light)
    place_beside(ax, ends, limits)


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


def _draw_by_bytes(ax: Axes, panel: Panel, checkpoint: CheckpointView, limits: tuple[float, float]) -> None:
    """Draw one panel of `quality_by_bytes`."""
    sizes = [s.bytes_per_vector for s in checkpoint.variants if s.bytes_per_vector is not None] or [1.0, 2.0]
    low, high = math.log2(min(sizes)) - 0.6, math.log2(max(sizes)) + 0.6
    ax.set_xlim(2**low, 2**high)
    quality_axis(ax, panel.metric, limits)
    powers = range(math.ceil(low), math.floor(high) + 1)
    ticks = [2.0**power for power in powers if power % (1 + len(powers) // 7) == 0]
    log2_axis(ax, ticks, [byte_count(tick) for tick in ticks], "Bytes per vector")
    if not panel.scored:
        note(ax, NOTHING_SCORED)
        return
    front = panel.front
    ax.plot(
        [cell.bytes_per_vector for cell in front], [100 * cell.value for cell in front],
        color=INK.light, linewidth=1.2, drawstyle="steps-post", alpha=0.55, zorder=1.5,
    )  # fmt: skip
    for precision in panel.precisions:
        look = line_style(precision)
        cells = [cell for cell in panel.scored if cell.variant.series == precision]
        for optimal, alpha, size in ((False, 0.5, 5.0), (True, 1.0, 7.5)):
            some = [cell for cell in cells if cell.pareto == optimal]
            ax.plot(
                [cell.bytes_per_vector for cell in some], [100 * cell.value for cell in some],
                linestyle="none", marker=look.marker, color=look.tone.light, markersize=size, alpha=alpha,
                markeredgecolor=SURFACE.light, markeredgewidth=0.6, zorder=3 if optimal else 2,
            )  # fmt: skip
    chosen = checkpoint.recommendation.chosen
    ringed = panel.cells.get(chosen.variant) if chosen is not None else None
    if isinstance(ringed, ScoredCell):
        ax.plot(
            [ringed.bytes_per_vector], [100 * ringed.value], linestyle="none", marker="o", markersize=12.5,
            markerfacecolor="none", markeredgecolor=INK.light, markeredgewidth=1.3, zorder=4,
        )  # fmt: skip
    place_labels(ax, panel, ringed if isinstance(ringed, ScoredCell) else None)


def _legend_marks(view: ReportView) -> list[Line2D]:
    """List what the marks of `quality_by_bytes` mean."""
    marks = []
    for precision in view.precisions:
        look = line_style(precision)
        marks.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker=look.marker,
                color=look.tone.light,
                markersize=7,
                label=precision,
            )
        )
    marks.append(
        Line2D(
            [], [], color=INK.light, linewidth=1.2, drawstyle="steps-post", alpha=0.55, label="Pareto front"
        )
    )
    if any(checkpoint.recommendation.chosen for checkpoint in view.checkpoints):
        marks.append(
            Line2D([], [], linestyle="none", marker="o", markersize=9, markerfacecolor="none",
                   markeredgecolor=INK.light, markeredgewidth=1.3, label="Recommended")
        )  # fmt: skip
    return marks


def _draw_map(ax: Axes, panel: Panel, least: float) -> None:
    """Draw one panel of `retention_map`."""
    dims, precisions = sorted(panel.dims), panel.precisions
    ax.set_xlim(0, len(dims))
    ax.set_ylim(len(precisions), 0)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([column + 0.5 for column in range(len(dims))], [str(dim) for dim in dims])
    ax.set_yticks([row + 0.5 for row in range(len(precisions))], precisions)
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel("Dimensions kept", color=MUTED.light, fontsize=8.5)
    ax.set_ylabel("")
    for (row, precision), (column, dim) in itertools.product(enumerate(precisions), enumerate(dims)):
        _draw_tile(ax, (column, row), panel.at(dim, precision), least)


def _draw_tile(ax: Axes, place: tuple[int, int], cell: ScoredCell | FailedCell | None, least: float) -> None:
    """Draw one cell of the map: coloured, hatched if it failed, blank if it was not asked for."""
    if cell is None:
        return
    retention = cell.retention if isinstance(cell, ScoredCell) else None
    text, colour = ("failed", MUTED.light) if isinstance(cell, FailedCell) else ("n/a", MUTED.light)
    face, hatch = "none", "////" if isinstance(cell, FailedCell) else None
    if retention is not None:
        # The power spends more of the scale near full retention, where variants are chosen.
        share = min(max((retention - least) / (1 - least), 0.0), 1.0) ** 1.7
        face, text = _heat(share), f"{100 * retention:.1f}"
        colour = "#fdfdfd" if share > 0.6 else "#14181d"
    tile = Rectangle(
        (place[0] + 0.02, place[1] + 0.03), 0.96, 0.94, facecolor=face, hatch=hatch,
        edgecolor=GRID.light if retention is None else "none", linewidth=0.8 if retention is None else 0,
    )  # fmt: skip
    ax.add_patch(tile)
    backing = {"facecolor": SURFACE.light, "edgecolor": "none", "pad": 1.2} if hatch else None
    ax.text(
        place[0] + 0.5, place[1] + 0.5, text, ha="center", va="center", fontsize=9, color=colour, bbox=backing
    )


def _heat(share: float) -> str:
    """Return the colour of a share between 0 and 1."""
    place = share * (len(_HEAT) - 1)
    index = min(int(place), len(_HEAT) - 2)
    low, high = to_rgb(_HEAT[index]), to_rgb(_HEAT[index + 1])
    red, green, blue = (a + (b - a) * (place - index) for a, b in zip(low, high, strict=True))
    return to_hex((red, green, blue))
