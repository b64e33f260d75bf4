"""The sides of a task: the vectors of its distinct texts by role, and which document answers which query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from evalsuite.core.progress import Progress
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.tasks.task import NativeTask, RetrievalTask, Role

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]

BLOCK = 8192
"""Vectors read at once."""


@dataclass(frozen=True)
class PartSides:
    """A task of our own, or a part of one of MTEB's, with the vectors of both of its sides.

    Attributes:
        task: The task.
        first: Vectors of what is searched, or of the left sentences.
        second: Vectors of what asks, or of the right sentences.
    """

    task: NativeTask
    first: StoredVectors
    second: StoredVectors

    @property
    def to_fit(self) -> StoredVectors:
        """What quantizers are fitted on: the documents, or both sides of pairs."""
        searched = isinstance(self.task, RetrievalTask)
        return self.first if searched else StoredVectors.join([self.first, self.second])


@dataclass(frozen=True)
class TaskSides:
    """What the space of a task is measured on. Every distinct text counts once, however often it occurs.

    Attributes:
        documents: Texts that are searched; both sides of pairs, and texts without a role, where nothing is.
        queries: Texts that ask; None for a task with one kind of text.
        positives: int64 (p, 2), (query row, document row) of judged pairs; empty where none are known.
    """

    documents: StoredVectors
    queries: StoredVectors | None
    positives: Longs

    @classmethod
    def of_parts(cls, parts: Sequence[PartSides]) -> Self:
        """Pool the parts of a task, of which there is at least one, all of one kind."""
        searched = [part for part in parts if isinstance(part.task, RetrievalTask)]
        if not searched:
            pooled = StoredVectors.join([side for part in parts for side in (part.first, part.second)])
            return cls(_distinct(pooled)[0], None, _pairs([]))
        documents, document_rows = _distinct(StoredVectors.join([part.first for part in searched]))
        queries, query_rows = _distinct(StoredVectors.join([part.second for part in searched]))
        judged = _pairs(_judged(searched))
        found = np.stack([query_rows[judged[:, 0]], document_rows[judged[:, 1]]], axis=1)
        return cls(documents, queries, np.unique(found, axis=0))

    @classmethod
    def of_roles(cls, served: Iterable[tuple[Role, StoredVectors]]) -> Self | None:
        """Take what mteb asked for, by role; its judgements are not known. None if it asked for nothing.

        Queries count as a side of their own only where there are documents too.
        """
        by_role: dict[Role, list[StoredVectors]] = {}
        for role, vectors in served:
            by_role.setdefault(role, []).append(vectors)
        asking = by_role.pop("query", [])
        searched = [vectors for found in by_role.values() for vectors in found]
        if not searched:
            searched, asking = asking, []
        if not searched:
            return None
        queries = _distinct(StoredVectors.join(asking))[0] if asking else None
        return cls(_distinct(StoredVectors.join(searched))[0], queries, _pairs([]))

    def blocks(self, progress: Progress) -> Iterator[Floats]:
        """Read the documents, float32 (at most `BLOCK`, width) at a time, telling of each when it is done."""
        for start in range(0, len(self.documents), BLOCK):
            block = self.documents.block(start, start + BLOCK)
            yield block
            progress.advance(len(block), len(block))


def _judged(parts: Sequence[PartSides]) -> Iterator[tuple[int, int]]:
    """List the relevant pairs of all parts; rows count on from part to part."""
    first_query = first_document = 0
    for part in parts:
        task = part.task
        if isinstance(task, RetrievalTask):
            row = {document: number for number, document in enumerate(task.document_ids, first_document)}
            for number, query in enumerate(task.query_ids, first_query):
                for document, grade in task.qrels[query].items():
                    if grade > 0 and document in row:
                        yield number, row[document]
        first_query += len(part.second)
        first_document += len(part.first)


def _pairs(found: Iterable[tuple[int, int]]) -> Longs:
    """Put pairs of rows into an array, int64 (p, 2)."""
    return np.asarray(list(found), dtype=np.int64).reshape(-1, 2)


def _distinct(vectors: StoredVectors) -> tuple[StoredVectors, Longs]:
    """Keep each text where it comes first.

    Equal texts share a place in the store, so no vector is read.

    Returns:
        The vectors of distinct texts, and for each given vector its row among them, int64 (n,).
    """
    shard, row = vectors.places[:, 0], vectors.places[:, 1]
    number = shard * (int(row.max(initial=0)) + 1) + row
    _, first, group = np.unique(number, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return vectors.select(first[order]), rank[group]
