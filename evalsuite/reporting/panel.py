"""One checkpoint on one task: its cells, laid out as a grid."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from evalsuite.core.record import Fidelity
from evalsuite.core.variant import Variant
from evalsuite.reporting.choose import pareto_front

_UNITS = {
    "STS": "pairs",
    "PairClassification": "pairs",
    "BitextMining": "sentences",
    "Summarization": "texts",
    "Classification": "repetitions",
    "MultilabelClassification": "repetitions",
    "Clustering": "repetitions",
}
"""What a kept value stands for, by MTEB's kind of task; a query in the kinds that rank."""


@dataclass(frozen=True)
class ScoredCell:
    """The main metric of one cell that was evaluated.

    Attributes:
        variant: Dimension and precision.
        value: The main metric, a fraction.
        lower: Lower end of its 95 % interval; None if none can be given.
        upper: Upper end of its 95 % interval; likewise.
        n: Queries, pairs or other kept values behind it; None if unknown.
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
    lower: float | None
    upper: float | None
    n: int | None
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
    def half_interval(self) -> float | None:
        """Half the width of the 95 % interval; None if none can be given."""
        if self.lower is None or self.upper is None:
            return None
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
        kind: How the task's entry in the record is read: `retrieval`, `sts` or `mteb`.
        task_type: MTEB's name of the kind of task.
        subsets: Names of the parts of an MTEB task; several are averaged.
    """

    checkpoint: str
    task: str
    metric: str
    dims: tuple[int, ...]
    precisions: tuple[str, ...]
    cells: Mapping[Variant, ScoredCell | FailedCell]
    kind: str = ""
    task_type: str = ""
    subsets: tuple[str, ...] = ()

    def at(self, dim: int, precision: str) -> ScoredCell | FailedCell | None:
        """Return the cell of a dimension and a precision; None if the run did not ask for it."""
        return self._grid.get((dim, precision))

    @property
    def unit(self) -> str:
        """What the values behind a score belong to, in the plural."""
        return _UNITS.get(self.task_type, "pairs" if self.kind == "sts" else "queries")

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


def compared(
    cells: Mapping[Variant, ScoredCell | FailedCell], full: Variant
) -> dict[Variant, ScoredCell | FailedCell]:
    """Give the cells of a panel their retention and mark the Pareto-optimal ones.

    Args:
        cells: The cells of one panel.
        full: The full-width float32 variant, which retention is measured against: there is none if its cell
            failed, is absent or is not positive.
    """
    scored = [cell for cell in cells.values() if isinstance(cell, ScoredCell)]
    reference = cells.get(full)
    if isinstance(reference, ScoredCell) and reference.value > 0:
        scored = [replace(cell, retention=cell.value / reference.value) for cell in scored]
    shipped = [cell for cell in scored if not cell.variant.for_comparison]
    front = pareto_front([(cell.bytes_per_vector, cell.value) for cell in shipped])
    best = {shipped[index].variant for index in front}
    return {**cells, **{cell.variant: replace(cell, pareto=cell.variant in best) for cell in scored}}
