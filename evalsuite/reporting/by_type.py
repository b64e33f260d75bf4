"""Many tasks, put in order by their kind: means that a reader can take in, and MTEB's two overall means.

A mean over all tasks hides that truncation costs retrieval more than it costs sentence similarity. So the
kinds of task (MTEB's types) come first, then the tasks.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evalsuite.core.record import TaskEntry
from evalsuite.core.variant import Variant
from evalsuite.reporting.choose import VariantSummary
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell, compared
from evalsuite.reporting.text import plural
from evalsuite.reporting.view import CheckpointView, ReportView

MANY_TASKS = 12
"""With more tasks than these a report draws and tabulates kinds of task first."""

_NAMED = 4
"""So many names of tasks or languages are written out; of more, their number."""


@dataclass(frozen=True)
class TypeMeans:
    """MTEB's summary of one variant, in fractions; None where a task has no score.

    Attributes:
        variant: The variant.
        mean_task: Mean over all MTEB tasks: Mean(Task).
        mean_type: Mean over the means of the kinds of task: Mean(TaskType).
        by_type: Kind of task to the mean over its tasks.
    """

    variant: Variant
    mean_task: float | None
    mean_type: float | None
    by_type: Mapping[str, float | None]


def condensed(view: ReportView) -> ReportView:
    """Give checkpoints of many tasks one panel a kind of task; other views stay as they are."""
    if not is_crowded(view):
        return view
    return replace(view, checkpoints=tuple(map(_condensed, view.checkpoints)))


def is_crowded(view: ReportView) -> bool:
    """Tell whether there are too many tasks to draw each."""
    return max((len(checkpoint.panels) for checkpoint in view.checkpoints), default=0) > MANY_TASKS


def by_type(panels: Iterable[Panel]) -> dict[str, tuple[Panel, ...]]:
    """Sort panels by the kind of their task, kinds by name; within a kind they keep their order."""
    ordered = sorted(panels, key=lambda panel: panel.task_type)
    return {kind: tuple(some) for kind, some in itertools.groupby(ordered, key=lambda p: p.task_type)}


def type_means(checkpoint: CheckpointView) -> tuple[TypeMeans, ...]:
    """Summarise every variant as MTEB does, over the MTEB tasks alone; empty with fewer than two of them."""
    panels = [panel for panel in checkpoint.panels if panel.kind == "mteb"]
    if len(panels) < 2:
        return ()
    kinds = by_type(panels)
    return tuple(_means(summary.variant, panels, kinds) for summary in checkpoint.variants)


def filter_text(tasks: Sequence[TaskEntry]) -> str:
    """Say which languages count in means over MTEB tasks; empty if there are none.

    The filter decides: averaged over English only or over every language, the same predictions have another
    mean.
    """
    mteb = [task for task in tasks if task.kind == "mteb"]
    if not mteb:
        return ""
    counts: dict[tuple[str, ...], int] = {}
    for task in mteb:
        counts[task.languages] = counts.get(task.languages, 0) + 1
    parts = [
        f"{_few(languages, 'language') if languages else 'none'} on {plural(count, 'task')}"
        for languages, count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    every = " Without a filter every subset of a task counts." if () in counts else ""
    subsets = sum(len(task.parts) for task in mteb)
    total = f" Subsets and splits in all: {subsets}." if subsets else ""
    return f"Language filter of the MTEB tasks: {'; '.join(parts)}.{every}{total}"


def _condensed(checkpoint: CheckpointView) -> CheckpointView:
    """Replace the panels of one checkpoint by those of its kinds of task."""
    kinds = by_type(checkpoint.panels)
    panels = tuple(_mean_panel(kind, some, checkpoint.full) for kind, some in kinds.items())
    titles = {panel.task: kinds[panel.task_type] for panel in panels}
    variants = tuple(_summary(summary, titles) for summary in checkpoint.variants)
    return replace(checkpoint, panels=panels, variants=variants)


def _mean_panel(kind: str, panels: Sequence[Panel], full: Variant) -> Panel:
    """Average the panels of one kind of task."""
    if len(panels) == 1:
        return panels[0]
    variants = tuple(dict.fromkeys(variant for panel in panels for variant in panel.cells))
    metrics = {panel.metric for panel in panels}
    return Panel(
        checkpoint=panels[0].checkpoint,
        task=f"{kind} · {len(panels)} tasks",
        metric=metrics.pop() if len(metrics) == 1 else "main_score",
        dims=tuple(sorted({variant.dim for variant in variants}, reverse=True)),
        precisions=tuple(dict.fromkeys(variant.series for variant in variants)),
        cells=_mean_cells(variants, panels, full),
        task_type=kind,
    )


def _mean_cells(
    variants: Sequence[Variant], panels: Sequence[Panel], full: Variant
) -> dict[Variant, ScoredCell | FailedCell]:
    """Average every variant over tasks; retention too, which is not the retention of the mean score."""
    cells = compared({variant: _mean_cell(variant, panels) for variant in variants}, full)
    return {
        variant: replace(cell, retention=_mean_of([own.retention for own in _scored(variant, panels)[0]]))
        if isinstance(cell, ScoredCell)
        else cell
        for variant, cell in cells.items()
    }


def _mean_cell(variant: Variant, panels: Sequence[Panel]) -> ScoredCell | FailedCell:
    """Average one variant over tasks; a mean over fewer of them would be the mean of something else."""
    scored, missing = _scored(variant, panels)
    if missing:
        return FailedCell(
            variant, f"no score on {_few(missing, 'task')} of {len(panels)}, so there is no mean"
        )
    counts = [cell.n for cell in scored if cell.n is not None]
    return ScoredCell(
        variant=variant,
        value=statistics.fmean(cell.value for cell in scored),
        lower=None,
        upper=None,
        n=sum(counts) if len(counts) == len(scored) else None,
        bytes_per_vector=max(cell.bytes_per_vector for cell in scored),
        compression=min(cell.compression for cell in scored),
        index_bytes=max(cell.index_bytes for cell in scored),
    )


def _scored(variant: Variant, panels: Sequence[Panel]) -> tuple[list[ScoredCell], list[str]]:
    """Collect one variant's scores, and the tasks that have none."""
    cells = {panel.task: panel.cells.get(variant) for panel in panels}
    scored = {task: cell for task, cell in cells.items() if isinstance(cell, ScoredCell)}
    return list(scored.values()), [task for task in cells if task not in scored]


