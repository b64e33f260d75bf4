"""Engine: where the heavy work of a sweep is done. All write the same shards and give the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from evalsuite.core.progress import Progress
from evalsuite.embeddings.site import HERE, Site
from evalsuite.stats.spread.sides import DocumentPass, PassPlan
from evalsuite.sweep.scan import Scan, Scanned
from evalsuite.sweep.sides import TaskSides


class Engine(Protocol):
    """Encodes, searches and passes over documents, on one machine or on many."""

    @property
    def site(self) -> Site:
        """Where texts are encoded."""
        ...

    def describe(self) -> str:
        """Say in a few words what did the work, for the record."""
        ...

    def scan(self, scan: Scan, advance: Callable[[int], None]) -> Scanned:
        """Search a corpus; `advance` is told how many documents were searched."""
        ...

    def pass_over(self, plan: PassPlan, sides: TaskSides, progress: Progress) -> DocumentPass:
        """Pass over a task's documents once for their spread; `progress` is told of each."""
        ...


class LocalEngine:
    """This process, and the worker processes it starts to encode."""

    @property
    def site(self) -> Site:
        """This machine."""
        return HERE

    def describe(self) -> str:
        """Name it."""
        return "local"

    def scan(self, scan: Scan, advance: Callable[[int], None]) -> Scanned:
        """Read the corpus from first to last."""
        return scan.run(advance)

    def pass_over(self, plan: PassPlan, sides: TaskSides, progress: Progress) -> DocumentPass:
        """Read the documents from first to last."""
        return plan.over(sides.blocks(progress))


LOCAL = LocalEngine()
