"""RayCrew: a cluster's workers behind the seam of encoders; they encode jobs as `Crew`'s processes do."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalsuite.cluster.pool import Call, Hooks, Pool
from evalsuite.core.errors import CheckpointError, EncodingError, EvalsuiteError
from evalsuite.embeddings.process import GROUP_TEXTS, Job
from evalsuite.embeddings.site import DEVICE_TOKENS, HOST_TOKENS, Way
from evalsuite.models.blueprint import Makes
from evalsuite.models.checkpoint import Checkpoint

Floats = npt.NDArray[np.float32]


class RayCrew:
    """Workers of a cluster that encode as one encoder.

    Args:
        pool: The workers, which outlive the crew.
        blueprint: What each makes its encoder from.
        dim: Width of the vectors.
        label: Name of the model, for messages.
        batch: Texts of a batch where batches are those of one process by default, else 0.

    Attributes:
        device: Devices of the workers; empty before the start.
        weight_report: What rounding did to the weights, as JSON values; None if they are as loaded.
    """

    def __init__(self, pool: Pool, blueprint: Makes, *, dim: int, label: str, batch: int = 0) -> None:
        self.pool = pool
        self.dim = dim
        self.label = label
        self.batch = batch
        self.device = ""
        self.weight_report: dict[str, Any] | None = None
        self._blueprint = {"make": blueprint.make, "blueprint": blueprint.to_dict()}

    def __len__(self) -> int:
        return self.pool.shares.workers

    def start(self) -> RayCrew:
        """Have every worker load the model, side by side, and wait for it.

        Raises:
            CheckpointError: If the model cannot be loaded in a worker.
        """
        try:
            answers = self.pool.each("open", self._blueprint)
        except EvalsuiteError as error:
            message = f"{self.label}: {error}"
            raise CheckpointError(message) from error
        self.device = ", ".join(dict.fromkeys(str(each["device"]) for each in answers))
        self.weight_report = answers[0]["weight_report"]
        return self

    def close(self) -> None:
        """Have the workers let go of the model."""
        self.pool.tell("forget")

    def encode(self, texts: Sequence[str], prompt: str) -> Floats:
        """Encode texts with one worker; see `Encoder.encode`."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        ((_, vectors),) = self.stream([Job(prompt, texts)])
        return vectors

    def stream(
        self,
        jobs: Iterable[Job],
        told: Callable[[Job, int, int], None] | None = None,
        check: Callable[[Job, Floats], None] | None = None,
    ) -> Iterator[tuple[Job, Floats]]:
        """Encode jobs side by side; see `Crew.stream`, whose contract this is.

        Raises:
            EncodingError: If a model raises, `check` does, or workers die over the same job.
        """
        hooks = Hooks(
            told=_Told(told or _nothing),
            accept=lambda call, result: (check or _nothing)(call.about, self.pool.ray.get(result)),
            fails=lambda _, text: EncodingError(f"{self.label} failed while encoding: {text}"),
        )
        for call, result in self.pool.stream(map(self._call, jobs), hooks):
            yield call.about, self.pool.ray.get(result)

    def _call(self, job: Job) -> Call:
        """Make a job a call, in calls of the model of the sizes that a local worker makes."""
        count = len(job.texts)
        groups = job.groups or [min(GROUP_TEXTS, count - start) for start in range(0, count, GROUP_TEXTS)]
        return Call("encode", (self._blueprint, job.prompt, list(job.texts), list(groups)), job)


class _Told:
    """Turns texts done since into ranges of a job's texts.

    Args:
        told: Who is told.
    """

    def __init__(self, told: Callable[[Job, int, int], None]) -> None:
        self._told = told
        self._done: Counter[Call] = Counter()

    def __call__(self, call: Call, items: int) -> None:
        """Tell of texts done, or not done after all if negative."""
        start = self._done[call]
        self._done[call] += items
        self._told(call.about, start, start + items)


class RaySite:
    """The cluster as a place to encode.

    Args:
        pool: Its workers.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def name(self) -> str:
        """Measurements of the cluster are kept apart from those of a machine."""
        return "ray"

    def alone(self, checkpoint: Checkpoint) -> Checkpoint:
        """Put a checkpoint on the default road, in one worker: batches of a fixed number of texts."""
        blueprint = checkpoint.blueprint
        if blueprint is None:
            return checkpoint
        own = dataclasses.replace(blueprint, device=_visible(blueprint.device))
        crew = RayCrew(
            self._pool, own, dim=checkpoint.dim, label=checkpoint.label, batch=blueprint.batch_size
        )
        return dataclasses.replace(checkpoint, load=crew.start)

    def ways(self, device: str | None, workers: int | Literal["auto"]) -> list[Way]:  # noqa: ARG002 - settled when Ray was asked
        """List the one way there is: the cluster was shared out when the run began."""
        shares = self._pool.shares
        tokens = DEVICE_TOKENS if shares.gpus else HOST_TOKENS
        return [Way(shares.threads, (_visible(device),) * shares.workers, tokens)]

    def gather(self, blueprints: Sequence[Makes], *, threads: int, dim: int, label: str) -> RayCrew:  # noqa: ARG002 - the workers have their threads
        """Gather a crew of the pool's workers."""
        return RayCrew(self._pool, blueprints[0], dim=dim, label=label)


def _visible(device: str | None) -> str | None:
    """Name a device as a worker sees it: Ray shows each the accelerators it may use, counted from 0."""
    return None if device is None else device.partition(":")[0]


def _nothing(*_: object) -> None:
    """Take what is told, and do nothing."""
