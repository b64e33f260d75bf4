"""SweepSpec: what was asked for, as one value that is stored with the answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_PRECISIONS = ("float32", "float16", "int8", "binary")


class SweepSpec(BaseModel):
    """One question: which models, tasks, dimensions and precisions, and how to encode."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    models: tuple[str, ...] = Field(min_length=1)
    """Hub ids, folders or labels of loaded models, as the user gave them."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Task names, suites and paths, as the user gave them."""
    dims: tuple[int, ...] | None = None
    """Dimensions asked for; None means each model's declared Matryoshka dims, else halvings down to 32."""
    precisions: tuple[str, ...] = Field(default=DEFAULT_PRECISIONS, min_length=1)
    """Quantization levels asked for."""
    dtype: str = "float32"
    """Data type of the model's weights and activations while encoding."""
    device: str | None = None
    """Torch device asked for; None lets sentence-transformers choose."""
    batch_size: int = Field(default=32, ge=1)
    """Texts a forward pass."""
    seed: int = 0
    """Seed of every random choice: bootstrap resamples, random projections."""
