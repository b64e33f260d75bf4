"""Matryoshka: one loss on every nested prefix of the vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def unit(vectors: Tensor) -> Tensor:
    """Scale each row to unit length."""
    from torch.nn.functional import normalize

    return normalize(vectors, dim=1)


def matryoshka(
    loss: Callable[[list[Tensor]], Tensor], columns: Sequence[Tensor], dims: Sequence[int]
) -> Tensor:
    """Sum a loss over overlapping prefixes, each sliced and then renormalised.

    Kusupati et al. 2022 (arXiv 2205.13147) with equal weights, as in EmbeddingGemma; it is
    sentence-transformers' `MatryoshkaLoss`.

    Args:
        loss: Takes the columns cut to one dimension, rows of unit length.
        columns: (B, d) vectors, one tensor a column, of any length.
        dims: Dimensions to cut to.

    Returns:
        Scalar.
    """
    import torch

    return torch.stack([loss([unit(column[:, :dim]) for column in columns]) for dim in dims]).sum()
