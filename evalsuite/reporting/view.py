"""View-model: what every face of a report shows, worked out once from the runs alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from evalsuite.core.ann import AnnEntry, AnnMissing
from evalsuite.core.errors import UsageError
from evalsuite.core.record import CellRecord, CheckpointEntry, Failed, Scored, TaskEntry
from evalsuite.core.run import Run
from evalsuite.core.spread import SpreadEntry
from evalsuite.core.variant import Variant
from evalsuite.reporting.choose import MIN_RETENTION, Recommendation, VariantSummary, pareto_front, recommend
from evalsuite.reporting.merge import unify
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell, compared
from evalsuite.reporting.published import PublishedSet

_T = TypeVar("_T")

REFERENCE_PRECISION = "float32"
_REFERENCE_BYTES = 4
"""Bytes of one float32 dimension."""


@dataclass(frozen=True)
class CheckpointView:
    """One checkpoint on every task.

    Attributes:
        entry: The checkpoint's entry in its record.
        full: Its full-width float32 variant, which retention is measured against.
        panels: One panel a task.
        variants: Its variants over all tasks, by rising bytes.
        unreferenced: Tasks without a full-width float32 score; the mean retention leaves them out.
        recommendation: What to ship.
    """

    entry: CheckpointEntry
    full: Variant
    panels: tuple[Panel, ...]
    variants: tuple[VariantSummary, ...]
    unreferenced: tuple[str, ...]
    recommendation: Recommendation

    @property
    def label(self) -> str:
        """Label of the checkpoint."""
        return self.entry.label


@dataclass(frozen=True)
class ReportView:
    """Everything a report shows.

    Attributes:
        runs: The runs, with labels and task names that are unique among them.
        checkpoints: One view a checkpoint, in the order of the runs.
        tasks: The tasks, each once.
        precisions: The precisions, in the order of the runs.
        published: Published tables to show beside what was measured.
        min_retention: Least mean retention of a recommended variant, as a fraction.
    """

    runs: tuple[Run, ...]
    checkpoints: tuple[CheckpointView, ...]
    tasks: tuple[TaskEntry, ...]
    precisions: tuple[str, ...]
    published: tuple[PublishedSet, ...] = ()
    min_retention: float = MIN_RETENTION

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Every panel, checkpoint by checkpoint."""
        return tuple(panel for checkpoint in self.checkpoints for panel in checkpoint.panels)

    @property
    def failures(self) -> tuple[tuple[Panel, FailedCell], ...]:
        """Every failed cell with its panel."""
        return tuple((panel, cell) for panel in self.panels for cell in panel.failed)

    @property
    def cell_count(self) -> int:
        """Number of cells, scored and failed."""
        return sum(len(panel.cells) for panel in self.panels)

    @property
    def spread(self) -> tuple[SpreadEntry, ...]:
        """How evenly the vectors fill the sphere, of every checkpoint and task."""
        return tuple(entry for run in self.runs for entry in run.record.spread)

    @property
    def ann(self) -> tuple[AnnEntry, ...]:
        """Probes of approximate search."""
        return tuple(entry for run in self.runs for entry in run.record.ann)

    @property
    def ann_missing(self) -> tuple[AnnMissing, ...]:
        """Probes that could not be made."""
        return tuple(entry for run in self.runs for entry in run.record.ann_missing)

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """What was odd about checkpoints and tasks: (name, sentence) pairs."""
        names = [(view.label, view.entry.warnings) for view in self.checkpoints]
        names += [(task.name, task.warnings) for task in self.tasks]
        return tuple((name, sentence) for name, sentences in names for sentence in sentences)

    @property
    def title(self) -> str:
        """What the report is about."""
        labels = [view.label for view in self.checkpoints]
        if len(labels) <= 2:
            return " and ".join(labels)
        return f"{labels[0]} and {len(labels) - 1} more"


def build_view(
    runs: Sequence[Run], *, min_retention: float = MIN_RETENTION, published: Sequence[PublishedSet] = ()
) -> ReportView:
    """Work out what a report of one or several runs shows.

    Args:
        runs: At least one run; labels that clash are made unique.
        min_retention: Least mean retention of a recommended variant, as a fraction.
        published: Published tables to show beside what was measured.

    Raises:
        UsageError: If there is no run, or `min_retention` is not a fraction.
    """
    if not runs:
        message = "a report needs at least one run; give the folder a run was written to"
        raise UsageError(message)
    if not 0 < min_retention <= 1:
        message = f"min_retention is {min_retention:g}; give a fraction above 0 and up to 1, such as 0.98"
        raise UsageError(message)
    runs = unify(runs)
    tasks: dict[str, TaskEntry] = {}
    for run in runs:
        for task in run.record.tasks:
            if not (task.name in tasks and tasks[task.name].fingerprint):
                tasks[task.name] = task
    checkpoints = tuple(
        _checkpoint_view(run, entry, min_retention) for run in runs for entry in run.record.checkpoints
    )
    precisions = _unique(precision for view in checkpoints for p in view.panels for precision in p.precisions)
    return ReportView(runs, checkpoints, tuple(tasks.values()), precisions, tuple(published), min_retention)


