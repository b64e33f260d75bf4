"""Site: where texts are encoded. This machine is one; a cluster is another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from evalsuite.embeddings.crew import Crew
from evalsuite.embeddings.process import Job
from evalsuite.models.blueprint import Makes
from evalsuite.models.checkpoint import Checkpoint

Floats = npt.NDArray[np.float32]

AUTO: Literal["auto"] = "auto"

HOST_TOKENS, DEVICE_TOKENS = 2048, 32768
"""Tokens of a batch: small enough for a processor's caches, large enough to fill an accelerator."""


@runtime_checkable
class Team(Protocol):
    """Encoders that share jobs, and stand behind the seam as one; see `Crew`."""

    batch: int
    """Texts of a batch where batches are those of one process by default; 0 where texts of similar length
    share batches of so many tokens."""
    device: str

    def __len__(self) -> int: ...

    def start(self) -> Self:
        """Start those that are not running."""
        ...

    def close(self) -> None:
        """End all."""
        ...

    def encode(self, texts: Sequence[str], prompt: str) -> Floats:
        """Encode texts with one of them; see `Encoder.encode`."""
        ...

    def stream(
        self,
        jobs: Iterable[Job],
        told: Callable[[Job, int, int], None] | None = None,
        check: Callable[[Job, Floats], None] | None = None,
    ) -> Iterator[tuple[Job, Floats]]:
        """Encode jobs side by side; see `Crew.stream`."""
        ...


@dataclass(frozen=True)
class Way:
    """A way to share a machine, or several, out among encoders.

    Attributes:
        threads: Threads of each encoder; 0 leaves it to torch.
        devices: Device of each; None lets sentence-transformers choose.
        tokens: Most tokens of a batch.
    """

    threads: int
    devices: tuple[str | None, ...]
    tokens: int


class Site(Protocol):
    """A place with room for encoders."""

    @property
    def name(self) -> str:
        """What a measurement made here is remembered by."""
        ...

    def alone(self, checkpoint: Checkpoint) -> Checkpoint:
        """Put a checkpoint on the default road: one process, batches of a fixed number of texts."""
        ...

    def ways(self, device: str | None, workers: int | Literal["auto"]) -> list[Way]:
        """List the ways to encode with so many workers, most workers first."""
        ...

    def gather(self, blueprints: Sequence[Makes], *, threads: int, dim: int, label: str) -> Team:
        """Gather encoders; none is started."""
        ...


class Here:
    """This machine."""

    @property
    def name(self) -> str:
        """Nothing to add: the machine's own name is in every measurement."""
        return ""

    def alone(self, checkpoint: Checkpoint) -> Checkpoint:
        """Leave it to this process."""
        return checkpoint

    def ways(self, device: str | None, workers: int | Literal["auto"]) -> list[Way]:
        """List one worker a device where there are accelerators, else shares of the cores."""
        devices = accelerators(device)
        if devices:
            count = len(devices) if workers == AUTO else workers
            own = tuple(devices[place % len(devices)] for place in range(count))
            return [Way(0, own, DEVICE_TOKENS)]
        cores = usable_cores()
        counts = {cores, max(1, cores // 4), 1} if workers == AUTO else {workers}
        return [
            Way(max(1, cores // count), (device,) * count, HOST_TOKENS)
            for count in sorted(counts, reverse=True)
        ]

    def gather(self, blueprints: Sequence[Makes], *, threads: int, dim: int, label: str) -> Crew:
        """Gather worker processes."""
        return Crew(blueprints, threads=threads, dim=dim, label=label)


HERE = Here()


def usable_cores() -> int:
    """Count the processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def accelerators(device: str | None) -> list[str]:
    """List the CUDA devices to use, one process each: that asked for, or all; none on the CPU."""
    import torch

    if device is not None and not device.startswith("cuda"):
        return []
    if not torch.cuda.is_available():
        return []
    return (
        [device]
        if device is not None and ":" in device
        else [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    )
