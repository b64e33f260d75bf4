"""Checkpoint: a model to judge, known by its content and never trusted by its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.core.variant import NATIVE
from evalsuite.models.blueprint import Blueprint
from evalsuite.models.encoder import Encoder
from evalsuite.models.once import Once
from evalsuite.models.prompts import PromptBook
from evalsuite.models.served.probe import Probe

if TYPE_CHECKING:
    pass

DTYPES = ("float32", "bfloat16", "float16")
"""Number formats a model can run in."""


@dataclass(frozen=True)
class Checkpoint:
    """A model to judge.

    Attributes:
        label: Short name for tables.
        source: What the user gave: a path, a hub id, or a note that the model was in memory.
        fingerprint: sha256 over everything that decides the vectors, 64 hex characters.
        dtype: Number format the model runs in, one of `DTYPES`; what mteb says of it for a model mteb loads.
        dim: Width of the full vectors.
        prompts: The prompts in use and where they come from.
        load: Makes the encoder; called once, at the first `encoder()`.
        revision: Commit hash of a hub model; None for folders.
        matryoshka_dims: Declared Matryoshka dimensions, descending, with the full width; empty if none are.
        max_seq_length: Longest input in tokens; None if unlimited.
        device: The device asked for; None if sentence-transformers chooses.
        folder: Where the files are; None for a model that came in memory.
        warnings: What a careful reader should know, one sentence each.
        probe: What a served model answers to fixed texts; None for a model whose files are fingerprinted.
        blueprint: How to make the encoder anew; None unless the model is a folder of files.
        rounded: Makes the encoder at a weight level and token table's level, where that is possible without a
            blueprint; None if it is not.
        weights: Precision of the weights as variants write it, such as `q4_0` or `q4_0+keep`.
        weights_label: The same in words, such as `q4_0 (PTQ)`.
    """

    label: str
    source: str
    fingerprint: str
    dtype: str
    dim: int
    prompts: PromptBook
    load: Callable[[], Encoder] = field(repr=False, compare=False)
    revision: str | None = None
    matryoshka_dims: tuple[int, ...] = ()
    max_seq_length: int | None = None
    device: str | None = None
    folder: Path | None = None
    warnings: tuple[str, ...] = ()
    probe: Probe | None = None
    blueprint: Blueprint | None = None
    rounded: Callable[[str, str | None], Encoder] | None = field(default=None, repr=False, compare=False)
    weights: str = NATIVE
    weights_label: str = NATIVE

    def __post_init__(self) -> None:
        if not isinstance(self.load, Once):
            object.__setattr__(self, "load", Once(self.load))

    def encoder(self) -> Encoder:
        """Return the encoder; the model is loaded at the first call and kept.

        Raises:
            CheckpointError: If the model cannot be loaded.
        """
        return self.load()

    def release(self) -> None:
        """Let go of the loaded model; `encoder()` loads it again."""
        if isinstance(self.load, Once):
            self.load.forget()

    def relabel(self, label: str) -> Checkpoint:
        """Return the same checkpoint, with the same loaded model, under another name."""
        return dataclasses.replace(self, label=label)
