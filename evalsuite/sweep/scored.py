"""What scoring a task takes and gives, and what a variant stores."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evalsuite.core.progress import Progress
from evalsuite.core.record import Outcome, PartEntry
from evalsuite.core.variant import PROTOCOLS, Variant
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.engine import LOCAL, Engine
from evalsuite.sweep.spaces import Fitted, Space
from evalsuite.vectors.protocols import protocol
from evalsuite.vectors.quantizers import quantizer

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ScoringContext:
    """What scoring needs beside the vectors.

    Attributes:
        calibration: Vectors that quantizers and projections are fitted on, and the seed.
        progress: Who is told.
        official: Whether the metrics that mteb would report are wanted too.
        engine: Where a corpus is searched.
    """

    calibration: Calibration
    progress: Progress
    official: bool = False
    engine: Engine = LOCAL

    @functools.cached_property
    def fitted(self) -> Fitted:
        """Projections and quantizers, fitted when first used and shared by all parts of a task."""
        return Fitted(self.calibration)


@dataclass(frozen=True)
class TaskScores:
    """Outcomes and the per-query values behind them.

    Attributes:
        outcomes: One a variant.
        per_query: One row a (variant, query or pair): `variant`, `id`, then one column a metric; empty if
            every variant failed.
        official: The metrics that mteb would report, under its names; empty unless asked for.
    """

    outcomes: dict[Variant, Outcome]
    per_query: pd.DataFrame
    official: Mapping[Variant, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class MtebScores:
    """What scoring an MTEB task gives.

    Attributes:
        outcomes: One a variant; metrics are means over the parts.
        per_query: As in `TaskScores`, with a column `part`; ids read `split/subset:id`.
        official: Columns `variant`, `split`, `subset`, `languages`, `metric`, `value`.
        parts: The parts, with the number of kept values of each.
    """

    outcomes: dict[Variant, Outcome]
    per_query: pd.DataFrame
    official: pd.DataFrame
    parts: tuple[PartEntry, ...]


def bytes_per_vector(variant: Variant, fitted: Fitted) -> float:
    """Count the stored bytes of one document vector, a copy for rescoring included."""
    space = Space.of(variant)
    if variant.scoring.mode in PROTOCOLS:
        return protocol(variant.scoring.mode, variant.precision).bytes_per_vector(variant.dim)
    total = quantizer(variant.precision).bytes_per_vector(variant.dim)
    if variant.scoring.copy:
        total += fitted.quantizer(space, variant.scoring.copy).bytes_per_vector(variant.dim)
    return total


def index_bytes(variant: Variant, fitted: Fitted) -> float:
    """Count the bytes stored once for the whole index: ranges, codebooks, rotations of codes and copy."""
    if variant.scoring.mode in PROTOCOLS:
        return protocol(variant.scoring.mode, variant.precision).index_bytes(variant.dim)
    levels = [name for name in (variant.precision, variant.scoring.copy) if name]
    return sum(fitted.quantizer(Space.of(variant), name).index_bytes(variant.dim) for name in levels)
