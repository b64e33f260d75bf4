"""From a spec to variants and cells: pure functions, no model is loaded and no file is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.core.cell import Cell
from evalsuite.core.errors import UsageError
from evalsuite.core.variant import NATIVE, PREFIX, PROTOCOLS, Variant, parse_level
from evalsuite.vectors.projections import check_projection
from evalsuite.vectors.protocols import protocol
from evalsuite.vectors.quantizers import quantizer

SMALLEST_DEFAULT_DIM = 32


def default_dims(width: int, declared: Sequence[int]) -> tuple[int, ...]:
    """Choose dimensions for a model when none are asked for.

    Args:
        width: Full output width of the model.
        declared: Matryoshka dims the checkpoint declares; may be empty.

    Returns:
        The declared dims, descending, with the full width; else the width, 1/2, 1/4, ... down to 32.
    """
    if declared:
        return tuple(sorted({width, *declared}, reverse=True))
    dims = [width]
    while dims[-1] % 2 == 0 and dims[-1] // 2 >= SMALLEST_DEFAULT_DIM:
        dims.append(dims[-1] // 2)
    return tuple(dims)


def check_dims(asked: Iterable[int], widths: dict[str, int]) -> None:
    """Make sure that every model can be cut to every dimension asked for.

    Args:
        asked: Dimensions asked for.
        widths: Label of each model to its full width.

    Raises:
        UsageError: Names every dimension that is not positive, and every model that is too narrow.
    """
    problems = []
    for dim in dict.fromkeys(asked):
        if dim < 1:
            problems.append(f"dimension {dim} is not positive")
        problems += [
            f"dimension {dim} is larger than {label}'s {width}"
            for label, width in widths.items()
            if dim > width
        ]
    if problems:
        message = "; ".join(problems) + "; choose --dims between 1 and the model's width"
        raise UsageError(message)


def check_levels(precisions: Iterable[str]) -> None:
    """Make sure that every precision, and every copy kept for rescoring, is known.

    Raises:
        UsageError: If some are not; says what is wrong with each.
    """
    problems: list[str] = []
    for text in dict.fromkeys(precisions):
        try:
            _check_level(text)
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))


def check_seed(seed: int) -> None:
    """Make sure that a seed can be one.

    Raises:
        UsageError: If it is not a whole number from 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        message = f"seed is {seed!r}; give a whole number from 0"
        raise UsageError(message)


def _check_level(text: str) -> None:
    """Make sure that a precision is known."""
    precision, scoring = parse_level(text)
    if scoring.mode in PROTOCOLS:
        protocol(scoring.mode, precision)
    else:
        quantizer(precision)
    if scoring.copy:
        quantizer(scoring.copy)


def variants(
    width: int,
    dims: Iterable[int],
    precisions: Iterable[str],
    projections: Iterable[str] = (PREFIX,),
    weights: str = NATIVE,
) -> tuple[Variant, ...]:
    """Cross projections, dimensions and precisions: descending dims, the rest as given, no duplicates.

    Args:
        width: Full output width of the model; a control that would keep all of it is left out.
        dims: Dimensions to keep.
        precisions: Levels such as `int8` or `binary+rescore4`.
        projections: Which dimensions are kept.
        weights: Precision of the model's weights.

    Raises:
        UsageError: If a precision or projection is unknown, or nothing is given to cross.
    """
    levels = [parse_level(text) for text in dict.fromkeys(precisions)]
    spaces = [check_projection(name) for name in dict.fromkeys(projections)]
    dims = sorted(set(dims), reverse=True)
    for what, given in (("precision", levels), ("dimension", dims), ("projection", spaces)):
        if not given:
            message = f"no {what} given; name at least one"
            raise UsageError(message)
    return tuple(
        dict.fromkeys(
            Variant(dim, precision, scoring, projection, weights)
            for projection in spaces
            for dim in dims
            for precision, scoring in levels
            if projection == PREFIX or dim < width
        )
    )


def cells(checkpoint: str, tasks: Iterable[str], ways: Iterable[Variant]) -> tuple[Cell, ...]:
    """List every result that is expected of one checkpoint, task by task."""
    ways = tuple(ways)
    return tuple(Cell(checkpoint, task, way) for task in tasks for way in ways)
