"""The paper that figures are drawn on: panels laid out in inches, titles, axes and text that always draws."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from evalsuite.reporting.panel import Panel
from evalsuite.reporting.style import GRID, INK, MUTED, SURFACE
from evalsuite.reporting.text import clean, metric_title, shorten

MAX_COLUMNS = 3
NOTHING_SCORED = "No cell was scored"
TITLE_WIDTH = 38
"""Characters of a panel's title that fit above it."""

_HEAD = 0.46
"""Height of the figure's title, in inches."""
_EDGE = 0.08
"""Blank margin of the figure, in inches."""
_LEAST_AXES = 0.9
"""Axes are never narrower than this, in inches."""
_HEADING = 0.52
"""Height of a panel's heading, in inches."""
_TOP_MARGIN = 0.13
"""What a page shows above the axes, in inches."""


@dataclass(frozen=True)
class Sheet:
    """Sizes of one kind of figure, in inches.

    Attributes:
        title: What the whole figure shows.
        width: Width of the axes.
        height: Height of the axes.
        left: Room for tick labels and the axis title.
        right: Room for direct labels.
        bottom: Room for tick labels and the axis title.
        legend: Room for the legend above all panels.
        columns: Panels side by side; 0 for as many as look well on a screen.
    """

    title: str
    width: float = 2.75
    height: float = 2.2
    left: float = 0.62
    right: float = 0.12
    bottom: float = 0.5
    legend: float = 0.0
    columns: int = 0

    @property
    def head(self) -> float:
        """Room for the figure's title, if it has one."""
        return _HEAD if self.title else _EDGE

    @property
    def panel_width(self) -> float:
        """Width of a panel with its margins."""
        return self.left + self.width + self.right

    @property
    def panel_height(self) -> float:
        """Height of a panel with its margins and heading."""
        return _HEADING + self.height + self.bottom


@dataclass(frozen=True)
class Fit:
    """A place in print that a figure must fill exactly: it has no title, the caption there says it.

    Attributes:
        width: Width of the whole figure, in inches.
        columns: Panels side by side.
    """

    width: float
    columns: int

    def __call__(self, sheet: Sheet) -> Sheet:
        """Return a sheet as wide; labels keep their size, the axes take what is left."""
        room = (self.width - _EDGE) / self.columns - sheet.left - sheet.right
        return replace(sheet, title="", columns=self.columns, width=max(room, _LEAST_AXES))


def as_it_is(sheet: Sheet) -> Sheet:
    """Leave a sheet's sizes as the figure chose them."""
    return sheet


def lay_out(panels: Sequence[Panel], sheet: Sheet) -> tuple[Figure, list[Axes]]:
    """Make a figure with one pair of axes a panel; every checkpoint begins a new row.

    The axes carry the ids `panel-0`, `panel-1`, ... and their headings `heading-0`, ...: a page finds the
    panels in the drawing by them, and replaces the headings by its own.
    """
    slots = list(_slots(panels, sheet.columns))
    columns = sheet.columns or 1 + max((column for _, column in slots), default=0)
    rows = 1 + max((row for row, _ in slots), default=0)
    width = columns * sheet.panel_width + _EDGE
    height = sheet.head + sheet.legend + rows * sheet.panel_height + _EDGE
    figure = Figure(figsize=(width, height), facecolor=SURFACE.light)
    axes = []
    for number, (panel, (row, column)) in enumerate(zip(panels, slots, strict=True)):
        left = column * sheet.panel_width + sheet.left
        bottom = height - sheet.head - sheet.legend - (row + 1) * sheet.panel_height + sheet.bottom
        ax = figure.add_axes((left / width, bottom / height, sheet.width / width, sheet.height / height))
        ax.set_gid(f"panel-{number}")
        _dress(ax)
        _write_heading(ax, panel, number)
        axes.append(ax)
    figure.text(
        0.14 / width, 1 - 0.13 / height, sheet.title,
        fontsize=13, fontweight="bold", color=INK.light, va="top",
    )  # fmt: skip
    return figure, axes


def legend_place(figure: Figure, sheet: Sheet) -> tuple[float, float]:
    """Return the upper left corner of the legend, in figure fractions."""
    width, height = figure.get_size_inches()
    return float((sheet.left - 0.05) / width), float(1 - sheet.head / height)


def view_box(ax: Axes, sheet: Sheet) -> str:
    """Return the SVG `viewBox` that shows one panel without its heading, in typographic points."""
    width, height = axes_size(ax)
    box, page = ax.get_position(), width / ax.get_position().width
    page_height = height / box.height
    left, top = box.x0 * page - 72 * sheet.left, page_height * (1 - box.y1) - 72 * _TOP_MARGIN
    tall = height + 72 * (_TOP_MARGIN + sheet.bottom)
    return f"{left:.2f} {top:.2f} {72 * sheet.panel_width:.2f} {tall:.2f}"