def _checkpoint_view(run: Run, entry: CheckpointEntry, min_retention: float) -> CheckpointView:
    """Collect the panels of one checkpoint and sum up its variants."""
    full = _full(entry)
    mine = [cell for cell in run.record.cells if cell.checkpoint == entry.label]
    panels = tuple(
        _panel(entry, task, cells)
        for task in run.record.tasks
        if (cells := [cell for cell in mine if cell.task == task.name])
    )
    unreferenced = tuple(p.task for p in panels if all(cell.retention is None for cell in p.scored))
    variants = _summaries(panels, frozenset(unreferenced))
    advice = recommend(entry.label, variants, full=full, min_retention=min_retention)
    return CheckpointView(entry, full, panels, variants, unreferenced, advice)


def _full(entry: CheckpointEntry) -> Variant:
    """Return what retention is measured against: full width, float32, with the checkpoint's own weights."""
    return Variant(entry.dim, REFERENCE_PRECISION, weights=entry.weights)


def _panel(entry: CheckpointEntry, task: TaskEntry, cells: Sequence[CellRecord]) -> Panel:
    """Lay the cells of one checkpoint on one task out as a grid."""
    variants = {cell.variant: Variant.parse(cell.variant) for cell in cells}
    found: dict[Variant, ScoredCell | FailedCell] = {}
    for cell in cells:
        variant = variants[cell.variant]
        found[variant] = _cell(variant, cell.outcome, task.main_metric, entry.dim)
    return Panel(
        checkpoint=entry.label,
        task=task.name,
        metric=task.main_metric,
        dims=tuple(sorted({variant.dim for variant in found}, reverse=True)),
        precisions=_unique(variant.series for variant in found),
        cells=compared(found, _full(entry)),
        kind=task.kind,
        task_type=task.task_type,
        subsets=_unique(part.subset for part in task.parts),
    )


def _cell(variant: Variant, outcome: Scored | Failed, metric: str, full_dim: int) -> ScoredCell | FailedCell:
    """Read the main metric of one cell."""
    if isinstance(outcome, Failed):
        return FailedCell(variant, outcome.reason)
    main = outcome.metrics.get(metric)
    if main is None:
        return FailedCell(variant, f"the record holds no {metric}; evaluate again")
    if not math.isfinite(main.value):
        return FailedCell(variant, f"{metric} is {main.value}, not a number that can be compared")
    return ScoredCell(
        variant=variant,
        **main.model_dump(),
        n=outcome.n,
        bytes_per_vector=outcome.bytes_per_vector,
        compression=_REFERENCE_BYTES * full_dim / outcome.bytes_per_vector,
        tie_share=outcome.tie_share,
        index_bytes=outcome.index_bytes,
        fidelity=outcome.fidelity,
    )


def _summaries(panels: Sequence[Panel], unreferenced: frozenset[str]) -> tuple[VariantSummary, ...]:
    """Sum every variant up over the tasks, by rising bytes; variants that never scored come last."""
    variants = _unique(variant for panel in panels for variant in panel.cells)
    summaries = [_summary(variant, panels, unreferenced) for variant in variants]
    known = [
        (index, (s.bytes_per_vector, s.mean_retention))
        for index, s in enumerate(summaries)
        if s.bytes_per_vector is not None and s.mean_retention is not None and not s.variant.for_comparison
    ]
    for position in pareto_front([point for _, point in known]):
        index = known[position][0]
        summaries[index] = replace(summaries[index], pareto=True)
    return tuple(sorted(summaries, key=lambda s: (s.bytes_per_vector or float("inf"), -s.variant.dim)))


def _summary(variant: Variant, panels: Sequence[Panel], unreferenced: frozenset[str]) -> VariantSummary:
    """Sum one variant up over the tasks."""
    cells = {panel.task: panel.cells.get(variant) for panel in panels}
    scored = {task: cell for task, cell in cells.items() if isinstance(cell, ScoredCell)}
    retentions = {task: scored[task].retention if task in scored else None for task in cells}
    counted = [kept for task, kept in retentions.items() if task not in unreferenced]
    complete = [kept for kept in counted if kept is not None]
    return VariantSummary(
        variant=variant,
        bytes_per_vector=max((cell.bytes_per_vector for cell in scored.values()), default=None),
        compression=min((cell.compression for cell in scored.values()), default=None),
        retentions=retentions,
        mean_retention=statistics.fmean(complete) if complete and len(complete) == len(counted) else None,
    )


def _unique(items: Iterable[_T]) -> tuple[_T, ...]:
    """Keep the first of equal items, in order."""
    return tuple(dict.fromkeys(items))
