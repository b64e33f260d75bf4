"""The spread section: how evenly vectors fill the sphere, drawn against the uniform sphere, task by task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evalsuite.core.spread import STATISTICS, Curve, Side, SpreadEntry, SpreadValue
from evalsuite.reporting.page.axes import Axis, dimensions, linear, logarithmic
from evalsuite.reporting.page.chart import DASHES, IDEAL, SHAPES, TONES, Chart, Key, Look, Series
from evalsuite.reporting.tables import TextTable
from evalsuite.reporting.text import MISSING, clean, plural

CAPTION = (
    "How evenly the vectors fill the sphere, at each dimension. M2·d is the mean squared cosine of different "
    "texts times the dimension: 1 on a uniform sphere, more where vectors crowd together. The effective "
    "dimension 1/M2 is that of the uniform sphere that would crowd as much. Dashed grey: the uniform sphere."
)

_SIDES: dict[Side, str] = {
    "document": "documents",
    "query": "queries",
    "query-document": "queries against documents",
}
_NEAR_ONE = 6.0
"""Where values span more than this factor, their axis is logarithmic."""


@dataclass(frozen=True)
class SpreadTask:
    """The spread of one task.

    Attributes:
        task: Name of the task.
        charts: Its charts.
        table: Every statistic, a row a side, dimension and checkpoint.
        missing: Statistics that could not be computed, and why.
    """

    task: str
    charts: tuple[Chart, ...]
    table: TextTable
    missing: tuple[str, ...]


@dataclass(frozen=True)
class SpreadSection:
    """The whole section.

    Attributes:
        legend: What the lines stand for.
        tasks: One entry a task.
        symbols: What the columns of the tables mean: symbol and sentence.
    """

    legend: tuple[Key, ...]
    tasks: tuple[SpreadTask, ...]
    symbols: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Plot:
    """One statistic over dimensions.

    Attributes:
        statistic: Its name.
        title: Heading of its chart.
        ideal: Value of the uniform sphere where it is the same at every dimension.
        always: Whether it is drawn however many tasks there are.
    """

    statistic: str
    title: str
    ideal: float | None = None
    always: bool = False


_PLOTS = (
    _Plot("second_moment_x_dim", "Second moment", 1.0, always=True),
    _Plot("effective_dimension", "Effective dimension"),
    _Plot("mean_cosine", "Mean cosine", 0.0),
    _Plot("bit_imbalance", "Balance of the sign bits", always=True),
    _Plot("effective_bits", "Independent sign bits"),
    _Plot("hub_skew", "Hubs", always=True),
)
_FEW_TASKS = 3
"""Of more tasks only what says most is drawn and tabulated; every number is in the record."""
_MAIN = (
    "mean_cosine", "second_moment_x_dim", "effective_dimension", "gor_second_moment", "beta_distance",
    "isoscore", "rankme", "bit_entropy", "bit_imbalance", "effective_bits", "hub_skew", "margin",
)  # fmt: skip
"""The statistics that say most."""


def spread_section(entries: Sequence[SpreadEntry]) -> SpreadSection | None:
    """Work out the section; None if no spread was measured."""
    if not entries:
        return None
    labels = tuple(dict.fromkeys(entry.checkpoint for entry in entries))
    sides = [side for side in _SIDES if any(entry.side == side for entry in entries)]
    tasks = dict.fromkeys(entry.task for entry in entries)
    legend = [
        Key(
            f"{clean(label)}, {_SIDES[side]}" if len(labels) > 1 else _SIDES[side],
            _look(number, side, labels),
        )
        for number, label in enumerate(labels)
        for side in sides
    ]
    few = len(tasks) <= _FEW_TASKS
    measured = {name for entry in entries for name in entry.values}
    return SpreadSection(
        legend=(*legend, Key("uniform sphere", IDEAL)),
        tasks=tuple(_task(t, [e for e in entries if e.task == t], labels, few=few) for t in tasks),
        symbols=tuple(
            (known.symbol, known.meaning) for name, known in STATISTICS.items() if name in measured
        ),
    )


def _task(task: str, entries: Sequence[SpreadEntry], labels: Sequence[str], *, few: bool) -> SpreadTask:
    """Work out one task."""
    missing = dict.fromkeys(
        f"{STATISTICS[name].symbol} of {_SIDES[entry.side]} at {entry.dim} dimensions: {clean(why)}"
        for entry in entries
        for name, why in entry.missing.items()
        if name in STATISTICS
    )
    return SpreadTask(
        clean(task), tuple(_charts(entries, labels, few=few)), _table(task, entries, few=few), tuple(missing)
    )


def _charts(entries: Sequence[SpreadEntry], labels: Sequence[str], *, few: bool) -> Iterator[Chart]:
    """Draw every chart that has something to show; of many tasks only those that say most."""
    for plot in (plot for plot in _PLOTS if few or plot.always):
        chart = _over_dimensions(plot, entries, labels)
        if chart is not None:
            yield chart
    having = _of_one_side([entry for entry in entries if entry.cosines is not None])
    dims = sorted({entry.dim for entry in having})
    for dim in dict.fromkeys([*dims[-1:], *(dims[:1] if few else [])]):
        here = [entry for entry in having if entry.dim == dim]
        yield _curves("Cosines", here, labels, lambda entry: entry.cosines, _cosine_axes)
    having = _of_one_side([entry for entry in entries if entry.spectrum is not None])
    for dim in sorted({entry.dim for entry in having})[-1:]:
        here = [entry for entry in having if entry.dim == dim]
        yield _curves("Spectrum", here, labels, lambda entry: entry.spectrum, _spectrum_axes)


def _of_one_side(entries: Sequence[SpreadEntry]) -> list[SpreadEntry]:
    """Choose the documents' entries; where there are none, the queries'."""
    return [e for e in entries if e.side == "document"] or [e for e in entries if e.side == "query"]


def _over_dimensions(plot: _Plot, entries: Sequence[SpreadEntry], labels: Sequence[str]) -> Chart | None:
    """Draw one statistic over dimensions: a line a checkpoint and side; None if nobody has it."""
    having = [entry for entry in entries if plot.statistic in entry.values]
    if not having:
        return None
    statistic = STATISTICS[plot.statistic]
    lines: list[Series] = [Series(IDEAL, _ideal(plot, having))]
    words = []
    for number, label in enumerate(labels):
        for side, who in _SIDES.items():
            some = sorted((e for e in having if (e.checkpoint, e.side) == (label, side)), key=_dim)
            if some:
                values = [entry.values[plot.statistic] for entry in some]
                lines.append(_line(f"{clean(label)}, {who}", _look(number, side, labels), some, values))
                words.append(
                    f"{clean(label)}, {who}: {_figure(values[-1].value)} at {some[-1].dim} "
                    f"dimensions, {_figure(values[0].value)} at {some[0].dim}"
                )
    everything = [y for line in lines for _, y in line.points]
    positive = min(everything) > 0 and max(everything) > _NEAR_ONE * min(everything)
    y = logarithmic(statistic.symbol, everything) if positive else linear(statistic.symbol, everything)
    better = "" if statistic.better == "neither" else f"{statistic.better} is better"
    told = f"{plot.title}, {statistic.symbol}, over dimensions. {'; '.join(words)}."
    return Chart(plot.title, better, dimensions(map(_dim, having)), y, lines, told)


def _ideal(plot: _Plot, entries: Sequence[SpreadEntry]) -> list[tuple[float, float]]:
    """Find what a uniform sphere shows at each dimension, of documents where there are any."""
    found: dict[int, float] = {}
    for entry in sorted(entries, key=lambda entry: list(_SIDES).index(entry.side), reverse=True):
        own = entry.values[plot.statistic].ideal
        ideal = own if own is not None else plot.ideal
        if ideal is not None:
            found[entry.dim] = ideal
    return [(float(dim), ideal) for dim, ideal in sorted(found.items())]


def _line(who: str, look: Look, entries: Sequence[SpreadEntry], values: Sequence[SpreadValue]) -> Series:
    """Draw one statistic of one side, with intervals where they are known."""
    return Series(
        look=look,
        points=[(float(e.dim), value.value) for e, value in zip(entries, values, strict=True)],
        who=who,
        tips=[_tip(entry, value) for entry, value in zip(entries, values, strict=True)],
        bands=[None if v.lower is None or v.upper is None else (v.lower, v.upper) for v in values],
    )


def _tip(entry: SpreadEntry, value: SpreadValue) -> str:
    """Say what a mark shows."""
    has = value.lower is not None and value.upper is not None
    interval = f" [{_figure(value.lower or 0)}, {_figure(value.upper or 0)}]" if has else ""
    ideal = "" if value.ideal is None else f", sphere {_figure(value.ideal)}"
    return f"{entry.dim}: {_figure(value.value)}{interval}{ideal}; n = {entry.n:,}"


def _curves(
    title: str, entries: Sequence[SpreadEntry], labels: Sequence[str],
    read: Callable[[SpreadEntry], Curve | None], axes: Callable[[Sequence[Curve]], tuple[Axis, Axis]],
) -> Chart:  # fmt: skip
    """Draw a curve a checkpoint, and the uniform sphere's; all entries are of one side and dimension."""
    note = f"{_SIDES[entries[0].side]}, {entries[0].dim} dimensions"
    found = [(labels.index(entry.checkpoint), curve) for entry in entries if (curve := read(entry))]
    x, y = axes([curve for _, curve in found])
    lines = [
        Series(
            Look(tone=TONES[n % len(TONES)], dash=DASHES[n % len(DASHES)], shape="", fill=title == "Cosines"),
            list(zip(curve.x, curve.y, strict=True)),
        )
        for n, curve in found
    ]
    widest = max((curve for _, curve in found), key=lambda curve: len(curve.x))
    lines.append(Series(IDEAL, list(zip(widest.x, widest.ideal, strict=True))))
    who = ", ".join(clean(labels[number]) for number, _ in found)
    return Chart(title, note, x, y, lines, f"{title}, {note}: {who}, against the uniform sphere.")


