"""Checking a task's data: every mistake and every oddity, without raising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evalsuite.core.errors import TaskDataError, UserError
from evalsuite.tasks.kinds import Task
from evalsuite.tasks.mteb.refs import MtebRef
from evalsuite.tasks.mteb.task import MtebTask
from evalsuite.tasks.refs import TaskRef
from evalsuite.tasks.task import RetrievalTask


@dataclass(frozen=True)
class CheckReport:
    """What checking a task found.

    Attributes:
        name: What the task is called.
        problems: Mistakes that keep it from being used, one sentence each.
        warnings: What is odd about it without keeping it from being used.
        counts: How many of each thing it holds, such as `documents`; empty when it cannot be used.
        fingerprint: The data's fingerprint, for a card's `checksum`; empty when it cannot be used.
    """

    name: str
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def ok(self) -> bool:
        """Whether the task can be used."""
        return not self.problems


def check(ref: TaskRef | MtebRef) -> CheckReport:
    """Read a task and report every mistake, every oddity and the counts; never raises for bad data."""
    try:
        task = ref.load()
        if isinstance(task, MtebTask):
            task.load()
    except TaskDataError as error:
        return CheckReport(ref.name, error.problems)
    except UserError as error:
        return CheckReport(ref.name, (str(error),))
    return CheckReport(ref.name, (), tuple(task.warnings), _counts(task), task.fingerprint)


def _counts(task: Task) -> dict[str, int]:
    """Count what a task holds."""
    if isinstance(task, MtebTask):
        return dict(task.counts)
    if not isinstance(task, RetrievalTask):
        sentences = {text for column in (task.first, task.second) for text in column}
        return {"pairs": len(task.pair_ids), "different sentences": len(sentences)}
    grades = [grade for judged in task.qrels.values() for grade in judged.values()]
    return {
        "documents": len(task.document_ids),
        "queries": len(task.query_ids),
        "judgements": len(grades),
        "relevant judgements": sum(grade > 0 for grade in grades),
    }
