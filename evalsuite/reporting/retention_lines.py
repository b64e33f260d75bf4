"""Retention over dimension, measured and published: the share of one's own full width on one axis.

Dimensions fall from left to right: all lines begin at full width and fan out towards their names.
"""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evalsuite.reporting.beside import draw_published, retention_lines
from evalsuite.reporting.canvas import (
    NOTHING_SCORED,
    Sheet,
    as_it_is,
    lay_out,
    log2_axis,
    note,
    text_width,
)
from evalsuite.reporting.labels import LABEL_SIZE, place_beside
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.series import key_series
from evalsuite.reporting.style import GRID, MUTED, drawing, line_style
from evalsuite.reporting.view import ReportView

_SHOWN = 4
"""So many measured precisions stand beside the published lines."""

CAPTION = (
    "Percent of the full-width float32 score of the same model on the same tasks. Solid: measured. Dashed: "
    "published, on the same task or on other tasks of the same kind, so only what is kept can be compared, "
    "not the scores. Sources and conditions are in the table of published scores."
)


def retention_by_dimension(view: ReportView, fit: Callable[[Sheet], Sheet] = as_it_is) -> Figure:
    """Draw retention over dimension: measured precisions as solid lines, published rows dashed."""
    with drawing():
        figure, axes = lay_out(view.panels, fit(retention_sheet(view)))
        for ax, panel in zip(axes, view.panels, strict=True):
            _draw(ax, panel, view)
    return figure


def retention_sheet(view: ReportView) -> Sheet:
    """Return the sizes of `retention_by_dimension`: the longest label fits beside the axes."""
    lines = [retention_lines(panel, view.published) for panel in view.panels]
    names = [*(line.label for some in lines for line in some), *key_series(view, _SHOWN)]
    longest = max((text_width(name, LABEL_SIZE, bold=True) for name in names), default=0) / 72
    count = _SHOWN + max(map(len, lines), default=0)
    return Sheet("Retention versus dimension", height=max(2.4, 0.62 + 0.2 * count), right=longest + 0.26)


def _draw(ax: Axes, panel: Panel, view: ReportView) -> None:
    """Draw one panel."""
    published = retention_lines(panel, view.published)
    measured = {name: _kept(panel, name) for name in key_series(view, _SHOWN) if name in panel.precisions}
    known = [value for kept in measured.values() for value in kept.values()]
    known += [value for line in published for value in line.points.values()]
    dims = sorted({*panel.dims, *(dim for line in published for dim in line.points)})
    limits = (min(known, default=0.0) - 4, max(known, default=100.0) + 4)
    ax.set_xlim(dims[0] / 2**0.18, dims[-1] * 2**0.12)
    ax.set_ylim(*limits)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    ax.set_ylabel("Retention (% of full width)", color=MUTED.light, fontsize=8.5)
    log2_axis(ax, dims, [str(dim) for dim in dims], "Dimensions kept")
    ax.invert_xaxis()
    ax.axhline(100, color=GRID.light, linewidth=1.4, zorder=1.1)
    if not known:
        note(ax, NOTHING_SCORED)
        return
    draw_published(ax, published)
    ends = [(min(line.points), line.points[min(line.points)], line.label) for line in published]
    for name, kept in measured.items():
        look, places = line_style(name), sorted(kept)
        if places:
            ax.plot(
                places, [kept[dim] for dim in places], color=look.tone.light, linestyle="-",
                marker=look.marker, linewidth=1.8, markersize=5.6, label=name,
            )  # fmt: skip
            ends.append((places[0], kept[places[0]], name))
    place_beside(ax, ends, limits)


def _kept(panel: Panel, name: str) -> dict[int, float]:
    """Return the retentions of one series in percent, by dimension."""
    cells = [panel.at(dim, name) for dim in panel.dims]
    return {
        cell.variant.dim: 100 * cell.retention
        for cell in cells
        if isinstance(cell, ScoredCell) and cell.retention is not None
    }