def _cosine_axes(curves: Sequence[Curve]) -> tuple[Axis, Axis]:
    """Make the axes of a histogram."""
    heights = [value for curve in curves for value in (*curve.y, *curve.ideal)]
    top = min(max(heights), 3 * max(value for curve in curves for value in curve.y))
    return linear("Cosine", [x for curve in curves for x in curve.x]), linear("Density", [top], include=[0.0])


def _spectrum_axes(curves: Sequence[Curve]) -> tuple[Axis, Axis]:
    """Make the axes of a spectrum."""
    ranks = [x for curve in curves for x in curve.x]
    shares = [value for curve in curves for value in (*curve.y, *curve.ideal)]
    return logarithmic("Component", ranks), logarithmic("Share of the variance", shares)


def _table(task: str, entries: Sequence[SpreadEntry], *, few: bool) -> TextTable:
    """Tabulate every statistic; of many tasks the main ones."""
    wanted = STATISTICS if few else _MAIN
    names = [name for name in wanted if any(name in entry.values for entry in entries)]
    several = len({entry.checkpoint for entry in entries}) > 1
    rows = tuple(
        (
            f"{_SIDES[entry.side]}, {entry.dim}",
            *([clean(entry.checkpoint)] if several else []),
            f"{entry.n:,}",
            *(_figure(entry.values[name].value) if name in entry.values else MISSING for name in names),
        )
        for entry in entries
    )
    heads = ("Side, dimensions", *(["Checkpoint"] if several else []), "n")
    return TextTable(
        title=f"{clean(task)}: {plural(len(names), 'statistic')}",
        caption="" if few else "The main statistics; all are in `record.json`.",
        heads=(*heads, *(STATISTICS[name].symbol for name in names)),
        rows=rows,
    )


def _look(number: int, side: Side, labels: Sequence[str]) -> Look:
    """Choose a colour by checkpoint, of a single one by side; lines and marks by side."""
    place = list(_SIDES).index(side)
    tone = TONES[(number if len(labels) > 1 else place) % len(TONES)]
    return Look(tone=tone, dash=DASHES[place], shape=SHAPES[place])


def _dim(entry: SpreadEntry) -> int:
    return entry.dim


def _figure(value: float) -> str:
    """Write a statistic with three digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
