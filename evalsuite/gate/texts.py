"""The texts behind a verdict: queries that moved and their first documents, read from the tasks' data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evalsuite.core.errors import UserError
from evalsuite.core.run import Run
from evalsuite.core.verdict import Finding, QueryMove, Verdict
from evalsuite.tasks.catalogue import Catalogue, resolve
from evalsuite.tasks.mteb import MtebOptions, MtebRef, MtebTask
from evalsuite.tasks.mteb.rows import unit_texts
from evalsuite.tasks.refs import TaskRef
from evalsuite.tasks.task import NativeTask, RetrievalTask

MOST_TEXTS = 200_000
"""Tasks of more texts than these are not read only to show five queries."""
MOST_WITH_DOCUMENTS = 40
"""So many findings, the most harmful ones, carry the texts of documents: a verdict stays a small file."""
_ITSELF = ("improved", "inconclusive", "regressed")
_LONGEST = 300
_LONGEST_DOCUMENT = 160


@dataclass
class TaskTexts:
    """The texts of one task, by the ids of its per-query values.

    Attributes:
        units: Queries, or both sentences of pairs.
        documents: Documents, the title in front; under `part:id` in tasks of MTEB.
        relevant: Ids of each query's relevant documents.
    """

    units: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    relevant: dict[str, set[str]] = field(default_factory=dict)

    def add(self, task: NativeTask, prefix: str = "") -> None:
        """Add a task, or a part of one, whose ids begin with a prefix."""
        if not isinstance(task, RetrievalTask):
            pairs = zip(task.pair_ids, task.first, task.second, strict=True)
            self.units |= {prefix + key: f"{first.text} ⇔ {second.text}" for key, first, second in pairs}
            return
        self.units |= {
            prefix + key: query.text for key, query in zip(task.query_ids, task.queries, strict=True)
        }
        for key, document in zip(task.document_ids, task.documents, strict=True):
            titled = f"{document.title}: {document.text}" if document.title else document.text
            self.documents[prefix + key] = titled
        for key, grades in task.qrels.items():
            self.relevant[prefix + key] = {document for document, grade in grades.items() if grade > 0}


def with_texts(verdict: Verdict, run: Run) -> Verdict:
    """Put texts beside each query that moved, and beside its first documents before and after.

    A run keeps ids only. Its tasks are found again by what was asked for; one that is not there any more,
    holds other data by now, is very large, or would have to be downloaded is left without texts.

    Args:
        verdict: The verdict.
        run: The run whose tasks are read; baseline and candidate hold the same data where they were compared.
    """
    wanted = {f.task for f in verdict.findings if f.moved and f.status in _ITSELF}
    small = {name for name in wanted if _size(run, name) <= MOST_TEXTS}
    texts = _read(run, small) if small else {}
    if not texts:
        return verdict
    filled, findings = 0, []
    for finding in verdict.findings:
        known = texts.get(finding.task) if finding.moved else None
        if known is not None:
            finding = _fill(finding, known, documents=filled < MOST_WITH_DOCUMENTS)  # noqa: PLW2901
            filled += 1
        findings.append(finding)
    return verdict.model_copy(update={"findings": tuple(findings)})


def _size(run: Run, task: str) -> int:
    """Return how many texts a task holds; too many if the run does not have it."""
    sizes = {entry.name: sum(entry.counts.values()) for entry in run.record.tasks}
    return sizes.get(task, MOST_TEXTS + 1)


def _read(run: Run, names: set[str]) -> dict[str, TaskTexts]:
    """Load tasks of these names whose data is still what the run was made of."""
    found: dict[str, TaskTexts] = {}
    for reference in _references(run, names):
        # Data that went away since the run is no reason to withhold the verdict; it goes without texts.
        with contextlib.suppress(UserError):
            if reference.name in names and _at_hand(reference):
                texts, fingerprint = _load(reference)
                if fingerprint == run.task(reference.name).fingerprint:
                    found[reference.name] = texts
    return found


def _references(run: Run, names: set[str]) -> Iterator[TaskRef | MtebRef]:
    """Find what the run was asked for; mteb is imported only if one of the names is a task of its own."""
    catalogue, asked = Catalogue(), run.record.asked
    own = {entry.name for entry in run.record.tasks if entry.kind != "mteb"}
    chosen = asked.mteb.model_dump()
    options = MtebOptions(**{**chosen, "data": None if asked.mteb.data is None else Path(asked.mteb.data)})
    for text in asked.tasks:
        try:
            yield from catalogue.resolve([text])
        except UserError:
            if not names <= own:
                with contextlib.suppress(UserError):
                    yield from resolve([text], options)


def _at_hand(reference: TaskRef | MtebRef) -> bool:
    """Tell whether a task can be read without a download."""
    if isinstance(reference, TaskRef):
        return True
    from evalsuite.tasks.mteb.data import availability

    return availability(reference.abstask.metadata, reference.folder) != "missing"


def _load(reference: TaskRef | MtebRef) -> tuple[TaskTexts, str]:
    """Read a task; return its texts and the fingerprint of its data."""
    task, texts = reference.load(), TaskTexts()
    if isinstance(task, MtebTask):
        task.load()
        for part in task.parts:
            prefix = f"{part.split}/{part.subset}:"
            if part.native is not None:
                texts.add(part.native, prefix)
            else:
                units = unit_texts(task.abstask, part.split, part.subset)
                texts.units |= {prefix + key: text for key, text in units.items()}
    else:
        texts.add(task)
    return texts, task.fingerprint


def _fill(finding: Finding, texts: TaskTexts, *, documents: bool) -> Finding:
    """Put texts into one finding."""
    moved = tuple(_with_texts(move, texts, documents=documents) for move in finding.moved)
    return finding.model_copy(update={"moved": moved})


def _with_texts(move: QueryMove, texts: TaskTexts, *, documents: bool) -> QueryMove:
    """Put the texts of one query, or pair, beside its ids."""
    if move.id not in texts.units:
        return move
    update: dict[str, object] = {"text": _shortened(texts.units[move.id], _LONGEST)}
    if documents:
        shown = dict.fromkeys([*move.top_before, *move.top_after])
        relevant = texts.relevant.get(move.id, set())
        update["documents"] = dict(_documents(shown, move.id, texts.documents))
        update["relevant"] = tuple(key for key in shown if key in relevant)
    return move.model_copy(update=update)


def _documents(
    shown: Mapping[str, None], unit: str, documents: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Look documents up, in a task of parts within the query's own part."""
    part = unit.partition(":")[0] + ":"
    for key in shown:
        text = documents.get(key, documents.get(part + key))
        if text is not None:
            yield key, _shortened(text, _LONGEST_DOCUMENT)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"
