"""Geometric embedding distillation: the student's vectors shall lie where the teacher's lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def distillation(
    students: Sequence[Tensor], teachers: Sequence[Tensor], projection: Tensor | None = None
) -> Tensor:
    """Compute the mean L2 distance to the teacher, summed over query, positive and hard negative.

    `L_D = L_D^Q + L_D^P+ + L_D^P-`, arXiv 2509.20354, equation 5, after EmbedDistill (arXiv 2301.12005). It
    is sentence-transformers' `EmbedDistillLoss(distance_metric="l2")` times the number of columns, because
    that averages over them.

    Args:
        students: (B, d) rows of unit length, one tensor a column.
        teachers: (B, e) rows of unit length, in the same order.
        projection: (e, d), maps the student into the teacher's space; needed where d and e differ.

    Returns:
        Scalar.
    """
    import torch

    distances = []
    for student, teacher in zip(students, teachers, strict=True):
        mapped = student if projection is None else student @ projection.T
        distances.append(torch.linalg.vector_norm(mapped - teacher, dim=1).mean())
    return torch.stack(distances).sum()
