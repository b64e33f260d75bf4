"""How models encode in a run: weight levels, and the road that texts take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence

from evalsuite.api.engines import EngineName
from evalsuite.core.errors import CheckpointError, EncodingError, UsageError
from evalsuite.core.road import RoadEntry
from evalsuite.core.spec import SweepSpec
from evalsuite.core.variant import NATIVE
from evalsuite.embeddings.roads import RoadAsk, choose_road
from evalsuite.embeddings.site import AUTO, HERE, usable_cores
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.derived import EXACT, with_weights
from evalsuite.sweep.run import Sweep
from evalsuite.sweep.sample import sample_inputs

WORKERS_A_PROCESSOR = 4
"""Local workers at most: each is a process with the model, and too many bring the whole machine to a halt."""


def check_workers(workers: int | str, engine: EngineName) -> None:
    """Make sure that so many processes can encode.

    Raises:
        UsageError: If it is neither a positive number nor `auto`, or more than this machine can start.
    """
    if workers == AUTO:
        return
    if not (isinstance(workers, int) and workers >= 1):
        message = f"workers is {workers!r}; give {AUTO} or a whole number from 1"
        raise UsageError(message)
    processors = usable_cores()
    if engine == "local" and workers > processors * WORKERS_A_PROCESSOR:
        message = (
            f"{workers} workers on {processors} processors: each is a process that loads the model; "
            f"give {AUTO} or at most {processors * WORKERS_A_PROCESSOR}, or --engine ray for other machines"
        )
        raise UsageError(message)


def opening_dtype(dtype: str) -> str:
    """Return the number format models are opened in: `auto` begins with float32."""
    return EXACT if dtype == AUTO else dtype


def at_levels(
    checkpoints: Iterable[Checkpoint], levels: Sequence[str], embeddings: str | None
) -> list[Checkpoint]:
    """Return every checkpoint at every weight level: one checkpoint each.

    Raises:
        UsageError: If a model's weights cannot be rounded; names every such model.
    """
    made: list[Checkpoint] = []
    problems: list[str] = []
    for checkpoint in checkpoints:
        try:
            made += [with_weights(checkpoint, level, embeddings) for level in levels]
        except UsageError as error:
            problems.append(str(error))
    if problems:
        message = "; ".join(problems)
        raise UsageError(message)
    return made


@contextlib.contextmanager
def on_road(
    checkpoint: Checkpoint, asked: SweepSpec, sweep: Sweep
) -> Iterator[tuple[Checkpoint, RoadEntry | None]]:
    """Put a checkpoint on the road asked for, and let go of what was loaded for it at the end.

    A model that cannot be measured stays on the default road, and that is told; what is wrong with the model
    itself, every cell says then.
    """
    taken, road = checkpoint, None
    began = time.perf_counter()
    # One number format for all levels of a run: otherwise they would differ in more than their weights.
    ask = RoadAsk(asked.workers, auto_dtype=asked.dtype == AUTO and set(asked.weights) == {NATIVE})
    try:
        if not ask.default or sweep.engine.site is not HERE:
            try:
                taken, road = choose_road(
                    checkpoint,
                    ask,
                    lambda count: sample_inputs(checkpoint, sweep.tasks, count, sweep.seed),
                    sweep.store,
                    sweep.progress,
                    sweep.engine.site,
                )
            except (CheckpointError, EncodingError) as error:
                sweep.progress.note(f"{checkpoint.label}: this process encodes, as by default: {error}")
            sweep.seconds["choose"] = sweep.seconds.get("choose", 0.0) + time.perf_counter() - began
        yield taken, road
    finally:
        if taken is not checkpoint:
            taken.release()
        if checkpoint.weights != NATIVE:
            checkpoint.release()
