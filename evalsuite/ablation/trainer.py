"""The training loop: one arm, one seed, deterministic, resumable, and stopped by the first NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.ablation.features import Features
from evalsuite.ablation.losses.nce import duplicates
from evalsuite.ablation.objective import Batch, Objective
from evalsuite.ablation.pairs import Pairs
from evalsuite.ablation.state import State, TrainingError, load_state, pack, save_state, unpack
from evalsuite.ablation.student import Ints, Student
from evalsuite.core.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

WARMUP = 0.1
"""Share of the steps over which the learning rate rises."""

HISTORY_EVERY = 10
STEP_SEEDS = 1_000_003
"""Steps are seeded apart, so that dropout is the same whether or not a training was resumed."""


@dataclass(frozen=True)
class Course:
    """How one arm is trained with one seed.

    Attributes:
        name: For progress and messages.
        identity: Hash of everything that decides the weights.
        seed: Seed of dropout; the order of the batches is in `batches` already.
        batches: Row numbers of each step's pairs.
        learning_rate: Its peak.
        save_every: Steps between two states.
        state: Where the state is kept.
    """

    name: str
    identity: str
    seed: int
    batches: Sequence[Ints]
    learning_rate: float
    save_every: int
    state: Path


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Return the learning rate of a step (from 0): linear warm-up, then a half cosine down to 0."""
    rise = max(1, round(WARMUP * steps))
    if step < rise:
        return peak * (step + 1) / rise
    return peak * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


class Trainer:
    """Trains one student.

    Args:
        student: What is trained; changed in place.
        objective: The arm's losses.
        pairs: The training pairs.
        teacher: The teacher's vectors of the pairs; None if nothing is distilled.
        projection: (e, d) start of the learned map into the teacher's space; None for none.
    """

    def __init__(
        self,
        student: Student,
        objective: Objective,
        pairs: Pairs,
        teacher: Features | None,
        projection: Tensor | None = None,
    ) -> None:
        self.student = student
        self.objective = objective
        self.pairs = pairs
        self.teacher = teacher
        self.projection = projection

    def run(self, course: Course, progress: Progress) -> list[dict[str, float]]:
        """Train to the last step, from the saved state if there is one of the same identity.

        Returns:
            The history: every few steps the step (from 1) and each loss, unweighted.

        Raises:
            TrainingError: At the first loss that is NaN or infinite; names the step. The last good state is
                kept.
            StorageError: If the state cannot be read or written.
        """
        import torch

        parameters = self.student.parameters()
        if self.projection is not None:
            parameters = {**parameters, "projection": self.projection}
        optimizer = torch.optim.AdamW(parameters.values(), lr=course.learning_rate, weight_decay=0.0)
        saved = load_state(course.state, course.identity)
        history = [] if saved is None else saved.history
        first = 0 if saved is None else saved.step
        if saved is not None:
            unpack(saved.tensors, parameters, optimizer)
        steps = len(course.batches)
        progress.start(f"training {course.name}", steps - first, float(steps - first))
        try:
            for step in range(first, steps):
                losses = self._step(step, course, optimizer)
                if (step + 1) % HISTORY_EVERY == 0 or step + 1 == steps:
                    history.append({"step": float(step + 1), **losses})
                if (step + 1) % course.save_every == 0 or step + 1 == steps:
                    tensors = pack(parameters, optimizer)
                    save_state(course.state, State(step + 1, course.identity, history, tensors))
                progress.advance(1, 1.0)
        finally:
            progress.finish()
        return history

    def _step(self, step: int, course: Course, optimizer: Optimizer) -> dict[str, float]:
        """Make one step and return its losses.

        Raises:
            TrainingError: If the loss is NaN or infinite; nothing was changed then.
        """
        import torch

        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, len(course.batches), course.learning_rate)
        with torch.random.fork_rng():
            torch.manual_seed(course.seed * STEP_SEEDS + step)
            terms = self.objective.terms(self._batch(course.batches[step]), self.projection)
            total = self.objective.total(terms)
            losses = {name: float(term.detach()) for name, term in terms.items()}
            if not math.isfinite(float(total.detach())):
                raise TrainingError(_not_finite(step, losses, course))
            optimizer.zero_grad(set_to_none=True)
            total.backward()
        optimizer.step()
        return losses

    def _batch(self, rows: Ints) -> Batch:
        import torch

        students = self.student.columns(rows)
        numbers = torch.from_numpy(self.pairs.columns[rows])
        masked = duplicates(numbers[:, 0], numbers[:, 1]).to(students[0].device)
        teachers = [] if self.teacher is None else self.teacher.columns(rows)
        return Batch(students, [each.to(students[0].device) for each in teachers], masked)


def _not_finite(step: int, losses: dict[str, float], course: Course) -> str:
    """Say which loss broke, when, and what is left."""
    told = ", ".join(f"{name} {value:g}" for name, value in losses.items())
    last = step - step % course.save_every
    kept = f"the state after step {last} is kept in {course.state}" if last else "no state was saved yet"
    return (
        f"{course.name}: the loss of step {step + 1} is not finite ({told}); {kept}; "
        "lower the learning rate or the weights, or look at the pairs of that batch"
    )
