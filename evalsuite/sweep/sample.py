"""A sample of the texts that a run will encode, to measure an encoder with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalsuite.core.errors import TaskDataError
from evalsuite.embeddings.encode import Prompted
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.sweep.run import sides
from evalsuite.tasks.kinds import Task
from evalsuite.tasks.mteb import MtebTask
from evalsuite.tasks.task import NativeTask


def sample_inputs(checkpoint: Checkpoint, tasks: Sequence[Task], count: int, seed: int) -> list[Prompted]:
    """Draw texts at random, with the prompts they are encoded with.

    Args:
        checkpoint: Whose prompts.
        tasks: The run's tasks. If none is our own, the first of MTEB whose texts are known is loaded.
        count: How many, at most.
        seed: Seed of the draw.

    Returns:
        Distinct inputs in random order; none if no task's texts are known before it is evaluated.
    """
    own: list[NativeTask] = [task for task in tasks if not isinstance(task, MtebTask)]
    inputs = _inputs(checkpoint, own) or _mteb_inputs(checkpoint, tasks)
    chosen = np.random.default_rng(seed).permutation(len(inputs))[:count]
    return [inputs[place] for place in chosen]


def _inputs(checkpoint: Checkpoint, tasks: Sequence[NativeTask]) -> list[Prompted]:
    """List the distinct inputs of tasks."""
    every = (
        Prompted(*checkpoint.prompts.render(role, task.task_type, task.name, text.text, text.title))
        for task in tasks
        for role, texts in sides(task)
        for text in texts
    )
    return list(dict.fromkeys(every))


def _mteb_inputs(checkpoint: Checkpoint, tasks: Sequence[Task]) -> list[Prompted]:
    """List the inputs of the first of MTEB's tasks that has known texts, passing over broken ones."""
    for task in tasks:
        if not isinstance(task, MtebTask):
            continue
        try:
            task.load()
            found = _inputs(checkpoint, [part.native for part in task.parts if part.native is not None])
        except TaskDataError:
            continue  # the sweep says what is wrong with it
        finally:
            task.unload()
        if found:
            return found
    return []
