"""The texts behind ids, where a run's tasks can still be read as they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evalsuite.core.errors import UserError
from evalsuite.core.run import Run
from evalsuite.tasks.catalogue import Catalogue
from evalsuite.tasks.refs import TaskRef
from evalsuite.tasks.task import NativeTask, RetrievalTask

_LARGEST = 40_000
"""Tasks of more texts than these are not read unless asked for: a report must not wait for them."""

_SLOW = "python-stdlib"
"""The kind of source whose texts are parsed out of program sources, which takes seconds."""


@dataclass(frozen=True)
class TaskTexts:
    """The texts of one task.

    Attributes:
        asked: Query or pair id to its text; of a pair, both sentences.
        documents: Document id to its text, the title in front.
        relevant: Query id to the ids of its relevant documents.
    """

    asked: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    relevant: Mapping[str, Sequence[str]] = field(default_factory=dict)


def texts_at_hand(runs: Iterable[Run], *, every: bool = False) -> dict[str, TaskTexts]:
    """Read the tasks of runs again, those that are small, local and unchanged.

    A task counts as unchanged if its fingerprint is the recorded one. Others are left out: ids alone must do.

    Args:
        runs: The runs.
        every: Whether to read those too that take seconds.

    Returns:
        Name of a task to its texts.
    """
    found: dict[str, TaskTexts] = {}
    for run in runs:
        wanted = {
            entry.fingerprint: entry.name
            for entry in run.record.tasks
            if entry.fingerprint and entry.kind != "mteb" and entry.name not in found
            and (every or sum(entry.counts.values()) <= _LARGEST)
        }  # fmt: skip
        for ref in _refs(run.record.asked.tasks) if wanted else ():
            if not every and _is_slow(ref):
                continue
            task = _loaded(ref, wanted.values())
            name = None if task is None else wanted.get(task.fingerprint)
            if task is not None and name is not None:
                found[name] = _texts(task)
    return found


def _is_slow(ref: TaskRef) -> bool:
    """Tell whether reading a task takes seconds."""
    try:
        return ref.card is not None and ref.card.source.kind == _SLOW
    except UserError:  # changed since: it will not be read anyway
        return True


def _refs(asked: Sequence[str]) -> list[TaskRef]:
    """Find those of the tasks asked for that are still there."""
    catalogue, refs = Catalogue(), []
    for text in asked:
        try:
            refs += catalogue.resolve([text])
        except UserError:  # moved, renamed, or a name of MTEB: then there are no texts, only ids
            continue
    return refs


def _loaded(ref: TaskRef, names: Iterable[str]) -> NativeTask | None:
    """Read a task, if it is one of those wanted and still whole."""
    if not any(name == ref.name or name.startswith(f"{ref.name} (") for name in names):
        return None
    try:
        return ref.load()
    except UserError:  # changed since: no texts, only ids
        return None


def _texts(task: NativeTask) -> TaskTexts:
    """Collect the texts of a task."""
    if isinstance(task, RetrievalTask):
        return TaskTexts(
            asked={i: text.text for i, text in zip(task.query_ids, task.queries, strict=True)},
            documents={
                i: f"{text.title}: {text.text}" if text.title else text.text
                for i, text in zip(task.document_ids, task.documents, strict=True)
            },
            relevant={
                query: [document for document, grade in grades.items() if grade > 0]
                for query, grades in task.qrels.items()
            },
        )
    pairs = zip(task.pair_ids, task.first, task.second, strict=True)
    return TaskTexts(asked={i: f"{first.text} ↔ {second.text}" for i, first, second in pairs})
