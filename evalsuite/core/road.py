"""How texts were turned into vectors on a faster road than the default, and how true it is to the default.

The default is one process in float32 with batches of a fixed number of texts. Everything is compared with it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Noun(BaseModel):
    """Base of every part: immutable, strict about unknown fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Trial(_Noun):
    """One way to encode that was timed on texts of the run."""

    workers: int
    """Processes; 0 is the default road."""
    threads: int
    """Threads of each process."""
    dtype: str
    """Number format of weights and activations."""
    texts_per_second: float
    """Sampled texts over wall time, loading not included."""


class RoadFidelity(_Noun):
    """How far the vectors of sampled texts lie from those of the default road."""

    texts: int
    """Texts in the sample."""
    mean_cosine: float
    """Mean cosine of a text's two vectors."""
    min_cosine: float
    """Least cosine of a text's two vectors."""
    score_difference: float
    """Mean absolute difference of the cosine similarities of all pairs of sampled texts, a fraction."""


class RoadEntry(_Noun):
    """The road that was taken."""

    workers: int
    """Worker processes that encoded."""
    threads: int
    """Threads of each worker."""
    devices: tuple[str, ...]
    """Device of each worker; empty if sentence-transformers chose."""
    dtype: str
    """Number format of weights and activations."""
    tokens: int
    """Most tokens of a batch, padding included; texts of similar length share a batch."""
    chosen: Literal["asked", "measured", "remembered"]
    """Whether the user said so, this run measured it, or an earlier one with this store did."""
    trials: tuple[Trial, ...] = ()
    """What was timed; the first is the default road."""
    fidelity: RoadFidelity | None = None
    """Measured against the default road in float32; None if there was no text to measure with."""
