"""Tables that every face of a report shows alike: MTEB's means, tasks by kind, published scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.core.record import TaskEntry
from evalsuite.core.variant import Variant
from evalsuite.reporting.by_type import by_type, filter_text, type_means
from evalsuite.reporting.panel import FailedCell, Panel
from evalsuite.reporting.published import FULL, PublishedSet
from evalsuite.reporting.text import MISSING, metric_title, percent, plural, points
from evalsuite.reporting.view import CheckpointView

WIDE = 16
"""So many variants fit side by side; of more, the Pareto front, the full width and the chosen one."""


@dataclass(frozen=True)
class TextTable:
    """A table of texts that are ready to show, unescaped.

    Attributes:
        title: Heading.
        caption: How to read it.
        heads: One a column; the first column names the row.
        rows: As many texts as there are heads, each.
    """

    title: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def means_table(checkpoint: CheckpointView, tasks: Sequence[TaskEntry]) -> TextTable | None:
    """Tabulate MTEB's means of every variant in points; None for fewer than two MTEB tasks."""
    means = type_means(checkpoint)
    if not means:
        return None
    kinds = tuple(means[0].by_type)
    counts = {
        kind: len(some) for kind, some in by_type(p for p in checkpoint.panels if p.kind == "mteb").items()
    }
    several = len(kinds) > 1
    heads = ("Variant", "Mean(Task)", *(["Mean(TaskType)"] if several else []))
    rows = [
        (
            str(mean.variant),
            points(mean.mean_task),
            *([points(mean.mean_type)] if several else []),
            *(points(mean.by_type[kind]) for kind in kinds if several),
        )
        for mean in means
    ]
    types = " Mean(TaskType) averages over the means of the kinds of task." if several else ""
    caption = (
        f"Main scores in points, over {plural(sum(counts.values()), 'MTEB task')}.{types} "
        f"Without a number: a task has no score. {filter_text(tasks)}"
    )
    kind_heads = tuple(f"{kind} ({counts[kind]})" for kind in kinds if several)
    return TextTable("MTEB means", caption, heads + kind_heads, tuple(rows))


def task_tables(checkpoint: CheckpointView) -> tuple[TextTable, ...]:
    """Tabulate the tasks of each kind: a row a task, a column a variant, in points."""
    variants = _side_by_side(checkpoint)
    less = len(checkpoint.variants) - len(variants)
    more = f" {plural(less, 'more variant')}: task by task below or in `results.csv`." if less else ""
    return tuple(
        TextTable(
            title=f"{kind or 'Tasks'}: {plural(len(panels), 'task')}",
            caption=f"Main scores in points.{more}",
            heads=("Task", "Metric", *map(str, variants)),
            rows=tuple(
                (panel.task, metric_title(panel.metric), *(_score(panel, variant) for variant in variants))
                for panel in panels
            ),
        )
        for kind, panels in by_type(checkpoint.panels).items()
    )


def published_table(published: PublishedSet) -> TextTable:
    """Tabulate published scores in points, with retention where the source gives the full width."""
    dims = sorted({dim for series in published.series for dim in series.points}, reverse=True)
    rows = []
    for series in published.series:
        kept = published.retention(series)
        cells = [
            _published_cell(series.points.get(dim), kept.get(dim), alone=set(kept.values()) == {1})
            for dim in dims
        ]
        details = "; ".join(part for part in (series.weights, series.setting) if part) or MISSING
        rows.append((series.what, series.model, series.filter, details, series.level, *cells))
    heads = ("What", "Model", "Languages and subsets", "Setting", "Embeddings")
    return TextTable(
        title=f"{published.name}: {published.title}",
        caption=(
            f"{published.source} ({published.published}), {published.link}, read on {published.read}. "
            f"{' '.join(published.conditions.split())}. In points; in brackets, of the full width."
        ),
        heads=(*heads, *("full width" if dim == FULL else str(dim) for dim in dims)),
        rows=tuple(rows),
    )


def _side_by_side(checkpoint: CheckpointView) -> tuple[Variant, ...]:
    """Choose the variants that stand side by side, by falling bytes."""
    rows = checkpoint.variants[::-1]
    if len(rows) > WIDE:
        chosen = checkpoint.recommendation.chosen
        kept = {checkpoint.full, *([chosen.variant] if chosen is not None else [])}
        kept |= {row.variant for row in [row for row in rows if row.pareto][: WIDE - len(kept)]}
        rows = tuple(row for row in rows if row.variant in kept)
    return tuple(row.variant for row in rows)


def _score(panel: Panel, variant: Variant) -> str:
    """Write one score."""
    cell = panel.cells.get(variant)
    if cell is None:
        return MISSING
    return "failed" if isinstance(cell, FailedCell) else points(cell.value)


def _published_cell(value: float | None, kept: float | None, *, alone: bool) -> str:
    """Write one published score as the source does, and what is kept unless that is all there is."""
    if value is None:
        return MISSING
    return f"{value:g}" if kept is None or alone else f"{value:g} ({percent(kept)})"
