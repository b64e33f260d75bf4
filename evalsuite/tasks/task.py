"""Task: validated texts and judgements, ready to be embedded and scored."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role = Literal["query", "document", "symmetric"]


@dataclass(frozen=True, slots=True)
class TaskText:
    """One text of a task, before any prompt.

    Attributes:
        text: The body, as the data set has it.
        title: The document's title, or an empty string.
    """

    text: str
    title: str = ""


@dataclass(frozen=True)
class RetrievalTask:
    """A corpus, queries and graded judgements.

    Attributes:
        name: What the task is called in tables and files.
        document_ids: Ids of the corpus, sorted descending: row order is then trec_eval's order among ties.
        documents: The corpus, one text a document id.
        query_ids: Ids of the queries that have at least one judgement, sorted ascending.
        queries: One text a query id.
        qrels: Grade of each judged document: query id -> document id -> grade. Grades of 0 and below mean
            not relevant. Documents missing from the corpus stay in: they count as relevant and unfound.
        main_metric: Canonical text of the metric a table shows first.
        task_type: MTEB's name of the kind of task; chooses the prompts.
        split: Name of the judgements used, such as `test`.
        source: Where the data came from, for the record.
        warnings: What was odd about the data, one sentence each.
        ignore_identical_ids: Whether a document with the query's own id is taken out of its ranking.
        skip_first_result: Whether the first document of every ranking is taken out of it.
    """

    name: str
    document_ids: Sequence[str]
    documents: Sequence[TaskText]
    query_ids: Sequence[str]
    queries: Sequence[TaskText]
    qrels: Mapping[str, Mapping[str, int]]
    main_metric: str = "ndcg@10"
    task_type: str = "Retrieval"
    split: str = "test"
    source: str = ""
    warnings: Sequence[str] = field(default=())
    ignore_identical_ids: bool = False
    skip_first_result: bool = False

    kind = "retrieval"

    @functools.cached_property
    def fingerprint(self) -> str:
        """sha256 over every id, text, title and judgement, and the scoring rules that are not the usual ones.

        Independent of the order in which texts and judgements were stored.
        """
        rules = {
            "ignore_identical_ids": self.ignore_identical_ids,
            "skip_first_result": self.skip_first_result,
        }
        parts = [["retrieval", *(name for name, is_set in rules.items() if is_set)]]
        parts += sorted([i, d.title, d.text] for i, d in zip(self.document_ids, self.documents, strict=True))
        parts += sorted([i, q.text] for i, q in zip(self.query_ids, self.queries, strict=True))
        parts += sorted([q, d, str(grade)] for q, grades in self.qrels.items() for d, grade in grades.items())
        return _digest(parts)


@dataclass(frozen=True)
class StsTask:
    """Sentence pairs with a similarity given by people.

    Attributes:
        name: What the task is called in tables and files.
        pair_ids: One id a pair.
        first: The left sentences.
        second: The right sentences.
        scores: The similarities given by people, on any scale.
        main_metric: Canonical text of the metric a table shows first.
        task_type: MTEB's name of the kind of task; chooses the prompts.
        split: Name of the part of the data used, such as `test`.
        source: Where the data came from, for the record.
        warnings: What was odd about the data, one sentence each.
    """

    name: str
    pair_ids: Sequence[str]
    first: Sequence[TaskText]
    second: Sequence[TaskText]
    scores: Sequence[float]
    main_metric: str = "cosine_spearman"
    task_type: str = "STS"
    split: str = "test"
    source: str = ""
    warnings: Sequence[str] = field(default=())

    kind = "sts"

    @functools.cached_property
    def fingerprint(self) -> str:
        """sha256 over every pair and its score, in file order."""
        rows = zip(self.pair_ids, self.first, self.second, self.scores, strict=True)
        return _digest([["sts"], *([i, a.text, b.text, repr(float(score))] for i, a, b, score in rows)])


NativeTask: TypeAlias = RetrievalTask | StsTask
"""A task that our own search and metrics score."""


def _digest(parts: Iterable[Sequence[str]]) -> str:
    """Hash rows of strings so that no two different tables collide by concatenation."""
    digest = hashlib.sha256()
    for row in parts:
        for value in row:
            encoded = value.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        digest.update(b"\xff")
    return digest.hexdigest()
