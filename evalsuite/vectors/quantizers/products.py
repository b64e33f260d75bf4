"""Inner products of codes, so that equal codes score exactly equal.

float32 holds every integer up to 2**24. Products of integer codes are therefore summed exactly in float32 as
long as bound**2 x dimensions stays within it (1,040 dimensions of int8); wider vectors are cut into pieces
that do, and the exact sums of the pieces are added in a fixed order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

EXACT_INTEGERS = 2**24
"""Every integer up to this one is a float32."""


def inner_products(queries: npt.NDArray[np.float32], documents: npt.NDArray[np.float32]) -> torch.Tensor:
    """Multiply float32 (n, d) by the transpose of float32 (m, d): float32 (n, m)."""
    import torch

    return (
        torch.from_numpy(np.ascontiguousarray(queries)) @ torch.from_numpy(np.ascontiguousarray(documents)).T
    )


def integer_products(queries: npt.NDArray[Any], documents: npt.NDArray[Any], bound: int) -> torch.Tensor:
    """Multiply integer codes: float32 (n, m), exact while the result stays below 2**24.

    Args:
        queries: (n, d) integers of magnitude at most `bound`.
        documents: (m, d) integers of magnitude at most `bound`.
        bound: Largest magnitude of a code.
    """
    piece = EXACT_INTEGERS // bound**2
    products = _as_floats(queries[:, :piece], documents[:, :piece])
    for start in range(piece, queries.shape[1], piece):
        stop = start + piece
        products += _as_floats(queries[:, start:stop], documents[:, start:stop])
    return products


def _as_floats(queries: npt.NDArray[Any], documents: npt.NDArray[Any]) -> torch.Tensor:
    """Multiply integers as float32."""
    return inner_products(queries.astype(np.float32), documents.astype(np.float32))
