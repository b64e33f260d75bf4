"""The seam between evalsuite and models: one method that turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from evalsuite.core.weights import WeightReport

CHARACTERS_PER_TOKEN = 4
"""Assumed of a pipeline without a tokenizer of the usual kind."""


class Encoder(Protocol):
    """Anything that encodes texts; the only thing the rest of evalsuite asks of a model."""

    def encode(self, texts: Sequence[str], prompt: str) -> npt.NDArray[np.float32]:
        """Encode texts through the whole pipeline, at full width.

        Args:
            texts: The texts, without prompt.
            prompt: Put in front of every text; empty for none.

        Returns:
            float32 array (len(texts), full width), row i for text i, as the pipeline returns it.
        """
        ...


class SentenceTransformerEncoder:
    """A sentence-transformers pipeline behind the seam.

    The model's own `truncate_dim` and default prompt are ignored: vectors come back at full width, and the
    prompt is the one handed in. The prompt goes through sentence-transformers, so a pooling layer that
    leaves prompt tokens out (`include_prompt=False`) does so here too.

    Args:
        model: The loaded pipeline; it is used as it is, never changed.
        batch_size: Texts per forward pass.
        dim: The width of the pipeline's output.
        weight_report: What rounding did to the weights; None if they are as they were loaded.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        *,
        batch_size: int,
        dim: int,
        weight_report: WeightReport | None = None,
    ) -> None:
        self.model = model
        self.batch_size = batch_size
        self.dim = dim
        self.weight_report = weight_report

    @property
    def device(self) -> str:
        """The device the model is on, such as `cpu` or `cuda:0`."""
        return str(self.model.device)

    def encode(self, texts: Sequence[str], prompt: str) -> npt.NDArray[np.float32]:
        """Encode texts; see `Encoder.encode`."""
        return self._forward(texts, prompt, self.batch_size)

    def _forward(self, texts: Sequence[str], prompt: str, batch_size: int) -> npt.NDArray[np.float32]:
        """Run the pipeline on batches of a fixed number of texts."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        with self.model.truncate_embeddings(None):
            vectors = self.model.encode(
                list(texts),
                # An empty string, unlike None, keeps sentence-transformers from applying a default prompt.
                prompt=prompt,
                batch_size=batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=False,
            )
        return np.asarray(vectors, dtype=np.float32)


class TokenBatchEncoder(SentenceTransformerEncoder):
    """The same pipeline with batches of a token budget: texts of similar length share one, little is padded.

    Small batches stay in the processor's caches; a few long texts or many short ones fill a batch alike.

    Args:
        model: The loaded pipeline; it is used as it is, never changed.
        batch_size: Texts per forward pass of the default road; says how shards are cut, nothing else.
        dim: The width of the pipeline's output.
        weight_report: What rounding did to the weights; None if they are as they were loaded.
        tokens: Most tokens of a batch, padding included; a longer text is a batch of its own.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        *,
        batch_size: int,
        dim: int,
        weight_report: WeightReport | None = None,
        tokens: int,
    ) -> None:
        super().__init__(model, batch_size=batch_size, dim=dim, weight_report=weight_report)
        self.tokens = tokens

    def encode(self, texts: Sequence[str], prompt: str) -> npt.NDArray[np.float32]:
        """Encode texts; see `Encoder.encode`."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for rows in token_batches(self._lengths(texts, prompt), self.tokens):
            vectors[rows] = self._forward([texts[row] for row in rows], prompt, len(rows))
        return vectors

    def _lengths(self, texts: Sequence[str], prompt: str) -> list[int]:
        """Count the tokens of each text, cut where the model cuts."""
        longest = self.model.max_seq_length
        tokenizer: Any = self.model.tokenizer
        if getattr(tokenizer, "is_fast", False) and texts:
            ids = tokenizer([prompt + text for text in texts], verbose=False)["input_ids"]
            lengths = [len(each) for each in ids]
        else:
            lengths = [1 + len(prompt + text) // CHARACTERS_PER_TOKEN for text in texts]
        return lengths if longest is None else [min(length, longest) for length in lengths]


def token_batches(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Group rows into batches whose padded size stays within a budget, longest first.

    Args:
        lengths: Tokens of each row.
        tokens: Most tokens of a batch: its rows times its longest row.

    Returns:
        Row numbers, batch by batch; every row once. A row longer than the budget is alone.
    """
    batches: list[list[int]] = []
    room = 0
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        if not room:
            batches.append([])
            room = max(1, tokens // max(1, lengths[row]))
        batches[-1].append(row)
        room -= 1
    return batches
