"""Blueprint: all that is needed to make an encoder anew, here or in another process, as plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from evalsuite.core.errors import CheckpointError
from evalsuite.core.variant import NATIVE
from evalsuite.models.encoder import Encoder, SentenceTransformerEncoder, TokenBatchEncoder
from evalsuite.models.loading import load_pipeline
from evalsuite.models.packed import pack_linear_layers

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from evalsuite.core.weights import WeightReport


class Makes(Protocol):
    """Plain values that an encoder can be made from."""

    make: ClassVar[str]
    """Kind of encoder: `files` or `fake`."""

    def to_dict(self) -> dict[str, Any]:
        """Write the values for another process."""
        ...

    def encoder(self) -> Encoder:
        """Make the encoder."""
        ...


@dataclass(frozen=True)
class Blueprint:
    """How to make the encoder of a model folder.

    Attributes:
        folder: A folder that passed `check_safety`.
        dtype: Number format of weights and activations.
        device: Where to put the model; None lets sentence-transformers choose.
        trust_remote_code: Whether the checkpoint's own code may run.
        batch_size: Texts per forward pass, where batches are of a fixed size.
        dim: Width of the output; None if only the loaded model knows.
        weights: Level the weights are rounded to.
        embeddings: Level of the token table; None for that of the weights.
        tokens: Most tokens of a batch, padding included; 0 for batches of a fixed number of texts.
    """

    make: ClassVar[str] = "files"

    folder: Path
    dtype: str
    device: str | None
    trust_remote_code: bool
    batch_size: int
    dim: int | None
    weights: str = NATIVE
    embeddings: str | None = None
    tokens: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Blueprint:
        """Read what `to_dict` wrote."""
        return cls(**{**values, "folder": Path(values["folder"])})

    def to_dict(self) -> dict[str, Any]:
        """Write the blueprint as plain values for another process."""
        return {**dataclasses.asdict(self), "folder": str(self.folder)}

    def encoder(self) -> SentenceTransformerEncoder:
        """Load the pipeline, round its weights, and put it behind the seam.

        Raises:
            CheckpointError: If it cannot be loaded, its width is not known, or its weights cannot be rounded.
        """
        model = load_pipeline(
            self.folder, dtype=self.dtype, device=self.device, trust_remote_code=self.trust_remote_code
        )
        report = self._round(model)
        with model.truncate_embeddings(None):
            width = self.dim or model.get_embedding_dimension()
        if width is None:
            message = f"{self.folder}: the pipeline does not tell its width: its last module has none"
            raise CheckpointError(message)
        if self.tokens:
            pack_linear_layers(model, self.tokens)
            return TokenBatchEncoder(
                model, batch_size=self.batch_size, dim=width, weight_report=report, tokens=self.tokens
            )
        return SentenceTransformerEncoder(model, batch_size=self.batch_size, dim=width, weight_report=report)

    def _round(self, model: SentenceTransformer) -> WeightReport | None:
        """Round the weights in place; None if they stay as they are."""
        if self.weights == NATIVE:
            return None
        from evalsuite.models.weights import apply_weights

        return apply_weights(model, self.weights, self.embeddings)
