"""What a loss does to the space itself: spread statistics and the work of approximate search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalsuite.core.ann import AnnProbe
from evalsuite.core.progress import Progress, stage
from evalsuite.core.spread import SpreadEntry
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.stats.spread.sides import QuerySide, spread_of_sides
from evalsuite.tasks.task import RetrievalTask, Role, Task, TaskText
from evalsuite.vectors.ann.probe import probe
from evalsuite.vectors.ann.sample import Sample


@dataclass(frozen=True)
class Space:
    """What was measured of the spaces of several checkpoints.

    Attributes:
        spread: Statistics of every checkpoint, task, side and dimension.
        probes: (checkpoint label, task name) to the probes of approximate search.
    """

    spread: list[SpreadEntry]
    probes: dict[tuple[str, str], list[AnnProbe]]


def measure_space(
    checkpoints: Sequence[Checkpoint],
    tasks: Sequence[Task],
    dims: Sequence[int],
    store: EmbeddingStore,
    progress: Progress,
    seed: int = 0,
) -> Space:
    """Measure spread and approximate search of every checkpoint on every retrieval task, in float32.

    Args:
        checkpoints: The models.
        tasks: Whose texts; they are in the store after a sweep. Only retrieval tasks are measured.
        dims: Dimensions to cut to.
        store: Where vectors are kept.
        progress: Told about the work.
        seed: Seed of the samples, the same for every checkpoint.
    """
    found = Space([], {})
    searched = [task for task in tasks if isinstance(task, RetrievalTask)]
    with stage(progress, "measuring spread and approximate search", len(checkpoints) * len(searched)):
        for checkpoint in checkpoints:
            for task in searched:
                _measure(checkpoint, task, dims, store, progress, seed, found)
                progress.advance(1, 1.0)
    return found


def _measure(
    checkpoint: Checkpoint,
    task: RetrievalTask,
    dims: Sequence[int],
    store: EmbeddingStore,
    progress: Progress,
    seed: int,
    found: Space,
) -> None:
    """Measure one checkpoint on one task and add it to what was found."""
    documents = _vectors(checkpoint, task, "document", task.documents, store, progress).all()
    queries = _vectors(checkpoint, task, "query", task.queries, store, progress).all()
    sides = spread_of_sides([documents], QuerySide(queries, _positives(task)), dims, seed)
    found.spread.extend(side.of(checkpoint.label, task.name) for side in sides)
    sample = Sample.draw(documents, queries, seed)
    found.probes[checkpoint.label, task.name] = [probe(sample, dim, "float32") for dim in dims]


def _vectors(
    checkpoint: Checkpoint,
    task: RetrievalTask,
    role: Role,
    texts: Sequence[TaskText],
    store: EmbeddingStore,
    progress: Progress,
) -> StoredVectors:
    """Get the full-width vectors of one side."""
    render = checkpoint.prompts.render
    inputs = [Prompted(*render(role, task.task_type, task.name, each.text, each.title)) for each in texts]
    return encode_once(checkpoint, inputs, store, progress).vectors


def _positives(task: RetrievalTask) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """List the judged pairs: int64 (p, 2), query row and document row."""
    row = {document: number for number, document in enumerate(task.document_ids)}
    pairs = [
        (number, row[document])
        for number, query in enumerate(task.query_ids)
        for document, grade in task.qrels[query].items()
        if grade > 0 and document in row
    ]
    return np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
