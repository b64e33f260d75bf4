"""The twins: two heads on all-MiniLM-L6-v2 that come with evalsuite and differ in one loss only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.ablation.folders import CARD, Notes, write_with_head
from evalsuite.ablation.frozen import FrozenEncoder, rounded_over_base
from evalsuite.core.errors import CheckpointError, UsageError, known_names
from evalsuite.core.progress import Progress
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.hub import BUNDLED_NAME, bundled_encoder
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.prompts import PromptBook

if TYPE_CHECKING:
    from torch import Tensor

TWINS = ("minilm-without-gor", "minilm-with-gor")
"""Names of the twins, the control first."""

DIMS = (384, 256, 128, 64, 32)
"""Matryoshka dimensions the twins were trained at."""

HEAD = "head.safetensors"
LAYERS = ("first", "second")


def open_twin(
    name: str,
    store: EmbeddingStore,
    *,
    dtype: str = "float32",
    device: str | None = None,
    progress: Progress | None = None,
) -> Checkpoint:
    """Open a twin over the encoder that the extra `demo` installs; both twins share one encoding of a text.

    Args:
        name: One of `TWINS`.
        store: Where the encoder's vectors are kept.
        dtype: Data type of the encoder.
        device: Device of the encoder.
        progress: Told about what the encoder encodes.

    Raises:
        UsageError: If there is no such twin.
        CheckpointError: If the encoder is not installed, or a file is missing.
    """
    folder = _folder(name)
    base = open_checkpoint(BUNDLED_NAME, dtype=dtype, device=device)
    content = hashlib.sha256((folder / HEAD).read_bytes()).hexdigest()
    layers = _layers(folder)
    return Checkpoint(
        label=name,
        source=name,
        fingerprint=hashlib.sha256(f"{base.fingerprint} {content}".encode()).hexdigest(),
        dtype=base.dtype,
        dim=base.dim,
        prompts=PromptBook(),
        load=lambda: FrozenEncoder(base, layers, store, progress),
        rounded=lambda *level: rounded_over_base(base, layers, store, progress, level),
        matryoshka_dims=DIMS,
        max_seq_length=base.max_seq_length,
        device=device,
    )


def export_twin(name: str, folder: Path) -> Path:
    """Write a twin as a whole sentence-transformers checkpoint: encoder, pooling, both layers, normalisation.

    Args:
        name: One of `TWINS`.
        folder: Must not exist.

    Returns:
        The folder; `SentenceTransformer(str(folder))` and `evalsuite inspect` open it.

    Raises:
        UsageError: If there is no such twin, or the folder exists.
        CheckpointError: If the encoder is not installed.
        StorageError: If the folder cannot be written.
    """
    source = _folder(name)
    if folder.exists():
        message = f"{folder}: exists already; give a new folder"
        raise UsageError(message)
    card = (source / CARD).read_text(encoding="utf-8")
    write_with_head(folder, bundled_encoder(), _layers(source), Notes(DIMS, {CARD: card}))
    return folder


def _folder(name: str) -> Path:
    """Find a twin's files.

    Raises:
        UsageError: If there is no such twin.
        CheckpointError: If its files are missing.
    """
    if name not in TWINS:
        message = f"no twin is called {name!r}; twins: {known_names(TWINS)}"
        raise UsageError(message)
    folder = Path(__file__).parents[1] / "twins" / name
    if not (folder / HEAD).is_file():
        message = f"{folder / HEAD}: missing; install evalsuite again"
        raise CheckpointError(message)
    return folder


def _layers(folder: Path) -> Sequence[Tensor]:
    from safetensors.torch import load_file

    tensors = load_file(folder / HEAD)
    return [tensors[layer] for layer in LAYERS]
