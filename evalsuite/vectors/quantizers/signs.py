"""One sign bit a dimension."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from evalsuite.vectors.kernels import hamming_distances
from evalsuite.vectors.quantizers.base import Codes, Floats
from evalsuite.vectors.quantizers.level import Level, require_rows


@dataclass(frozen=True)
class Binary(Level):
    """One sign bit a dimension: 1 where x > 0, eight to a byte, scored by Hamming distance h as 1 - 2 h / d.

    That score is the cosine of the two sign vectors in {-1, +1}^d, so it orders documents as Hamming distance
    does (Charikar 2002: for random hyperplanes, h / d estimates the angle over pi). Codes decode to
    +-1 / sqrt(d), unit vectors; asymmetric scores are float query x those, which orders documents as the
    error-minimising constant does (Yamada et al. 2021, BPR, arXiv 2106.00882). The expected cosine of a
    uniform unit vector with its own signs is sqrt(2 / pi) = .798: 4.40 dB at the best scale. 1 bit.
    """

    name: str = "binary"

    def encode(self, vectors: Floats) -> Codes:
        """Pack the signs, first dimension in the highest bit of the first byte."""
        return Codes(np.packbits(vectors > 0, axis=1), vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Return unit vectors of +-1 / sqrt(d)."""
        return _signs(codes).astype(np.float32) / np.float32(np.sqrt(codes.dim))

    def bytes_per_vector(self, dim: int) -> float:
        """Return one bit a dimension, rounded up to whole bytes."""
        return float((dim + 7) // 8)

    def scores(self, queries: Codes, documents: Codes) -> Floats:
        """Return 1 - 2 h / d, one float32 value a distance h."""
        return hamming_scores(hamming_distances(queries.values, documents.values), queries.dim)


@dataclass(frozen=True)
class CentredBinary(Binary):
    """One sign bit a dimension of x - m, with m the mean of the fit sample: 1 where x > m.

    An offset dimension wastes its bit, as nearly all signs agree; the mean gives every bit its full use. The
    symmetric score is Hamming's, as in `binary`. Asymmetric scores are the uncentred float query times the
    signs over sqrt(d): with x' = m + a t the inner product <q, x'> differs from it by <q, m>, the same for
    all documents, and by the positive constant a, so documents are ordered as <q, x'> orders them. Codes
    decode to t / sqrt(d), the direction from the mean, for the same reason: compare them with x - m.
    The mean is float32, 4 d bytes for the whole index. 1 bit.

    Attributes:
        mean: float32 (d,), None before the fit.
    """

    name: str = "binary_centred"
    mean: Floats | None = None

    @property
    def needs_fit(self) -> bool:
        """The mean comes from the sample."""
        return True

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:  # noqa: ARG002 - nothing is drawn
        """Take the mean of the sample, summed in float64.

        Raises:
            UsageError: If the sample is empty.
        """
        require_rows(self.name, sample, 1, "fit it on corpus vectors")
        return replace(self, mean=sample.mean(axis=0, dtype=np.float64).astype(np.float32))

    def encode(self, vectors: Floats) -> Codes:
        """Pack the signs of what is left above the mean."""
        if self.mean is None:
            message = f"{self.name} must be fitted before it encodes"
            raise ValueError(message)
        return Codes(np.packbits(vectors > self.mean, axis=1), vectors.shape[1])

    def index_bytes(self, dim: int) -> float:
        """Return 4 d: the float32 mean."""
        return 4.0 * dim


def hamming_scores(distances: np.typing.NDArray[np.int32], dim: int) -> Floats:
    """Turn Hamming distances of `dim` bits into 1 - 2 h / d: float32, laid out as they are."""
    scores = distances.T.astype(np.float32)
    scores *= -2
    scores += dim
    scores /= dim
    return scores.T


def _signs(codes: Codes) -> np.typing.NDArray[np.int8]:
    """Unpack sign bits to -1 and +1."""
    bits = np.unpackbits(codes.values, axis=1, count=codes.dim)
    return bits.astype(np.int8) * np.int8(2) - np.int8(1)