def _summary(summary: VariantSummary, titles: Mapping[str, Sequence[Panel]]) -> VariantSummary:
    """Average the retentions of one variant over the tasks of each kind."""
    kept: dict[str, float | None] = {}
    for title, panels in titles.items():
        kept[title] = _mean_of([summary.retentions.get(panel.task) for panel in panels])
    return replace(summary, retentions=kept)


def _means(variant: Variant, panels: Sequence[Panel], kinds: Mapping[str, Sequence[Panel]]) -> TypeMeans:
    """Average one variant over all tasks, over each kind, and over the kinds."""
    means = {kind: _mean(variant, some) for kind, some in kinds.items()}
    return TypeMeans(variant, _mean(variant, panels), _mean_of(list(means.values())), means)


def _mean(variant: Variant, panels: Sequence[Panel]) -> float | None:
    """Average one variant's main scores; None if a task has none."""
    scored, missing = _scored(variant, panels)
    return None if missing else statistics.fmean(cell.value for cell in scored)


def _mean_of(values: Sequence[float | None]) -> float | None:
    """Average values; None if one is unknown, or if there are none."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known and len(known) == len(values) else None


def _few(names: Sequence[str], what: str) -> str:
    """Write a few names out, of many the number."""
    return ", ".join(names) if len(names) <= _NAMED else plural(len(names), what)
