"""Frozen: heads evaluated over the vectors of their common base, which are encoded only once.

A head-only checkpoint is its base and two linear maps. Its vectors are those maps applied to the base's, so
ten heads cost one encoding. They equal the vectors of the whole pipeline up to rounding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evalsuite.ablation.folders import head_layers
from evalsuite.core.errors import CheckpointError
from evalsuite.core.progress import Progress, Silent
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint, open_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]


class FrozenEncoder:
    """Linear maps and normalisation over a base's stored vectors; an `Encoder`.

    Args:
        base: The common base.
        layers: (out, in) weights in the order they are applied.
        store: Where the base's vectors are kept.
        progress: Told about what the base encodes; None tells nobody.
    """

    def __init__(
        self, base: Checkpoint, layers: Sequence[Tensor], store: EmbeddingStore, progress: Progress | None
    ) -> None:
        weight = np.eye(base.dim)
        for layer in layers:
            weight = layer.numpy().astype(np.float64) @ weight
        self._weight: Floats = weight.astype(np.float32)
        self._base = base
        self._store = store
        self._progress = progress or Silent()

    def encode(self, texts: Sequence[str], prompt: str) -> Floats:
        """Encode texts; see `Encoder.encode`. Rows have unit length."""
        if not texts:
            return np.empty((0, len(self._weight)), dtype=np.float32)
        prompted = [Prompted(prompt, text) for text in texts]
        found = encode_once(self._base, prompted, self._store, self._progress).vectors.all()
        vectors = found @ self._weight.T
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def open_over_base(
    folder: Path, base: Checkpoint, store: EmbeddingStore, progress: Progress | None = None
) -> Checkpoint:
    """Open a head-only checkpoint so that its texts are encoded by the base, once for all heads.

    Args:
        folder: A checkpoint written by a head-only recipe on this base.
        base: The base, in the number format to evaluate in.
        store: Where the base's vectors are kept.
        progress: Told about what the base encodes.

    Raises:
        CheckpointError: If the folder is no checkpoint, or has more than linear layers behind the base.
    """
    opened = open_checkpoint(folder, dtype=base.dtype, device=base.device)
    if base.folder is None:
        message = f"{base.label}: has no folder of its own; save it and give the folder"
        raise CheckpointError(message)
    layers = head_layers(folder, base.folder)
    return dataclasses.replace(opened, load=lambda: FrozenEncoder(base, layers, store, progress))
