"""How the record describes tasks."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.core.record import PartEntry, TaskEntry
from evalsuite.tasks.kinds import Task
from evalsuite.tasks.mteb import MtebTask
from evalsuite.tasks.mteb.options import Road
from evalsuite.tasks.task import StsTask


def task_entry(task: Task, road: Road | None = None, parts: Sequence[PartEntry] = ()) -> TaskEntry:
    """Describe a task.

    Args:
        task: The task; one of MTEB that was never loaded has no fingerprint and no counts.
        road: The road an MTEB task took; None if it took none.
        parts: The parts of an MTEB task.
    """
    return TaskEntry(
        name=task.name,
        kind=task.kind,
        task_type=task.task_type,
        split=task.split,
        source=task.source,
        main_metric=task.main_metric,
        fingerprint=task.fingerprint,
        counts=_counts(task),
        warnings=tuple(task.warnings),
        road=road or "",
        languages=task.languages if isinstance(task, MtebTask) else (),
        parts=tuple(parts),
    )


def _counts(task: Task) -> dict[str, int]:
    """Count what a task is made of."""
    if isinstance(task, MtebTask):
        return dict(task.counts)
    if isinstance(task, StsTask):
        return {"pairs": len(task.pair_ids)}
    judgements = sum(map(len, task.qrels.values()))
    return {"documents": len(task.documents), "queries": len(task.queries), "judgements": judgements}
