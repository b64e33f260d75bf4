"""From cells to a record: encode each task's texts once, score every variant, account for every cell."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from evalsuite.core.cell import Cell
from evalsuite.core.errors import CheckpointError, EncodingError
from evalsuite.core.progress import Progress
from evalsuite.core.record import CellRecord, Encoding, Failed
from evalsuite.core.variant import Variant
from evalsuite.embeddings.encode import Encoded, Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.sweep import plan
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.retrieval import score_retrieval
from evalsuite.sweep.scored import ScoringContext, TaskScores
from evalsuite.sweep.sts import score_sts
from evalsuite.sweep.writer import RunWriter
from evalsuite.tasks.task import RetrievalTask, Role, StsTask, Task, TaskText


@dataclass
class Sweep:
    """Everything a sweep works with, and its clock.

    Attributes:
        tasks: Loaded tasks, names unique.
        store: Where vectors are kept.
        writer: Where per-query tables go.
        progress: Who is told.
        seed: Seed of everything random; every task starts from it, so checkpoints are treated alike.
        calibration: Task whose texts quantizers are fitted on; None means each task's own corpus.
        seconds: Wall time by stage, filled while running.
    """

    tasks: Sequence[Task]
    store: EmbeddingStore
    writer: RunWriter
    progress: Progress
    seed: int
    calibration: Task | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"encode": 0.0, "score": 0.0})

    def run(self, checkpoint: Checkpoint, variants: Sequence[Variant]) -> tuple[list[CellRecord], Encoding]:
        """Evaluate one checkpoint on every task.

        Returns:
            One record for every expected cell, and what was encoded.

        Raises:
            StorageError: If the store or the run's folder cannot be written to.
        """
        records: list[CellRecord] = []
        texts = encoded = 0
        before = self.seconds["encode"]
        calibration = self._calibration(checkpoint)
        for task in self.tasks:
            expected = plan.cells(checkpoint.label, [task.name], variants)
            try:
                vectors = self._encode(checkpoint, task)
            except (CheckpointError, EncodingError) as error:
                records += [_record(cell, None, str(error)) for cell in expected]
                continue
            texts += vectors.unique
            encoded += vectors.encoded
            scores = self._score(task, vectors, variants, calibration)
            if len(scores.per_query):
                self.writer.add_table(checkpoint.label, task.name, scores.per_query)
            records += [_record(cell, scores, "the variant was not scored") for cell in expected]
        spent = self.seconds["encode"] - before
        return records, Encoding(checkpoint=checkpoint.label, texts=texts, encoded=encoded, seconds=spent)

    def _calibration(self, checkpoint: Checkpoint) -> Calibration | None:
        """Encode the named calibration set, if there is one: its documents, or both sides of its pairs."""
        if self.calibration is None:
            return None
        encoded = self._encode(checkpoint, self.calibration)
        (_, left), _ = sides(self.calibration)
        documents = len(left) if isinstance(self.calibration, RetrievalTask) else len(encoded.vectors)
        return Calibration.draw(encoded.vectors.slice(0, documents), self.seed)

    def _encode(self, checkpoint: Checkpoint, task: Task) -> Encoded:
        """Get the vectors of both sides of a task, in one go so that no text is encoded twice."""
        inputs = [
            self._prompted(checkpoint, task, role, text) for role, texts in sides(task) for text in texts
        ]
        encoded = encode_once(checkpoint, inputs, self.store, self.progress)
        self.seconds["encode"] += encoded.seconds
        return encoded

    def _prompted(self, checkpoint: Checkpoint, task: Task, role: Role, text: TaskText) -> Prompted:
        prompt, body = checkpoint.prompts.render(role, task.task_type, task.name, text.text, text.title)
        return Prompted(prompt, body)

    def _score(
        self, task: Task, encoded: Encoded, variants: Sequence[Variant], calibration: Calibration | None
    ) -> TaskScores:
        began = time.perf_counter()
        (_, left), _ = sides(task)
        first = encoded.vectors.slice(0, len(left))
        second = encoded.vectors.slice(len(left), len(encoded.vectors))
        own = first if isinstance(task, RetrievalTask) else encoded.vectors
        context = ScoringContext(calibration or Calibration.draw(own, self.seed), self.progress)
        if isinstance(task, RetrievalTask):
            scores = score_retrieval(task, first, second, variants, context)
        else:
            scores = score_sts(task, first, second, variants, context)
        self.seconds["score"] += time.perf_counter() - began
        return scores


def sides(task: Task) -> tuple[tuple[Role, Sequence[TaskText]], tuple[Role, Sequence[TaskText]]]:
    """Return the two lists of texts of a task, each with its role: what is searched, then what asks."""
    if isinstance(task, StsTask):
        return ("symmetric", task.first), ("symmetric", task.second)
    return ("document", task.documents), ("query", task.queries)


def _record(cell: Cell, scores: TaskScores | None, otherwise: str) -> CellRecord:
    """Record a cell's outcome; a cell without one failed."""
    outcome = scores.outcomes.get(cell.variant) if scores is not None else None
    return CellRecord(
        checkpoint=cell.checkpoint,
        task=cell.task,
        variant=str(cell.variant),
        outcome=Failed(reason=otherwise) if outcome is None else outcome,
    )
