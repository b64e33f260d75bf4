"""Global Orthogonal Regularizer: random pairs shall be as orthogonal as uniform points on the sphere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def moments(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and the second moment of the cosine over all pairs of different rows.

    With the Gram matrix G = X X^T: M1 = (sum G - trace G) / (B(B-1)), M2 = (|G|_F² - sum G_ii²) / (B(B-1)).
    |X X^T|_F = |X^T X|_F, so the smaller of the two products is made.

    Args:
        vectors: (B, d) rows of unit length.

    Returns:
        M1 and M2, scalars; both 0 for a single row.
    """
    rows, width = vectors.shape
    pairs = max(rows * (rows - 1), 1)
    squares = vectors.square().sum(dim=1)
    total = vectors.sum(dim=0)
    gram = vectors @ vectors.T if rows <= width else vectors.T @ vectors
    first = (total.square().sum() - squares.sum()) / pairs
    second = (gram.square().sum() - squares.square().sum()) / pairs
    return first, second


def gor(sides: Sequence[Tensor]) -> Tensor:
    """Compute EmbeddingGemma's spread-out loss: the second moment of each side, summed.

    arXiv 2509.20354, equation 4; its sides are queries and positives, and there is no hinge at 1/d.

    Args:
        sides: (B, d) rows of unit length, one tensor a side.

    Returns:
        Scalar.
    """
    import torch

    return torch.stack([moments(side)[1] for side in sides]).sum()


def gor_original(sides: Sequence[Tensor]) -> Tensor:
    """Compute the regularizer of Zhang et al. 2017 (arXiv 1708.06320) on each side, summed.

    `M1² + max(0, M2 - 1/d)`; over all pairs of a side, where the paper samples non-matching pairs. It is
    sentence-transformers' `GlobalOrthogonalRegularizationLoss` with `aggregation="sum"`.

    Args:
        sides: (B, d) rows of unit length, one tensor a side.

    Returns:
        Scalar.
    """
    import torch

    terms = []
    for side in sides:
        first, second = moments(side)
        terms.append(first.square() + torch.relu(second - 1.0 / side.shape[1]))
    return torch.stack(terms).sum()