@dataclass(frozen=True)
class Frame:
    """Where the axes of a panel lie in the drawing, and what they span: a page finds marks by it.

    Attributes:
        left: Left edge of the axes, in typographic points, as in the panel's `viewBox`.
        top: Upper edge.
        width: Width of the axes.
        height: Their height.
        x: Horizontal limits; the axis is logarithmic, and may be reversed.
        y: Vertical limits.
    """

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]


def frame(ax: Axes) -> Frame:
    """Return where axes lie in the drawing of their figure."""
    width, height = axes_size(ax)
    box = ax.get_position()
    left, top = box.x0 * width / box.width, (1 - box.y1) * height / box.height
    return Frame(left, top, width, height, ax.get_xlim(), ax.get_ylim())


def quality_axis(ax: Axes, metric: str, limits: tuple[float, float]) -> None:
    """Set up a vertical axis of points."""
    ax.set_ylim(*limits)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    ax.set_ylabel(f"{metric_title(metric)} (points)", color=MUTED.light, fontsize=8.5)


def log2_axis(ax: Axes, ticks: Sequence[float], labels: Sequence[str], title: str) -> None:
    """Set up a horizontal log2 axis with ticks at the given values, leaving out labels that would touch."""
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(title, color=MUTED.light, fontsize=8.5)
    low, high = (math.log2(limit) for limit in ax.get_xlim())
    inches = axes_size(ax)[0] / 72 / max(high - low, 1e-9)
    shown, last = [""] * len(ticks), math.inf
    for index in reversed(range(len(ticks))):
        place = math.log2(ticks[index]) * inches
        if last - place >= 0.075 * len(labels[index]) + 0.05:
            shown[index], last = labels[index], place
    ax.xaxis.set_major_formatter(FixedFormatter(shown))


def axes_size(ax: Axes) -> tuple[float, float]:
    """Return width and height of the axes in typographic points."""
    figure = ax.get_figure(root=True)
    if figure is None:
        message = "axes without a figure have no size"
        raise ValueError(message)
    box, (width, height) = ax.get_position(), figure.get_size_inches()
    return 72 * box.width * float(width), 72 * box.height * float(height)


def note(ax: Axes, text: str) -> None:
    """Write a sentence into the middle of axes that have nothing to show."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=MUTED.light, fontsize=9)


@functools.cache
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Measure a text of the figures' typeface, in typographic points."""
    face = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, face, ismath=False)
    return float(width)


def drawable(text: str) -> str:
    """Replace the characters that the figures' typeface cannot draw by a small box."""
    return "".join(char if ord(char) in _glyphs() else "\N{WHITE SQUARE}" for char in clean(text))


@functools.cache
def _glyphs() -> frozenset[int]:
    """List the code points of the figures' typeface."""
    return frozenset(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap())


def _slots(panels: Sequence[Panel], wanted: int) -> Iterator[tuple[int, int]]:
    """Give every panel a row and a column, of as many columns as wanted, or as look well."""
    per_checkpoint: dict[str, int] = {}
    for panel in panels:
        per_checkpoint[panel.checkpoint] = per_checkpoint.get(panel.checkpoint, 0) + 1
    most = max(per_checkpoint.values(), default=1)
    columns = wanted or (2 if most == 4 else min(most, MAX_COLUMNS))
    row, column, current = 0, 0, panels[0].checkpoint if panels else ""
    for panel in panels:
        if column == columns or (panel.checkpoint != current and column):
            row, column = row + 1, 0
        yield row, column
        column, current = column + 1, panel.checkpoint


def _dress(ax: Axes) -> None:
    """Take away everything that carries no number."""
    ax.set_facecolor("none")
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(MUTED.light)
    ax.spines["bottom"].set_linewidth(0.8)
    ax.grid(axis="y", color=GRID.light, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(axis="both", colors=MUTED.light, labelsize=8.5, length=0, pad=4)
    ax.tick_params(axis="x", length=3, width=0.8)


def _write_heading(ax: Axes, panel: Panel, number: int) -> None:
    """Write the task, and below it the checkpoint, above the axes."""
    task, checkpoint = (shorten(drawable(name), TITLE_WIDTH) for name in (panel.task, panel.checkpoint))
    _, height = axes_size(ax)
    ax.text(
        0, 1 + 22 / height, task, transform=ax.transAxes,
        fontsize=10.5, fontweight="bold", color=INK.light, gid=f"heading-{number}",
    )  # fmt: skip
    ax.text(
        0, 1 + 9 / height, checkpoint, transform=ax.transAxes,
        fontsize=8.5, color=MUTED.light, gid=f"subheading-{number}",
    )  # fmt: skip
