"""From a full-width vector to a shipped one: slice the prefix, then L2-normalise in float32."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def unit_prefix(vectors: Floats, dim: int) -> Floats:
    """Keep the first `dim` dimensions of each row and scale the row to unit length.

    Matryoshka training optimises these renormalised prefixes (Kusupati et al. 2022, arXiv 2205.13147).
    The norm is taken in float32; bfloat16 encoders return rows whose norm is off by up to 1e-3, which this
    repairs too. A row whose prefix is all zeros stays all zeros: it scores 0 with everything.

    Args:
        vectors: float32 (n, width), full-width model outputs.
        dim: Number of leading dimensions to keep, 1 <= dim <= width.

    Returns:
        float32 (n, dim), C-contiguous, a new array.

    Raises:
        ValueError: If `dim` is not between 1 and the width.
    """
    if not 1 <= dim <= vectors.shape[1]:
        message = f"dim {dim} is not between 1 and the vectors' width {vectors.shape[1]}"
        raise ValueError(message)
    prefix = np.array(vectors[:, :dim], dtype=np.float32, order="C")
    norms = np.sqrt(np.einsum("ij,ij->i", prefix, prefix))
    np.divide(prefix, norms[:, None], out=prefix, where=norms[:, None] > 0)
    return prefix
