"""The texts of queries that moved: read from the task's data where they are at hand."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from evalsuite.core.errors import UserError
from evalsuite.core.run import Run
from evalsuite.core.verdict import Finding, QueryMove, Verdict
from evalsuite.tasks.catalogue import Catalogue
from evalsuite.tasks.task import StsTask

MOST_DOCUMENTS = 200_000
"""Corpora larger than this are not read only to show five queries."""
_ITSELF = ("improved", "inconclusive", "regressed")
_LONGEST = 300


def with_texts(verdict: Verdict, run: Run) -> Verdict:
    """Put the query, or both sentences, beside each query that moved.

    A run keeps ids only. Its tasks are found again by what was asked for; one that is not there any more,
    holds other data by now, or is very large is left without texts. Tasks of mteb are not loaded for this.

    Args:
        verdict: The verdict.
        run: The run whose tasks are read; baseline and candidate hold the same data where they were compared.
    """
    wanted = {f.task for f in verdict.findings if f.moved and f.status in _ITSELF}
    small = {name for name in wanted if _documents(run, name) <= MOST_DOCUMENTS}
    texts = _read(run, small) if small else {}
    if not texts:
        return verdict
    findings = tuple(_fill(finding, texts.get(finding.task, {})) for finding in verdict.findings)
    return verdict.model_copy(update={"findings": findings})


def _documents(run: Run, task: str) -> int:
    """Return how large a task is; infinitely large if the run does not have it."""
    sizes = {entry.name: sum(entry.counts.values()) for entry in run.record.tasks}
    return sizes.get(task, MOST_DOCUMENTS + 1)


def _read(run: Run, names: set[str]) -> dict[str, dict[str, str]]:
    """Load tasks of these names whose data is still what the run was made of: task -> id -> text."""
    found: dict[str, dict[str, str]] = {}
    catalogue = Catalogue()
    for asked in run.record.asked.tasks:
        # Data that went away since the run is no reason to withhold the verdict; it goes without texts.
        with contextlib.suppress(UserError):
            for reference in catalogue.resolve([asked]):
                if reference.name not in names:
                    continue
                task = reference.load()
                if task.fingerprint != run.task(task.name).fingerprint:
                    continue
                if isinstance(task, StsTask):
                    both = zip(task.first, task.second, strict=True)
                    texts = [f"{first.text} ⇔ {second.text}" for first, second in both]
                    found[task.name] = dict(zip(task.pair_ids, texts, strict=True))
                else:
                    texts = [query.text for query in task.queries]
                    found[task.name] = dict(zip(task.query_ids, texts, strict=True))
    return found


def _fill(finding: Finding, texts: Mapping[str, str]) -> Finding:
    """Put texts into one finding."""
    moved = tuple(_with_text(move, texts.get(move.id)) for move in finding.moved)
    return finding.model_copy(update={"moved": moved})


def _with_text(move: QueryMove, text: str | None) -> QueryMove:
    if text is None:
        return move
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return move.model_copy(update={"text": short})
