"""One checkpoint on one task: its cells, laid out as a grid."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from evalsuite.core.record import Fidelity
from evalsuite.core.variant import Variant


@dataclass(frozen=True)
class ScoredCell:
    """The main metric of one cell that was evaluated.

    Attributes:
        variant: Dimension and precision.
        value: The main metric, a fraction.
        lower: Lower end of its 95 % interval.
        upper: Upper end of its 95 % interval.
        n: Queries or pairs behind it.
        bytes_per_vector: Stored bytes a document vector.
        compression: Bytes of a full-width float32 vector divided by `bytes_per_vector`.
        retention: `value` divided by the full-width float32 value of the same checkpoint and task; None if
            that cell failed, is absent or is not positive.
        expected: Mean over every order of tied documents, where ties can change the metric.
        ties_won: Value with every tie broken in favour of the relevant documents.
        ties_lost: Value with every tie broken against them.
        tie_share: Share of queries with a tie across the cut-off.
        index_bytes: Bytes stored once for the whole index.
        fidelity: How true the stored vectors are to the float32 vectors.
        pareto: Whether no other variant of the panel has fewer or equal bytes and a higher or equal value.
    """

    variant: Variant
    value: float
    lower: float
    upper: float
    n: int
    bytes_per_vector: float
    compression: float
    retention: float | None = None
    expected: float | None = None
    ties_won: float | None = None
    ties_lost: float | None = None
    tie_share: float | None = None
    index_bytes: float = 0.0
    fidelity: Fidelity = field(default_factory=Fidelity)
    pareto: bool = False

    @property
    def half_interval(self) -> float:
        """Half the width of the 95 % interval."""
        return (self.upper - self.lower) / 2


@dataclass(frozen=True)
class FailedCell:
    """A cell that could not be evaluated, and why."""

    variant: Variant
    reason: str


@dataclass(frozen=True)
class Panel:
    """One checkpoint on one task: a grid of cells, dimension by precision.

    Attributes:
        checkpoint: Label of the checkpoint.
        task: Name of the task.
        metric: Canonical text of the task's main metric.
        dims: Dimensions, falling.
        precisions: Precisions with their scoring, controls apart, in the order of the run.
        cells: The cells there are; a variant that was never asked for is absent.
    """

    checkpoint: str
    task: str
    metric: str
    dims: tuple[int, ...]
    precisions: tuple[str, ...]
    cells: Mapping[Variant, ScoredCell | FailedCell]

    def at(self, dim: int, precision: str) -> ScoredCell | FailedCell | None:
        """Return the cell of a dimension and a precision; None if the run did not ask for it."""
        return self._grid.get((dim, precision))

    @functools.cached_property
    def _grid(self) -> Mapping[tuple[int, str], ScoredCell | FailedCell]:
        """The cells by dimension and precision."""
        return {(variant.dim, variant.series): cell for variant, cell in self.cells.items()}

    @property
    def scored(self) -> tuple[ScoredCell, ...]:
        """The cells that were evaluated."""
        return tuple(cell for cell in self.cells.values() if isinstance(cell, ScoredCell))

    @property
    def failed(self) -> tuple[FailedCell, ...]:
        """The cells that could not be evaluated."""
        return tuple(cell for cell in self.cells.values() if isinstance(cell, FailedCell))

    @property
    def front(self) -> tuple[ScoredCell, ...]:
        """The Pareto-optimal cells, by rising bytes."""
        return tuple(sorted((c for c in self.scored if c.pareto), key=lambda cell: cell.bytes_per_vector))

    @property
    def most_tied(self) -> ScoredCell | None:
        """The cell with the largest tie share; None if no cell has ties."""
        tied = [cell for cell in self.scored if cell.tie_share]
        return max(tied, key=lambda cell: cell.tie_share or 0.0) if tied else None
