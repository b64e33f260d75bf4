"""Measure the spread of a task's vectors in one pass over what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.core.progress import Progress
from evalsuite.core.spread import Curve, SideSpread
from evalsuite.core.variant import Variant
from evalsuite.stats.spread.sides import PassPlan, QuerySide, spread_of_pass
from evalsuite.sweep.engine import LOCAL, Engine
from evalsuite.sweep.sides import TaskSides

CURVE_DIGITS = 4
"""Significant digits of a curve in the record; it is drawn, nothing is computed from it."""


def measured_dims(variants: Iterable[Variant]) -> list[int]:
    """List the dimensions of a grid, largest first; spread is that of the prefix, whatever the projection."""
    return sorted({variant.dim for variant in variants}, reverse=True)


def measure_spread(
    sides: TaskSides, dims: Sequence[int], seed: int, progress: Progress, engine: Engine = LOCAL
) -> list[SideSpread]:
    """Measure every side at every dimension, documents read block by block.

    Args:
        sides: The vectors; queries are read at once.
        dims: Dimensions of the prefixes.
        seed: Seed of the samples.
        progress: Told about documents.
        engine: Where documents are passed over.
    """
    queries = None if sides.queries is None else QuerySide(sides.queries.all(), sides.positives)
    plan = PassPlan.of(queries, dims, seed)
    found = spread_of_pass(plan, engine.pass_over(plan, sides, progress), queries)
    return [
        spread.model_copy(update={"cosines": _rounded(spread.cosines), "spectrum": _rounded(spread.spectrum)})
        for spread in found
    ]


def _rounded(curve: Curve | None) -> Curve | None:
    """Round a curve for the record."""
    if curve is None:
        return None
    return Curve(x=_digits(curve.x), y=_digits(curve.y), ideal=_digits(curve.ideal))


def _digits(values: Iterable[float]) -> tuple[float, ...]:
    """Keep `CURVE_DIGITS` significant digits."""
    return tuple(float(f"{value:.{CURVE_DIGITS}g}") for value in values)
