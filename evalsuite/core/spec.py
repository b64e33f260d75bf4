"""SweepSpec: what was asked for, as one value that is stored with the answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from evalsuite.core.variant import PREFIX

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
    """Quantization levels asked for, with their scoring, such as `int8` or `binary+rescore4`."""
    projections: tuple[str, ...] = Field(default=(PREFIX,), min_length=1)
    """Which dimensions are kept: `prefix`, and the controls `pca` and `random`."""
    calibration: str | None = None
    """Task whose texts the quantizers are fitted on; None means each task's own corpus."""
    dtype: str = "float32"
    """Data type of the model's weights and activations while encoding."""
    device: str | None = None
    """Torch device asked for; None lets sentence-transformers choose."""
    batch_size: int = Field(default=32, ge=1)
    """Texts a forward pass."""
    seed: int = 0
    """Seed of every random choice: bootstrap resamples, random projections."""
