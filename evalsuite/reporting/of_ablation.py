"""The figures of an ablation: what a loss changes at each dimension, and how that grows with its weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from evalsuite.core.ablation import ALL_TASKS, AblationReport, Dose, Effect, Measured
from evalsuite.reporting.canvas import drawable
from evalsuite.reporting.drawings import Drawing
from evalsuite.reporting.style import (
    BLUE,
    CRIMSON,
    GREEN,
    INDIGO,
    INK,
    MUTED,
    OLIVE,
    PURPLE,
    SURFACE,
    VERMILION,
    drawing,
)

FLOAT = "float32"
MOMENT = "document second_moment_x_dim"
FEWEST_WEIGHTS = 3
"""Two weights are a comparison; a curve needs more."""
MOST_TASKS = 6
"""So many rows of dose-response panels are drawn."""

_TONES = (BLUE, VERMILION, GREEN, PURPLE, INDIGO, OLIVE, CRIMSON)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_COLUMN, _GAP, _LEFT, _TITLE, _FOOT, _EDGE = 2.0, 0.42, 0.72, 0.7, 0.55, 0.15
"""Inches: width of axes, room between them, beside the first, above, below, and at the right."""


@dataclass(frozen=True)
class Column:
    """One kind of number, drawn in panels of its own.

    Attributes:
        title: Heading of its panels.
        wanted: Whether a number is of this kind.
    """

    title: str
    wanted: Callable[[Measured], bool]


def draw_ablation(report: AblationReport) -> tuple[Drawing, ...]:
    """Draw the effects of an ablation and, of three weights and more of the loss, dose against response.

    Returns:
        The drawings `effects` and `doses`, each where there is something to draw.
    """
    with drawing():
        return (*_effects(report), *_doses(report))


def _effects(report: AblationReport) -> Iterator[Drawing]:
    """Draw every comparison's differences, a panel a kind of number, a row a dimension."""
    effects = [each for comparison in report.comparisons for each in _overall(comparison.effects)]
    columns = [each for each in _columns(effects, "keeps, change in %") if any(map(each.wanted, effects))]
    if not columns:
        return
    dims = sorted({each.dim for each in effects}, reverse=True)
    names = [f"{each.treated} minus {each.control}" for each in report.comparisons]
    figure, grid = _sheet(1, len(columns), max(1.5, 0.16 * len(dims) * (len(names) + 1)))
    for place, (column, ax) in enumerate(zip(columns, grid[0], strict=True)):
        _heading(ax, column.title)
        ax.axvline(0, color=MUTED.light, linewidth=0.9, zorder=1)
        for number, comparison in enumerate(report.comparisons):
            some = [each for each in _overall(comparison.effects) if column.wanted(each)]
            _differences(ax, some, dims, (number, len(names)))
        ax.set_ylim(len(dims) - 0.5, -0.5)
        _ticks(ax.yaxis, dims if place == 0 else [""] * len(dims))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    grid[0][0].set_ylabel("dimensions", color=MUTED.light, fontsize=8.5)
    _legend(figure, names)
    title = f"Effects at every dimension: {'; '.join(names)}"
    caption = (
        "Differences, mean over tasks, with 95 % intervals over seeds and queries. Filled marks are "
        "significant after Holm's correction, hollow ones are not."
    )
    yield Drawing("effects", "effects", drawable(title), caption, figure, "", ())


def _doses(report: AblationReport) -> Iterator[Drawing]:
    """Draw numbers over the weight of the loss: a row of panels a task, a line a dimension."""
    weights = sorted({dose.weight for dose in report.doses})
    columns = [each for each in _columns(report.doses, "keeps, %") if any(map(each.wanted, report.doses))]
    if len(weights) < FEWEST_WEIGHTS or not columns:
        return
    tasks = list(dict.fromkeys(each.task for each in report.doses))[:MOST_TASKS]
    dims = sorted({each.dim for each in report.doses}, reverse=True)
    figure, grid = _sheet(len(tasks), len(columns), 1.6)
    for task, row in zip(tasks, grid, strict=True):
        row[0].set_ylabel(drawable(task), color=INK.light, fontsize=9, fontweight="bold")
        for column, ax in zip(columns, row, strict=True):
            _heading(ax, column.title if row is grid[0] else "")
            some = [dose for dose in report.doses if dose.task == task and column.wanted(dose)]
            if not some:
                ax.set_visible(False)
                continue
            _responses(ax, some, dims, weights)
            _ticks(ax.xaxis, [f"{weight:g}" for weight in weights])
            ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    for ax in grid[-1]:
        ax.set_xlabel("weight of the loss", color=MUTED.light, fontsize=8.5)
    _legend(figure, [f"{dim} dims" for dim in dims])
    title = "Dose and response: numbers over the weight of the loss"
    caption = (
        "Means over seeds; whiskers reach from the least seed to the largest. Weights are evenly spaced, "
        "not to scale."
    )
    yield Drawing("doses", "doses", title, caption, figure, "", ())


