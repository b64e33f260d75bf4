"""Retention as a map: a row a series, a column a dimension, percent of full-width float32."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evalsuite.reporting.canvas import Sheet, as_it_is, axes_size, lay_out, text_width
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell
from evalsuite.reporting.series import group_of_series, grouped
from evalsuite.reporting.style import GRID, INK, MUTED, SURFACE, drawing
from evalsuite.reporting.view import ReportView

_HEAT = ("#f4f1e4", "#cfe3d6", "#8fc3c9", "#4b94b8", "#22649b", "#0e3a6b")
"""From little to full retention: one hue family whose lightness falls steadily, safe for every eye."""

_MIDDLE = 0.179
"""On a darker colour than of this luminance white reads better than black; both reach 4.5:1 there."""

_ROW, _LOWEST_ROW, _PAGE = 0.42, 0.17, 9.4
"""Height of a row, the least it can shrink to, and what all rows may take together, in inches."""

_GAP = 0.95
"""Room of a group's title, in rows."""

_NAME_SIZE = 8.5
"""Size of the rows' names where rows are high enough, in typographic points."""


def retention_map(view: ReportView, fit: Callable[[Sheet], Sheet] = as_it_is) -> Figure:
    """Draw retention as a map: a row a precision, a column a dimension, percent of full-width float32.

    Rows of a kind stand together: levels, asymmetric scores, rescored ones, other tools' scores, controls.
    Failed cells are hatched, cells that the run did not ask for are left empty.
    """
    least = least_shade(view.panels)
    with drawing():
        figure, axes = lay_out(view.panels, _no_higher_than_wide(fit(map_sheet(view)), view))
        for ax, panel in zip(axes, view.panels, strict=True):
            _draw(ax, panel, least)
    return figure


def least_shade(panels: Sequence[Panel]) -> float:
    """Return the retention that gets the lightest shade, the same for all maps of a report."""
    kept = [cell.retention for panel in panels for cell in panel.scored if cell.retention is not None]
    return max(min(0.9, math.floor(10 * min(kept, default=0.9)) / 10), 0.0)


def shade(retention: float, least: float) -> tuple[str, str]:
    """Return the colours of a tile and of the number on it.

    The power spends more of the scale near full retention, where variants are chosen.
    """
    face = _heat(min(max((retention - least) / (1 - least), 0.0), 1.0) ** 1.7)
    return face, "#ffffff" if _luminance(face) < _MIDDLE else "#000000"


def map_sheet(view: ReportView) -> Sheet:
    """Return the sizes of `retention_map`: rows shrink until all fit a page, the longest name fits."""
    rows = max((_places(panel.precisions)[1] for panel in view.panels), default=1)
    row = min(_ROW, max(_LOWEST_ROW, _PAGE / max(rows, 1)))
    longest = max((text_width(name, _NAME_SIZE) for name in view.precisions), default=0) / 72
    return Sheet(
        "Retention, % of full-width float32",
        height=max(row * rows, 0.8), left=max(0.85, longest + 0.16), width=2.9, right=0.15,
    )  # fmt: skip


def _no_higher_than_wide(sheet: Sheet, view: ReportView) -> Sheet:
    """Lower the rows of a narrow map."""
    most = max((len(panel.dims) for panel in view.panels), default=1)
    rows = max((_places(panel.precisions)[1] for panel in view.panels), default=1)
    return replace(sheet, height=min(sheet.height, max(rows * max(sheet.width / most, _LOWEST_ROW), 0.8)))


def _places(names: Sequence[str]) -> tuple[dict[str, float], float]:
    """Give every series the upper edge of its row, groups apart; and the height of all, in rows."""
    tops, top, before = {}, 0.0, None
    several = len({group_of_series(name) for name in names}) > 1
    for name in grouped(names):
        group = group_of_series(name)
        if several and group != before:
            top += _GAP
        tops[name], before = top, group
        top += 1
    return tops, top


def _draw(ax: Axes, panel: Panel, least: float) -> None:
    """Draw one panel."""
    dims = sorted(panel.dims)
    tops, height = _places(panel.precisions)
    ax.set_xlim(0, len(dims))
    ax.set_ylim(height, 0)
    row = axes_size(ax)[1] / height
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([column + 0.5 for column in range(len(dims))], [str(dim) for dim in dims])
    ax.set_yticks(
        [top + 0.5 for top in tops.values()], list(tops), fontsize=min(_NAME_SIZE, max(0.64 * row, 7.0))
    )
    tile = axes_size(ax)[0] / len(dims)
    longest = max(text_width(str(dim), 1.0) for dim in dims)
    ax.tick_params(axis="x", length=0, labelsize=min(_NAME_SIZE, 0.85 * tile / longest))
    ax.set_xlabel("Dimensions kept", color=MUTED.light, fontsize=8.5)
    ax.set_ylabel("")
    _draw_titles(ax, tops, len(dims))
    size = min(9.0, max(0.64 * row, 7.0), 0.88 * tile / text_width("100.0", 1.0))
    for (name, top), (column, dim) in itertools.product(tops.items(), enumerate(dims)):
        _draw_tile(ax, (column, top), panel.at(dim, name), least, size)


def _draw_titles(ax: Axes, tops: dict[str, float], width: int) -> None:
    """Write each group's title above its first row, on a thin line, if there are several groups."""
    before, room = None, 0.98 * axes_size(ax)[0]
    for name, top in tops.items():
        group = group_of_series(name)
        if group != before and min(tops.values()) > 0:
            ax.plot([0, width], [top - 0.06] * 2, color=MUTED.light, linewidth=0.5, alpha=0.6)
            ax.text(
                0.01, top - 0.2, group.title, ha="left", va="baseline", color=INK.light, fontweight="bold",
                fontsize=min(7.5, room / text_width(group.title, 1.0, bold=True)),
            )  # fmt: skip
        before = group


def _draw_tile(
    ax: Axes, place: tuple[float, float], cell: ScoredCell | FailedCell | None, least: float, size: float
) -> None:
    """Draw one cell of the map: coloured, hatched if it failed, blank if it was not asked for."""
    if cell is None:
        return
    retention = cell.retention if isinstance(cell, ScoredCell) else None
    text, colour = ("failed", MUTED.light) if isinstance(cell, FailedCell) else ("n/a", MUTED.light)
    face, hatch = "none", "////" if isinstance(cell, FailedCell) else None
    if retention is not None:
        (face, colour), text = shade(retention, least), f"{100 * retention:.1f}"
    tile = Rectangle(
        (place[0] + 0.02, place[1] + 0.03), 0.96, 0.94, facecolor=face, hatch=hatch,
        edgecolor=GRID.light if retention is None else "none", linewidth=0.8 if retention is None else 0,
    )  # fmt: skip
    # Not `add_patch`: it would work the limits of the axes out again for every tile.
    ax.add_artist(tile)
    backing = {"facecolor": SURFACE.light, "edgecolor": "none", "pad": 1.2} if hatch else None
    ax.text(
        place[0] + 0.5, place[1] + 0.5, text,
        ha="center", va="center", fontsize=size, color=colour, bbox=backing,
    )  # fmt: skip


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _heat(share: float) -> str:
    """Return the colour of a share between 0 and 1."""
    place = share * (len(_HEAT) - 1)
    index = min(int(place), len(_HEAT) - 2)
    low, high = to_rgb(_HEAT[index]), to_rgb(_HEAT[index + 1])
    red, green, blue = (a + (b - a) * (place - index) for a, b in zip(low, high, strict=True))
    return to_hex((red, green, blue))
