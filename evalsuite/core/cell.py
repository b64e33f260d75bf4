"""Cell: the identity of one result and the join key of every comparison."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.core.variant import Variant


@dataclass(frozen=True)
class Cell:
    """One checkpoint on one task, shipped one way.

    Attributes:
        checkpoint: Label of the checkpoint.
        task: Name of the task.
        variant: Dimension and precision.
    """

    checkpoint: str
    task: str
    variant: Variant

    def __str__(self) -> str:
        return f"{self.checkpoint} · {self.task} · {self.variant}"
