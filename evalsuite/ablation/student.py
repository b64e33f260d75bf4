"""Student: what is trained. Either a head over frozen features, or a whole pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from evalsuite.ablation.features import Features
from evalsuite.ablation.folders import Notes, write_with_head

if TYPE_CHECKING:
    from torch import Tensor

Ints = npt.NDArray[np.int64]


class Student(Protocol):
    """Anything the trainer can train."""

    def parameters(self) -> dict[str, Tensor]:
        """Return every trained tensor under a lasting name."""
        ...

    def columns(self, batch: Ints) -> list[Tensor]:
        """Return the vectors of some pairs at full width, one (B, d) tensor a column, with gradients."""
        ...

    def save(self, folder: Path, notes: Mapping[str, str]) -> None:
        """Write a sentence-transformers checkpoint; the folder appears at once, complete.

        Args:
            folder: Must not exist yet.
            notes: Name to content of text files to lay beside it, such as the model card.

        Raises:
            StorageError: If it cannot be written.
        """
        ...


def identity_layers(width: int, hidden: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw two linear layers that undo each other: an orthonormal map and its transpose.

    A head that starts so changes nothing (or, if `hidden` is below the width, projects).

    Returns:
        (hidden, width) and (width, hidden), float32.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    shape = max(hidden, width), min(hidden, width)
    orthonormal = torch.linalg.qr(torch.randn(shape, generator=generator, dtype=torch.float64)).Q.float()
    first = orthonormal if hidden >= width else orthonormal.T
    return first.contiguous(), first.T.contiguous()


class HeadStudent:
    """EmbeddingGemma's head, two linear layers without bias or activation, over frozen features.

    Two linear maps are one: their product is made once a step and applied to the batch, which gives the
    same vectors and gradients for a third of the work.

    Args:
        features: The frozen vectors.
        base: Folder of the checkpoint that made them.
        layers: Start of the two layers.
        dims: Matryoshka dimensions to declare when it is saved.
    """

    def __init__(
        self, features: Features, base: Path, layers: tuple[Tensor, Tensor], dims: Sequence[int]
    ) -> None:
        self._features = features
        self._base = base
        self._dims = dims
        self.first, self.second = (layer.requires_grad_() for layer in layers)

    def parameters(self) -> dict[str, Tensor]:
        """Return both layers; see `Student.parameters`."""
        return {"first": self.first, "second": self.second}

    def columns(self, batch: Ints) -> list[Tensor]:
        """Apply the head to some pairs; see `Student.columns`."""
        weight = self.second @ self.first
        return [column @ weight.T for column in self._features.columns(batch)]

    def save(self, folder: Path, notes: Mapping[str, str]) -> None:
        """Write base and head; see `Student.save`."""
        write_with_head(folder, self._base, [self.first, self.second], Notes(self._dims, notes))
