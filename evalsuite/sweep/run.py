"""From cells to a record: encode each task's texts once, score every variant, account for every cell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evalsuite.core.cell import Cell
from evalsuite.core.errors import CheckpointError, EncodingError, TaskDataError, UsageError
from evalsuite.core.progress import Progress
from evalsuite.core.record import CellRecord, Encoding, Failed, Outcome, Scored, TaskEntry
from evalsuite.core.variant import Variant
from evalsuite.embeddings.encode import Encoded, Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.sweep import plan
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.engine import LOCAL, Engine
from evalsuite.sweep.entries import task_entry
from evalsuite.sweep.geometry import Geometry
from evalsuite.sweep.means import Part
from evalsuite.sweep.native import NativePart, own_calibration, score_native
from evalsuite.sweep.replay.evaluate import score_replayed
from evalsuite.sweep.replay.library import Library
from evalsuite.sweep.retrieval import score_retrieval
from evalsuite.sweep.scored import MtebScores, ScoringContext, TaskScores
from evalsuite.sweep.sides import PartSides, TaskSides
from evalsuite.sweep.sts import score_sts
from evalsuite.sweep.writer import RunWriter
from evalsuite.tasks.kinds import Task
from evalsuite.tasks.mteb import MtebTask
from evalsuite.tasks.mteb.options import Road
from evalsuite.tasks.task import NativeTask, RetrievalTask, Role, StsTask, TaskText


@dataclass
class Sweep:
    """Everything a sweep works with, and its clock.

    Attributes:
        tasks: Tasks, names unique; those of MTEB are loaded when their turn comes.
        store: Where vectors are kept.
        writer: Where tables go.
        progress: Who is told.
        seed: Seed of everything random; every task starts from it, so checkpoints are treated alike.
        calibration: Task whose texts quantizers are fitted on; None means each task's own corpus.
        road: Road of MTEB's retrieval and STS tasks.
        geometry: What is measured of the vectors beside their scores.
        engine: Where the heavy work is done.
        seconds: Wall time by stage, filled while running.
        entries: How the record describes each task, filled while running.
    """

    tasks: Sequence[Task]
    store: EmbeddingStore
    writer: RunWriter
    progress: Progress
    seed: int
    calibration: Task | None = None
    road: Road = "native"
    geometry: Geometry = field(default_factory=Geometry)
    engine: Engine = LOCAL
    seconds: dict[str, float] = field(default_factory=lambda: {"load": 0.0, "encode": 0.0, "score": 0.0})
    entries: dict[str, TaskEntry] = field(default_factory=dict)
    _texts: int = 0
    _encoded: int = 0

    def run(self, checkpoint: Checkpoint, variants: Sequence[Variant]) -> tuple[list[CellRecord], Encoding]:
        """Evaluate one checkpoint on every task.

        Returns:
            One record for every expected cell, and what was encoded.

        Raises:
            StorageError: If the store or the run's folder cannot be written to.
            UsageError: If quantizers cannot be fitted on the task named for it.
        """
        records: list[CellRecord] = []
        self._texts = self._encoded = 0
        before = self.seconds["encode"]
        calibration = self._calibration(checkpoint)
        for task in self.tasks:
            expected = plan.cells(checkpoint.label, [task.name], variants)
            try:
                outcomes = self._evaluate(checkpoint, task, variants, calibration)
            except (CheckpointError, EncodingError, TaskDataError) as error:
                outcomes = {variant: Failed(reason=str(error)) for variant in variants}
            self.entries.setdefault(task.name, task_entry(task))
            records += [_record(cell, outcomes) for cell in expected]
        spent = self.seconds["encode"] - before
        encoding = Encoding(
            checkpoint=checkpoint.label, texts=self._texts, encoded=self._encoded, seconds=spent
        )
        return records, encoding

    def _evaluate(
        self,
        checkpoint: Checkpoint,
        task: Task,
        variants: Sequence[Variant],
        calibration: Calibration | None,
    ) -> Mapping[Variant, Outcome]:
        """Evaluate one task and put its tables aside."""
        if isinstance(task, MtebTask):
            return self._mteb(checkpoint, task, variants, calibration)
        own = _halves(task, self._encode(checkpoint, [task]))
        scores = self._score(own, variants, calibration)
        self._measure(checkpoint, task, TaskSides.of_parts([own]), variants)
        if len(scores.per_query):
            self.writer.add_table(checkpoint.label, task.name, scores.per_query)
        return scores.outcomes

    def _mteb(
        self,
        checkpoint: Checkpoint,
        task: MtebTask,
        variants: Sequence[Variant],
        calibration: Calibration | None,
    ) -> Mapping[Variant, Outcome]:
        """Load a task of MTEB, evaluate it on its road, and let go of its data."""
        self._load(task)
        try:
            native = self.road == "native" and all(part.native is not None for part in task.parts)
            if native:
                scores = self._native(checkpoint, task, variants, calibration)
            else:
                scores = self._replayed(checkpoint, task, variants, calibration)
            entry = task_entry(task, "native" if native else "mteb", scores.parts)
        finally:
            task.unload()
        self.entries[task.name] = entry
        if len(scores.per_query):
            self.writer.add_table(checkpoint.label, task.name, scores.per_query)
        if len(scores.official):
            self.writer.add_official(checkpoint.label, task.name, scores.official)
        return scores.outcomes

    def _load(self, task: MtebTask) -> None:
        """Read a task's data.

        Raises:
            TaskDataError: If the data is not at hand or malformed.
        """
        began = time.perf_counter()
        try:
            task.load()
        finally:
            self.seconds["load"] += time.perf_counter() - began

    def _native(
        self,
        checkpoint: Checkpoint,
        task: MtebTask,
        variants: Sequence[Variant],
        calibration: Calibration | None,
    ) -> MtebScores:
        """Score with our own search and correlations."""
        parts = self._native_parts(checkpoint, task)
        began = time.perf_counter()
        fit_on = calibration or own_calibration(parts, self.seed)
        context = ScoringContext(fit_on, self.progress, official=True, engine=self.engine)
        scores = score_native(task, parts, variants, context)
        self.seconds["score"] += time.perf_counter() - began
        halves = [PartSides(part.task, part.first, part.second) for part in parts]
        self._measure(checkpoint, task, TaskSides.of_parts(halves), variants)
        return scores

    def _replayed(
        self,
        checkpoint: Checkpoint,
        task: MtebTask,
        variants: Sequence[Variant],
        calibration: Calibration | None,
    ) -> MtebScores:
        """Score with mteb's evaluator on stored vectors."""
        library = Library(checkpoint, self.store, self.progress)
        began = time.perf_counter()
        scores = score_replayed(task, library, variants, calibration or self.seed, self.progress)
        self._count(library.unique, library.encoded, library.seconds)
        self.seconds["score"] += time.perf_counter() - began - library.seconds
        if any(isinstance(outcome, Scored) for outcome in scores.outcomes.values()):
            self._measure(checkpoint, task, TaskSides.of_roles(library.served), variants)
        return scores

    def _measure(
        self, checkpoint: Checkpoint, task: Task, sides: TaskSides | None, variants: Sequence[Variant]
    ) -> None:
        """Look at the space itself, if there are vectors."""
        if sides is not None:
            self.geometry.measure(checkpoint.label, task.name, sides, variants, self.seed, self.progress)

    def _native_parts(self, checkpoint: Checkpoint, task: MtebTask) -> list[NativePart]:
        """Get the vectors of all parts of a loaded task that are tasks of our own."""
        chosen = [(part, part.native) for part in task.parts if part.native is not None]
        encoded = self._encode(checkpoint, [native for _, native in chosen])
        parts, start = [], 0
        for part, native in chosen:
            (_, left), (_, right) = sides(native)
            middle, stop = start + len(left), start + len(left) + len(right)
            first, second = encoded.vectors.slice(start, middle), encoded.vectors.slice(middle, stop)
            where = Part(part.split, part.subset, part.languages)
            parts.append(NativePart(where, native, first, second))
            start = stop
        return parts

    def _calibration(self, checkpoint: Checkpoint) -> Calibration | None:
        """Encode the named calibration set, if there is one: its documents, or both sides of its pairs."""
        if self.calibration is None:
            return None
        if isinstance(self.calibration, MtebTask):
            return self._mteb_calibration(checkpoint, self.calibration)
        encoded = self._encode(checkpoint, [self.calibration])
        return Calibration.draw(_halves(self.calibration, encoded).to_fit, self.seed)

    def _mteb_calibration(self, checkpoint: Checkpoint, task: MtebTask) -> Calibration:
        """Encode a task of MTEB to fit on.

        Raises:
            UsageError: If the task is neither stock retrieval nor STS, so that its texts are not known.
        """
        self._load(task)
        try:
            parts = self._native_parts(checkpoint, task)
            if not parts:
                message = f"calibration {task.name}: name a retrieval or STS task, not {task.task_type}"
                raise UsageError(message)
            return own_calibration(parts, self.seed)
        finally:
            task.unload()

    def _encode(self, checkpoint: Checkpoint, tasks: Sequence[NativeTask]) -> Encoded:
        """Get the vectors of both sides of tasks, in one go so that no text is encoded twice."""
        inputs = [
            _prompted(checkpoint, task, role, text)
            for task in tasks
            for role, texts in sides(task)
            for text in texts
        ]
        encoded = encode_once(checkpoint, inputs, self.store, self.progress)
        self._count(encoded.unique, encoded.encoded, encoded.seconds)
        return encoded

    def _count(self, texts: int, encoded: int, seconds: float) -> None:
        """Count texts and the time they took."""
        self._texts += texts
        self._encoded += encoded
        self.seconds["encode"] += seconds

    def _score(
        self, own: PartSides, variants: Sequence[Variant], calibration: Calibration | None
    ) -> TaskScores:
        began = time.perf_counter()
        fit_on = calibration or Calibration.draw(own.to_fit, self.seed)
        context = ScoringContext(fit_on, self.progress, engine=self.engine)
        if isinstance(own.task, RetrievalTask):
            scores = score_retrieval(own.task, own.first, own.second, variants, context)
        else:
            scores = score_sts(own.task, own.first, own.second, variants, context)
        self.seconds["score"] += time.perf_counter() - began
        return scores


