"""Contrastive loss with in-batch negatives, duplicates masked, hard negatives weighted by their hardness."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

HARDNESS = 5.0
"""alpha of EmbeddingGemma."""


def duplicates(queries: Tensor, positives: Tensor) -> Tensor:
    """Find the in-batch negatives that are none, because a text of the pair is the same.

    `1_TN(i, j)` of arXiv 2509.20354, equation 3: 0 where q_i = q_j or p_i = p_j. Printed literally it would
    drop the positive itself too; here the diagonal is never a duplicate.

    Args:
        queries: int64 (B,), equal numbers for equal query texts.
        positives: int64 (B,), equal numbers for equal positive texts.

    Returns:
        bool (B, B), true where the positive of row j must not count against query i.
    """
    same = (queries[:, None] == queries[None, :]) | (positives[:, None] == positives[None, :])
    return same.fill_diagonal_(False)


def nce(
    queries: Tensor,
    positives: Tensor,
    negatives: Tensor | None = None,
    *,
    masked: Tensor | None = None,
    temperature: float = 0.05,
    hardness: float = HARDNESS,
) -> Tensor:
    """Compute the contrastive loss of a batch (arXiv 2509.20354, equations 2 and 3).

    ```
    L = 1/B sum_i -log( exp(s(q_i, p_i)/t)
          / ( w_i exp(s(q_i, n_i)/t) + sum_j 1_TN(i, j) exp(s(q_i, p_j)/t) ) )
    w_i = exp(hardness * stop_gradient(s(q_i, n_i)))
    ```

    Without negatives and mask it is sentence-transformers' `MultipleNegativesRankingLoss` of scale 1/t.

    Args:
        queries: (B, d) rows of unit length.
        positives: (B, d) rows of unit length; row i belongs to query i.
        negatives: (B, d) rows of unit length, the hard negative of each query; None if there are none.
        masked: bool (B, B) from `duplicates`; None masks nothing.
        temperature: t.
        hardness: How much more a harder negative counts; 0 counts all alike.

    Returns:
        Scalar.
    """
    import torch

    logits = queries @ positives.T / temperature
    if masked is not None:
        logits = logits.masked_fill(masked, float("-inf"))
    correct = logits.diagonal()
    if negatives is not None:
        similarity = (queries * negatives).sum(dim=1)
        hard = similarity / temperature + hardness * similarity.detach()
        logits = torch.cat([logits, hard[:, None]], dim=1)
    return (logits.logsumexp(dim=1) - correct).mean()
