"""The seam between evalsuite and models: one method that turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


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
    """

    def __init__(self, model: SentenceTransformer, *, batch_size: int, dim: int) -> None:
        self.model = model
        self.batch_size = batch_size
        self.dim = dim

    @property
    def device(self) -> str:
        """The device the model is on, such as `cpu` or `cuda:0`."""
        return str(self.model.device)

    def encode(self, texts: Sequence[str], prompt: str) -> npt.NDArray[np.float32]:
        """Encode texts; see `Encoder.encode`."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        with self.model.truncate_embeddings(None):
            vectors = self.model.encode(
                list(texts),
                # An empty string, unlike None, keeps sentence-transformers from applying a default prompt.
                prompt=prompt,
                batch_size=self.batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=False,
            )
        return np.asarray(vectors, dtype=np.float32)