def _overall(effects: Sequence[Effect]) -> list[Effect]:
    """Keep means over tasks; where there is one task only, its own."""
    means = [each for each in effects if each.task == ALL_TASKS]
    return means or [each for each in effects if each.quantity != "ann"]


def _columns(numbers: Sequence[Measured], keeps: str) -> Iterator[Column]:
    """List the kinds of numbers that are drawn: spread, float32 quality, what each level keeps of it."""
    yield Column("M2·d of documents", lambda each: each.name == MOMENT)
    yield Column("float32, points", lambda each: (each.quantity, each.precision) == ("quality", FLOAT))
    kept = [each.precision for each in numbers if each.quantity == "retention" and each.precision != FLOAT]
    for level in dict.fromkeys(kept):
        yield Column(f"{level} {keeps}", lambda each, level=level: _kept(each, level))  # type: ignore[misc]


def _kept(number: Measured, level: str) -> bool:
    """Tell whether a number is what a level keeps."""
    return (number.quantity, number.precision) == ("retention", level)


def _differences(ax: Axes, effects: Sequence[Effect], dims: Sequence[int], turn: tuple[int, int]) -> None:
    """Draw one comparison's differences, one a dimension; `turn` is its number and how many there are."""
    number, count = turn
    tone, marker = _TONES[number % len(_TONES)].light, _MARKERS[number % len(_MARKERS)]
    for effect in effects:
        height = dims.index(effect.dim) + (number - (count - 1) / 2) * 0.7 / count
        if effect.lower is not None and effect.upper is not None:
            ax.plot([effect.lower, effect.upper], [height, height], color=tone, linewidth=1.4, zorder=2)
        filled = effect.verdict != "no effect shown"
        ax.plot(
            [effect.difference], [height], marker=marker, markersize=5, linestyle="", zorder=3,
            color=tone, markerfacecolor=tone if filled else SURFACE.light,
        )  # fmt: skip


def _responses(ax: Axes, doses: Sequence[Dose], dims: Sequence[int], weights: Sequence[float]) -> None:
    """Draw a line a dimension."""
    for dim in dims:
        line = sorted((dose for dose in doses if dose.dim == dim), key=lambda dose: dose.weight)
        number = dims.index(dim)
        means = [dose.mean for dose in line]
        below = [dose.mean - min(dose.values) for dose in line]
        above = [max(dose.values) - dose.mean for dose in line]
        ax.errorbar(
            [weights.index(dose.weight) for dose in line], means, yerr=[below, above],
            color=_TONES[number % len(_TONES)].light, marker=_MARKERS[number % len(_MARKERS)],
            markersize=4, linewidth=1.4, elinewidth=0.8,
        )  # fmt: skip


def _sheet(rows: int, columns: int, height: float) -> tuple[Figure, list[list[Axes]]]:
    """Make a figure of rows of axes, each so many inches high."""
    width = _LEFT + columns * (_COLUMN + _GAP) - _GAP + _EDGE
    tall = _TITLE + rows * (height + _GAP) - _GAP + _FOOT
    figure = Figure(figsize=(width, tall), facecolor=SURFACE.light)
    grid = [
        [
            figure.add_axes((
                (_LEFT + column * (_COLUMN + _GAP)) / width,
                1 - (_TITLE + row * (height + _GAP) + height) / tall,
                _COLUMN / width,
                height / tall,
            ))
            for column in range(columns)
        ]
        for row in range(rows)
    ]  # fmt: skip
    for ax in (each for row in grid for each in row):
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8, colors=MUTED.light)
        ax.grid(alpha=0.25, linewidth=0.6)
    return figure, grid


def _heading(ax: Axes, title: str) -> None:
    ax.set_title(drawable(title), fontsize=9, color=INK.light, loc="left")


def _ticks(axis: object, labels: Sequence[object]) -> None:
    """Put labels at 0, 1, 2, ... of an axis."""
    axis.set_major_locator(FixedLocator(list(range(len(labels)))))  # type: ignore[attr-defined]
    axis.set_major_formatter(FixedFormatter([str(label) for label in labels]))  # type: ignore[attr-defined]


def _legend(figure: Figure, names: Sequence[str]) -> None:
    """Name colours and markers above the panels."""
    keys = [
        Line2D([], [], color=_TONES[i % len(_TONES)].light, marker=_MARKERS[i % len(_MARKERS)], markersize=5)
        for i in range(len(names))
    ]
    figure.legend(
        keys, [drawable(name) for name in names], loc="upper left", ncols=min(len(names), 5), frameon=False,
        fontsize=8.5,
    )  # fmt: skip
