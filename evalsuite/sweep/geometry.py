"""What a run says of the vectors themselves, beside their scores: their spread, and approximate search."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from evalsuite.core.ann import AnnEntry, AnnMissing
from evalsuite.core.progress import Progress, stage
from evalsuite.core.spread import SpreadEntry
from evalsuite.core.variant import Variant
from evalsuite.sweep.ann import probe_search, probed_levels
from evalsuite.sweep.engine import LOCAL, Engine
from evalsuite.sweep.sides import TaskSides
from evalsuite.sweep.spread import measure_spread, measured_dims


@dataclass
class Geometry:
    """Measures the space of every checkpoint and task, and keeps what it found.

    Attributes:
        wants_spread: Whether the spread is measured.
        wants_ann: Whether approximate search is probed, where a task has queries and documents.
        engine: Where documents are passed over.
        spread: Found so far, filled while running.
        ann: Found so far.
        ann_missing: What could not be probed so far.
        seconds: Wall time by stage.
    """

    wants_spread: bool = True
    wants_ann: bool = False
    engine: Engine = LOCAL
    spread: list[SpreadEntry] = field(default_factory=list)
    ann: list[AnnEntry] = field(default_factory=list)
    ann_missing: list[AnnMissing] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"spread": 0.0, "ann": 0.0})

    def measure(
        self,
        checkpoint: str,
        task: str,
        sides: TaskSides,
        variants: Sequence[Variant],
        seed: int,
        progress: Progress,
    ) -> None:
        """Measure what is wanted of one checkpoint on one task.

        Args:
            checkpoint: Label of the checkpoint.
            task: Name of the task.
            sides: Its vectors.
            variants: The grid, which says what dimensions and precisions are looked at.
            seed: Seed of everything random.
            progress: Who is told.
        """
        if self.wants_spread:
            began = time.perf_counter()
            with stage(progress, f"measuring the spread of {task}", len(sides.documents)):
                found = measure_spread(sides, measured_dims(variants), seed, progress, self.engine)
            self.spread += [each.of(checkpoint, task) for each in found]
            self.seconds["spread"] += time.perf_counter() - began
        if self.wants_ann and sides.queries is not None:
            began = time.perf_counter()
            self._probe(checkpoint, task, sides, variants, seed, progress)
            self.seconds["ann"] += time.perf_counter() - began

    def _probe(
        self,
        checkpoint: str,
        task: str,
        sides: TaskSides,
        variants: Sequence[Variant],
        seed: int,
        progress: Progress,
    ) -> None:
        """Probe approximate search on one task."""
        dims, levels = measured_dims(variants), probed_levels(variants)
        with stage(progress, f"probing approximate search of {task}", len(dims) * len(levels)):
            probes, reasons = probe_search(sides, dims, levels, seed, progress)
        self.ann += [AnnEntry(checkpoint=checkpoint, task=task, probe=each) for each in probes]
        self.ann_missing += [AnnMissing(checkpoint=checkpoint, task=task, reason=why) for why in reasons]
