"""What every quantization level knows: fit, encode, decode, its bytes, and how an index scores it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Codes:
    """Stored form of some vectors.

    Attributes:
        values: (n, ...) codes; their layout is the level's own.
        dim: Dimensions of the vectors that were encoded.
        side: Values stored beside the codes, one row a vector, such as scales; by name.
    """

    values: npt.NDArray[Any]
    dim: int
    side: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)


class Quantizer(Protocol):
    """One quantization level.

    A level is fitted once a (checkpoint, task, dimension) on corpus vectors or a named calibration set, and
    the fitted level encodes corpus and queries alike. Levels without anything to fit return themselves.
    """

    @property
    def name(self) -> str:
        """Name of the level in variant texts."""
        ...

    @property
    def needs_fit(self) -> bool:
        """Whether `fit` learns something from the sample."""
        ...

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:
        """Return the level fitted to float32 (n, d) unit vectors."""
        ...

    def encode(self, vectors: Floats) -> Codes:
        """Turn float32 (n, d) unit vectors into codes; every row alone."""
        ...

    def decode(self, codes: Codes) -> Floats:
        """Turn codes back into float32 (n, d) vectors."""
        ...

    def bytes_per_vector(self, dim: int) -> float:
        """Return the stored bytes of one vector of `dim` dimensions, its own side values included."""
        ...

    def index_bytes(self, dim: int) -> float:
        """Return the bytes stored once for the whole index, such as ranges, codebooks and rotations."""
        ...

    def scores(self, queries: Codes, documents: Codes) -> Floats:
        """Score codes with codes: float32 (queries, documents), the inner products of what they decode to."""
        ...

    def asymmetric_scores(self, queries: Floats, documents: Codes) -> Floats:
        """Score float32 (queries, d) vectors with codes: inner products with what the codes decode to."""
        ...

    def saturation(self, codes: Codes) -> float | None:
        """Return the share of codes at the ends of their range; None where codes have no ends."""
        ...

    def clip_share(self, vectors: Floats) -> float | None:
        """Return the share of values outside the fitted range; None where nothing is clipped."""
        ...
