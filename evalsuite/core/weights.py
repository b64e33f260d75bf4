"""What a weight precision did to a model: every tensor is accounted for, touched or kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Noun(BaseModel):
    """Base of every part of the report: immutable, strict about unknown fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TensorWeights(_Noun):
    """One tensor of the model."""

    name: str
    """Name of the parameter."""
    group: str
    """Part of the model that it belongs to, one of `WeightReport.groups`."""
    shape: tuple[int, ...]
    """Rows (outputs, or tokens) and columns (inputs) of a matrix."""
    grid: str
    """Grid its values lie on: `q8_0`, `int4_channel` and the like, or its number format if it was kept."""
    bits_per_weight: float
    """Bits a value, scales included."""
    bytes: int
    """Bytes of the tensor in this form."""
    sqnr_db: float | None = None
    """Signal to quantization noise in decibel; None where no value changed."""
    kept: str | None = None
    """Why it was left as it was; None if it was rounded."""


class GroupWeights(_Noun):
    """One part of the model on one grid."""

    group: str
    """`token_embedding`, `other_embedding`, `attention`, `feed_forward`, `projection`, `other`, `vectors`."""
    grid: str
    """Grid of these tensors."""
    tensors: int
    """How many tensors."""
    values: int
    """How many values in all."""
    bits_per_weight: float
    """Bits a value, scales included."""
    bytes: int
    """Bytes in all."""
    sqnr_db: float | None
    """Signal to quantization noise over all values in decibel; None where no value changed."""


class WeightReport(_Noun):
    """What was asked, what became of every tensor, and the sums."""

    level: str
    """Weight precision that was applied."""
    embeddings: str | None
    """What was asked for the token table apart; None if it went with the level."""
    tensors: tuple[TensorWeights, ...]
    """Every parameter, in the model's order."""
    groups: tuple[GroupWeights, ...]
    """The same summed by part and grid, in order of first appearance."""
    native_bytes: int
    """Bytes of all parameters as they were loaded."""
    bytes: int
    """Bytes of all parameters in this form. The simulation itself still computes with the loaded format."""
    bits_per_weight: float
    """Bits a value over all parameters."""
