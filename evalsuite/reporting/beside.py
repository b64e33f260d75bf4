"""Which published rows fit beside a panel, and how they are drawn.

Scores on different tasks cannot be compared, so a published score is drawn as it is only beside the very task
it was measured on. Beside other tasks of its kind only its retention is drawn: percent of the full width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from evalsuite.reporting.canvas import drawable
from evalsuite.reporting.panel import Panel
from evalsuite.reporting.published import FULL, MEAN_TYPE, PublishedSeries, PublishedSet
from evalsuite.reporting.style import SURFACE, line_style, published_dash
from evalsuite.reporting.text import shorten

_LABEL = 60
"""Characters of a published line's name."""


@dataclass(frozen=True)
class PublishedLine:
    """A published row beside one panel.

    Attributes:
        label: Its name in a figure.
        precision: Precision of the embeddings, which gives the colour.
        points: Dimension to what is drawn: points, or percent of the full width.
    """

    label: str
    precision: str
    points: Mapping[int, float]


def score_lines(panel: Panel, published: Sequence[PublishedSet]) -> tuple[PublishedLine, ...]:
    """Find the published scores of a panel's own task, in points."""
    return tuple(
        PublishedLine(_label(table, series), series.precision, series.points)
        for table in published
        for series in table.series
        if _same_task(panel, series) and FULL not in series.points
    )


def retention_lines(panel: Panel, published: Sequence[PublishedSet]) -> tuple[PublishedLine, ...]:
    """Find published retentions, in percent, of a panel's own task, or else of its kind of task.

    A row at a single dimension is no line; it is in the table.
    """
    rows = list(_drawn_rows(published))
    own = [(table, series) for table, series in rows if _same_task(panel, series)]
    alike = [
        (table, series) for table, series in rows if not series.task and series.task_type == panel.task_type
    ]
    return tuple(
        PublishedLine(
            _label(table, series),
            series.precision,
            {dim: 100 * kept for dim, kept in table.retention(series).items()},
        )
        for table, series in own or alike
        if panel.task_type
    )


def draw_published(ax: Axes, lines: Sequence[PublishedLine]) -> list[tuple[float, float, str]]:
    """Draw published lines dashed; return the largest dimension's point and the name of each, for labels."""
    ends = []
    for number, line in enumerate(lines):
        look, dims = line_style(line.precision), sorted(line.points)
        values = [line.points[dim] for dim in dims]
        ax.plot(
            dims, values, color=look.tone.light, linestyle=published_dash(number), linewidth=1.2, alpha=0.85,
            marker=look.marker, markersize=4.6, markerfacecolor=SURFACE.light,
            markeredgecolor=look.tone.light, markeredgewidth=0.9, label=line.label, zorder=1.8,
        )  # fmt: skip
        ends.append((float(dims[-1]), values[-1], line.label))
    return ends


def _drawn_rows(published: Sequence[PublishedSet]) -> Iterator[tuple[PublishedSet, PublishedSeries]]:
    """List the rows that are lines over dimensions."""
    for table in published:
        for series in table.series:
            line = len(series.points) > 1 and FULL not in series.points
            if line and not series.weights and series.measure != MEAN_TYPE and table.retention(series):
                yield table, series


def _same_task(panel: Panel, series: PublishedSeries) -> bool:
    """Tell whether a row is about a panel's task, its subsets included."""
    if panel.kind != "mteb" or series.weights or not series.task or series.task != panel.task:
        return False
    return panel.subsets == (series.subset,) if series.subset else len(panel.subsets) <= 1


def _label(table: PublishedSet, series: PublishedSeries) -> str:
    """Name a row by what tells it from the other rows of its table that could be drawn with it."""
    several_models = len({other.model for other in table.series}) > 1
    several_benchmarks = len({other.benchmark for other in table.series}) > 1
    parts = [
        table.name,
        series.model.rpartition("/")[2] if several_models else "",
        series.benchmark if several_benchmarks else "",
        series.level if series.level != "float32" else "",
    ]
    return shorten(drawable(f"published: {', '.join(part for part in parts if part)}"), _LABEL)
