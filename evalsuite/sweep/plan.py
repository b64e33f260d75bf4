"""From a spec to variants and cells: pure functions, no model is loaded and no file is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.core.cell import Cell
from evalsuite.core.errors import UsageError
from evalsuite.core.variant import Variant
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


def variants(dims: Iterable[int], precisions: Iterable[str]) -> tuple[Variant, ...]:
    """Cross dimensions with precisions: descending dims, precisions in the order given, no duplicates.

    Raises:
        UsageError: If a precision is unknown (lists the known ones), or nothing is given to cross.
    """
    names = [quantizer(name).name for name in dict.fromkeys(precisions)]
    dims = sorted(set(dims), reverse=True)
    if not (names and dims):
        message = f"no {'precision' if dims else 'dimension'} given; name at least one"
        raise UsageError(message)
    return tuple(Variant(dim, name) for dim in dims for name in names)


def cells(checkpoint: str, tasks: Iterable[str], ways: Iterable[Variant]) -> tuple[Cell, ...]:
    """List every result that is expected of one checkpoint, task by task."""
    ways = tuple(ways)
    return tuple(Cell(checkpoint, task, way) for task in tasks for way in ways)