def sides(task: NativeTask) -> tuple[tuple[Role, Sequence[TaskText]], tuple[Role, Sequence[TaskText]]]:
    """Return the two lists of texts of a task, each with its role: what is searched, then what asks."""
    if isinstance(task, StsTask):
        return ("symmetric", task.first), ("symmetric", task.second)
    return ("document", task.documents), ("query", task.queries)


def _halves(task: NativeTask, encoded: Encoded) -> PartSides:
    """Tell the vectors of what is searched from those of what asks."""
    (_, left), _ = sides(task)
    first = encoded.vectors.slice(0, len(left))
    return PartSides(task, first, encoded.vectors.slice(len(left), len(encoded.vectors)))


def _prompted(checkpoint: Checkpoint, task: NativeTask, role: Role, text: TaskText) -> Prompted:
    """Put the prompt of the task and role to a text."""
    return Prompted(*checkpoint.prompts.render(role, task.task_type, task.name, text.text, text.title))


def _record(cell: Cell, outcomes: Mapping[Variant, Outcome]) -> CellRecord:
    """Record a cell's outcome; a cell without one failed."""
    return CellRecord(
        checkpoint=cell.checkpoint,
        task=cell.task,
        variant=str(cell.variant),
        outcome=outcomes.get(cell.variant, Failed(reason="the variant was not scored")),
    )
