"""The objective of one arm: its losses, each where EmbeddingGemma's recipe applies it, weighed and summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.ablation.losses.distillation import distillation
from evalsuite.ablation.losses.gor import gor, gor_original
from evalsuite.ablation.losses.matryoshka import matryoshka, unit
from evalsuite.ablation.losses.nce import nce

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What a step sees.

    Attributes:
        students: (B, d) vectors of anchors, positives and, if there are any, hard negatives.
        teachers: The teacher's vectors of the same texts; empty if nothing is distilled.
        masked: bool (B, B), in-batch negatives that are none.
    """

    students: Sequence[Tensor]
    teachers: Sequence[Tensor]
    masked: Tensor


@dataclass(frozen=True)
class Objective:
    """Losses and how they are weighed.

    Attributes:
        weights: Name of each loss to its weight.
        dims: Matryoshka dimensions.
        temperature: Of the contrastive loss.
        hardness: Of the contrastive loss.
    """

    weights: Mapping[str, float]
    dims: Sequence[int]
    temperature: float
    hardness: float

    def terms(self, batch: Batch, projection: Tensor | None) -> dict[str, Tensor]:
        """Compute every loss that has a weight, unweighted.

        The contrastive and the spread-out losses are taken on every prefix, distillation at full width
        (arXiv 2509.20354, section 2.2). Hard negatives are not spread.
        """
        found: dict[str, Tensor] = {}
        if self.weights.get("nce"):
            found["nce"] = matryoshka(lambda cut: self._nce(cut, batch.masked), batch.students, self.dims)
        for name, loss in (("gor", gor), ("gor-original", gor_original)):
            if self.weights.get(name):
                found[name] = matryoshka(loss, batch.students[:2], self.dims)
        if self.weights.get("distillation"):
            students, teachers = map(unit, batch.students), map(unit, batch.teachers)
            found["distillation"] = distillation(list(students), list(teachers), projection)
        return found

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Weigh the losses and sum them."""
        import torch

        return torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()

    def _nce(self, cut: list[Tensor], masked: Tensor) -> Tensor:
        return nce(*cut, masked=masked, temperature=self.temperature, hardness=self.hardness)
