"""faiss's codes behind a random rotation: RaBitQ and TurboQuant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from evalsuite.vectors.quantizers.base import Codes, Floats
from evalsuite.vectors.quantizers.level import require_rows
from evalsuite.vectors.quantizers.rotation import RotatedLevel, Rotation

FLOAT_BYTES = 4


@dataclass(frozen=True)
class RaBitQ(RotatedLevel):
    """RaBitQ: codes of a rotated vector around the corpus mean, with an unbiased inner-product estimator.

    With r = R (x - m) and grid points v in {+-1/2, +-3/2, ...}^d, 2**bits values a dimension, the code is the
    v of nearly the smallest angle to r (for 1 bit its signs), and x' = m + f R^T v with f = |r|**2 / <v, r>:
    then <x' - m, x - m> = |x - m|**2 exactly, and <q, x'> is an unbiased estimate of <q, x> over the drawn
    rotation, with an error of O(1 / sqrt(d)) that halves with each further bit. The asymmetric score is
    faiss's own estimate (`IndexRaBitQ` with the query in full precision, qb = 0): <q, x'> plus
    <m, x> - <m, x'>, a number a document that the stored factors know exactly. Symmetric scores are inner
    products of decoded vectors; faiss has none for inner products. The unbiased x' is longer than x: at the
    best scale 1 bit has the 4.40 dB of `binary`.
    Gao & Long 2024, arXiv 2405.12497; several bits: Gao et al. 2025, arXiv 2409.09913. faiss's layout: sign
    bits, two float32 factors (a third for an error bound from 2 bits on), then (bits - 1) d bits and two more
    factors. Rotation and mean: 4 d**2 + 4 d bytes for the whole index. faiss's own `sa_decode` reads the
    sign bits alone; here all bits are decoded.

    Attributes:
        bits: Bits a dimension, 1 to 9.
        index: The fitted `faiss.IndexRaBitQ` over rotated vectors.
        mean: float32 (d,), the rotated mean it subtracts.
    """

    bits: int = 1
    index: Any = None
    mean: Floats | None = None

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:
        """Draw the rotation and take the mean of the rotated sample.

        Raises:
            UsageError: If the sample is empty.
        """
        import faiss

        require_rows(self.name, sample, 1, "fit it on corpus vectors")
        rotation = Rotation.random(sample.shape[1], rng)
        index = faiss.IndexRaBitQ(sample.shape[1], faiss.METRIC_INNER_PRODUCT, self.bits)
        index.qb = 0
        index.train(rotation.apply(sample))
        return replace(self, rotation=rotation, index=index, mean=faiss.vector_to_array(index.center))

    def encode(self, vectors: Floats) -> Codes:
        """Rotate, subtract the mean and encode: uint8 (n, bytes), faiss's layout."""
        rotated = self.fitted_rotation().apply(vectors)
        return Codes(self.index.sa_encode(rotated), vectors.shape[1])

    def decode_rotated(self, codes: Codes) -> Floats:
        """Return m + f v in the rotated space."""
        return self._centred(codes) + self._fitted_mean()

    def bytes_per_vector(self, dim: int) -> float:
        """Return the bytes of faiss's layout, factors included."""
        signs = (dim + 7) // 8 + 2 * FLOAT_BYTES
        extra = (dim * (self.bits - 1) + 7) // 8 + 3 * FLOAT_BYTES
        return float(signs + (extra if self.bits > 1 else 0))

    def index_bytes(self, dim: int) -> float:
        """Return 4 d**2 + 4 d: rotation matrix and mean."""
        return super().index_bytes(dim) + FLOAT_BYTES * dim

    def asymmetric_scores(self, queries: Floats, documents: Codes) -> Floats:
        """Estimate inner products as faiss's index does, float32."""
        estimates = super().asymmetric_scores(queries, documents)
        estimates += self._correction(documents)[None, :]
        return estimates

    def _correction(self, codes: Codes) -> Floats:
        """Return <m, x> - <m, x'> of each document, float32 (n,)."""
        mean = self._fitted_mean()
        if self.bits == 1:
            # faiss stores |x - m|^2 - |x|^2 = |m|^2 - 2 <m, x>.
            exact = np.float32(-0.5) * (self._factors(codes)[:, 0] + (mean * mean).sum())
        else:
            exact = self._factors(codes)[:, 0]
        estimate: Floats = (self._centred(codes) * mean).sum(axis=1)
        correction: Floats = exact - estimate
        return correction

    def _fitted_mean(self) -> Floats:
        """Return the mean of a fitted level."""
        if self.mean is None:
            message = f"{self.name} must be fitted before it is used"
            raise ValueError(message)
        return self.mean

    def _centred(self, codes: Codes) -> Floats:
        """Return f v, the decoded vectors without the mean."""
        dim, extra = codes.dim, self.bits - 1
        bits = np.unpackbits(codes.values, axis=1, bitorder="little")
        grid = bits[:, :dim].astype(np.float32) * np.float32(2**extra)
        if extra:
            start = 8 * ((dim + 7) // 8 + 3 * FLOAT_BYTES)
            low = bits[:, start : start + dim * extra].reshape(len(codes), dim, extra)
            grid += low @ (2 ** np.arange(extra)).astype(np.float32)
        grid -= np.float32(2**extra - 0.5)
        factor = self._factors(codes)[:, 1]
        if not extra:
            # faiss stores |r|^2 sqrt(d) / |r|_1, for a grid of +-1 / sqrt(d).
            factor = factor * np.float32(2 / np.sqrt(dim))
        return grid * factor[:, None]

    def _factors(self, codes: Codes) -> Floats:
        """Return the two float32 factors of the full estimate, (n, 2)."""
        size = 2 * FLOAT_BYTES
        start = (codes.dim + 7) // 8 if self.bits == 1 else codes.values.shape[1] - size
        return np.ascontiguousarray(codes.values[:, start : start + size]).view(np.float32)


@dataclass(frozen=True)
class TurboQuant(RotatedLevel):
    """TurboQuant, the variant of least squared error: x' = R^T c, each value of R x to its nearest centroid.

    After a random rotation R the values of a unit vector are nearly N(0, 1 / d), so one table of 2**bits
    centroids, Lloyd-Max for that Gaussian, is the best scalar quantizer of every dimension. Distortions .363,
    .1175, .0345 and .0095 for 1 to 4 bits: 4.40, 9.30, 14.62 and 20.22 dB. Nothing is learnt but the seed and
    no norm is stored: it is made for unit vectors (a vector of zeros decodes to the centroids nearest 0).
    Zandieh et al. 2025, arXiv 2504.19874; faiss `QT_{bits}bit_tqmse`. Rotation, centroids and the boundaries
    between them are stored once: 4 d**2 + 4 (2**(bits + 1) - 1) bytes.

    Attributes:
        bits: Bits a dimension, 1 to 4.
        table: The `faiss.ScalarQuantizer` over rotated vectors.
    """

    bits: int = 1
    table: Any = None

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:
        """Draw the rotation; the values of the sample do not matter."""
        import faiss

        dim = sample.shape[1]
        table = faiss.ScalarQuantizer(dim, getattr(faiss.ScalarQuantizer, f"QT_{self.bits}bit_tqmse"))
        table.train(np.zeros((1, dim), dtype=np.float32))
        return replace(self, rotation=Rotation.random(dim, rng), table=table)

    def encode(self, vectors: Floats) -> Codes:
        """Rotate and take the nearest centroid of each value: uint8 (n, ceil(bits d / 8))."""
        return Codes(self.table.compute_codes(self.fitted_rotation().apply(vectors)), vectors.shape[1])

    def decode_rotated(self, codes: Codes) -> Floats:
        """Look the centroids up."""
        return np.asarray(self.table.decode(codes.values), dtype=np.float32)

    def bytes_per_vector(self, dim: int) -> float:
        """Return `bits` bits a dimension, rounded up to whole bytes."""
        return float((dim * self.bits + 7) // 8)

    def index_bytes(self, dim: int) -> float:
        """Return 4 d**2 plus four bytes a centroid and a boundary."""
        return super().index_bytes(dim) + FLOAT_BYTES * float(2 ** (self.bits + 1) - 1)
