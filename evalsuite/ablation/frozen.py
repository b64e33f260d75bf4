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
from evalsuite.core.progress import NotesOnly, Progress, Silent
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.embeddings.weighing import weight_report
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.derived import with_weights
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.weights import apply_weights, joined

if TYPE_CHECKING:
    from torch import Tensor

    from evalsuite.core.weights import WeightReport

Floats = npt.NDArray[np.float32]


class FrozenEncoder:
    """Linear maps and normalisation over a base's stored vectors; an `Encoder`.

    Args:
        base: The common base.
        layers: (out, in) weights in the order they are applied.
        store: Where the base's vectors are kept.
        progress: Told what must be known; who encodes with this encoder counts the texts. None tells nobody.
        weight_report: What rounding did to the weights of base and layers; None if they are as they were.
    """

    def __init__(
        self,
        base: Checkpoint,
        layers: Sequence[Tensor],
        store: EmbeddingStore,
        progress: Progress | None,
        weight_report: WeightReport | None = None,
    ) -> None:
        weight = np.eye(base.dim)
        for layer in layers:
            weight = layer.numpy().astype(np.float64) @ weight
        self._weight: Floats = weight.astype(np.float32)
        self._base = base
        self._store = store
        self._progress = NotesOnly(progress or Silent())
        self.weight_report = weight_report

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


def rounded_over_base(
    base: Checkpoint,
    layers: Sequence[Tensor],
    store: EmbeddingStore,
    progress: Progress | None,
    level: tuple[str, str | None],
) -> FrozenEncoder:
    """Make a head's encoder with base and head at a weight level; all heads share the rounded base's vectors.

    Args:
        base: The common base, with native weights.
        layers: (out, in) weights in the order they are applied; they are left as they are.
        store: Where the rounded base's vectors are kept.
        progress: Told about what the base encodes.
        level: Weight level, and that of the token table; see `with_weights`.

    Raises:
        CheckpointError: If the weights cannot be rounded.
    """
    from sentence_transformers.sentence_transformer.modules import Dense
    from torch.nn import Identity, ModuleList

    lower = with_weights(base, *level)
    head = ModuleList()
    for layer in layers:
        outputs, inputs = layer.shape
        dense = Dense(inputs, outputs, bias=False, activation_function=Identity())
        dense.linear.weight.data.copy_(layer)
        head.append(dense)
    reports = [report for report in (weight_report(lower, store), apply_weights(head, *level)) if report]
    rounded = [dense.linear.weight.detach().dequantize() for dense in head]
    return FrozenEncoder(lower, rounded, store, progress, joined(reports))
