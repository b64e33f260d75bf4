"""The panel that links spread to retention: do codes keep more where vectors are spread out?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evalsuite.reporting.page.axes import linear, logarithmic
from evalsuite.reporting.page.chart import DASHES, SHAPES, TONES, Chart, Key, Look, Series
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.series import shipped
from evalsuite.reporting.text import clean, plural
from evalsuite.reporting.view import REFERENCE_PRECISION, ReportView

CAPTION = (
    "Across: M2·d of the documents, 1 on a uniform sphere. Up: what codes keep of the float32 score at the "
    "same dimensions, so that only quantization counts. One mark a dimension, joined from large to small. "
    "If spreading vectors out helps codes, lines fall to the right. A line over dimensions of one checkpoint "
    "shows a connection, not a cause: compare checkpoints at equal dimensions."
)

_LEVELS = 3
"""So many precisions are drawn: the coarsest say most."""
_FEWEST = 4
"""Of fewer marks no correlation is told."""
_STATISTIC = "second_moment_x_dim"


@dataclass(frozen=True)
class GorPanel:
    """The charts, one a task, with their legend."""

    legend: tuple[Key, ...]
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class _Mark:
    """One dimension of one checkpoint at one precision."""

    dim: int
    spread: float
    kept: float


def gor_panel(view: ReportView) -> GorPanel | None:
    """Draw retention of codes over spread; None where a run has no codes or no spread."""
    found = {
        (entry.checkpoint, entry.task, entry.dim): entry.values[_STATISTIC].value
        for entry in view.spread
        if entry.side == "document" and _STATISTIC in entry.values
    }
    levels = _coarsest(view)
    labels = [checkpoint.label for checkpoint in view.checkpoints]
    charts = tuple(
        chart for task in view.tasks
        if (chart := _chart([p for p in view.panels if p.task == task.name], found, levels, labels))
    )  # fmt: skip
    if not charts:
        return None
    legend = tuple(
        Key(f"{clean(label)}, {level}" if len(labels) > 1 else level, _look(labels, number, place))
        for number, label in enumerate(labels)
        for place, level in enumerate(levels)
    )
    return GorPanel(legend, charts)


def _coarsest(view: ReportView) -> tuple[str, ...]:
    """Choose the plain levels of fewest bytes at equal dimensions."""
    sizes: dict[str, float] = {}
    for panel in view.panels:
        for cell in panel.scored:
            level = cell.variant.series
            if level in shipped([level]) and level == cell.variant.precision != REFERENCE_PRECISION:
                sizes[level] = min(sizes.get(level, 1e9), cell.bytes_per_vector / cell.variant.dim)
    return tuple(sorted(sizes, key=lambda level: sizes[level])[:_LEVELS])


def _chart(
    panels: Sequence[Panel], spread: dict[tuple[str, str, int], float],
    levels: Sequence[str], labels: Sequence[str],
) -> Chart | None:  # fmt: skip
    """Draw one task."""
    series: list[Series] = []
    points: list[tuple[float, float]] = []
    coarsest: list[tuple[float, float]] = []
    for panel in panels:
        for place, level in enumerate(levels):
            marks = list(_marks(panel, level, spread))
            if marks:
                look = _look(labels, labels.index(panel.checkpoint), place)
                own = [(mark.spread, mark.kept) for mark in marks]
                series.append(
                    Series(look, own, [_tip(level, mark) for mark in marks], clean(panel.checkpoint))
                )
                points += own
                coarsest += own if place == 0 else []
    if not points:
        return None
    spreads, kept = [a for a, _ in points], [b for _, b in points]
    x = logarithmic("M2·d of the documents", spreads)
    y = linear("Kept of float32 (%)", kept)
    told = _told(coarsest, levels[0])
    task = clean(panels[0].task)
    return Chart(task, told, x, y, series, f"What codes keep over spread, {task}: {told}.")


def _marks(panel: Panel, level: str, spread: dict[tuple[str, str, int], float]) -> Iterator[_Mark]:
    """List the dimensions at which a level, float32 and the spread are known, from large to small."""
    for dim in panel.dims:
        own = panel.at(dim, level)
        whole = panel.at(dim, REFERENCE_PRECISION)
        at = spread.get((panel.checkpoint, panel.task, dim))
        if isinstance(own, ScoredCell) and isinstance(whole, ScoredCell) and whole.value > 0 and at:
            yield _Mark(dim, at, 100 * own.value / whole.value)


def _tip(level: str, mark: _Mark) -> str:
    """Say what a mark shows."""
    return f"{mark.dim}/{level}: keeps {mark.kept:.1f} % at M2·d {mark.spread:.3g}"


def _told(points: Sequence[tuple[float, float]], level: str) -> str:
    """Say how strongly both go together over all marks of the coarsest level."""
    if len(points) < _FEWEST or min(len(set(column)) for column in zip(*points, strict=True)) == 1:
        return f"{level}: {plural(len(points), 'mark')}"
    ranks = np.array(
        [np.argsort(np.argsort(column)) for column in zip(*points, strict=True)], dtype=np.float64
    )
    rho = float(np.atleast_2d(np.corrcoef(ranks))[0, 1])
    return f"{level}: rank correlation {rho:+.2f} over {len(points)} marks"


def _look(labels: Sequence[str], number: int, place: int) -> Look:
    """Choose a colour by checkpoint, of a single one by level; lines and marks by level."""
    tone = TONES[(number if len(labels) > 1 else place) % len(TONES)]
    return Look(tone=tone, dash=DASHES[place], shape=SHAPES[place])
