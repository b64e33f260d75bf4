"""faiss's trained codes: product quantizers and scalar quantizers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import UsageError
from evalsuite.vectors.quantizers.base import Codes, Floats
from evalsuite.vectors.quantizers.level import Level, require_rows, share
from evalsuite.vectors.quantizers.packing import unpack_nibbles
from evalsuite.vectors.quantizers.rotation import RotatedLevel, Rotation

CENTROIDS = 256
TRAINING_ROWS = 39 * CENTROIDS
"""Rows drawn from larger samples: as many as faiss advises at least."""
ROUNDS = 10
"""Rounds of k-means, and of OPQ; 25 instead gain .02 dB on uniform vectors for 2.5 times the work."""
_ADVICE = "name a larger calibration set, or choose a level without codebooks such as turboquant_1bit"


@dataclass(frozen=True)
class ProductCodes(Level):
    """Product quantizer: the d dimensions cut into m groups, a byte a group, 256 centroids each by k-means.

    x' joins the nearest centroid of every group; asymmetric scores are inner products with it, the sums that
    distance tables give (ADC). d must be a multiple of the group. Codebooks: 256 d float32, 1,024 d bytes for
    the whole index. On a sample not much larger than 256 the centroids are nearly the vectors themselves, and
    scores on those vectors flatter the level: judge it on thousands of vectors. Larger samples are cut to
    9,984 rows drawn at random. Jegou et al. 2011, "Product quantization for nearest neighbor search".
    8 / group bits a dimension.

    Attributes:
        group: Dimensions that share a byte: 8 for one bit a dimension, 4 for two.
        codebook: The fitted `faiss.ProductQuantizer`.
    """

    group: int
    codebook: Any = None

    @property
    def needs_fit(self) -> bool:
        """Codebooks come from the sample."""
        return True

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:
        """Train the codebooks.

        Raises:
            UsageError: If there are fewer vectors than centroids, or d is not a multiple of the group.
        """
        drawn = drawn_for(self.name, sample, rng)
        return replace(self, codebook=trained_codebook(self.name, drawn, self.group, rng))

    def encode(self, vectors: Floats) -> Codes:
        """Take the nearest centroid of each group: uint8 (n, d / group)."""
        return Codes(self.codebook.compute_codes(np.ascontiguousarray(vectors)), vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Look the centroids up."""
        return np.asarray(self.codebook.decode(codes.values), dtype=np.float32)

    def bytes_per_vector(self, dim: int) -> float:
        """Return one byte a group.

        Raises:
            UsageError: If `dim` is not a multiple of the group.
        """
        return float(groups(self.name, dim, self.group))

    def index_bytes(self, dim: int) -> float:
        """Return 1,024 d: 256 float32 centroids over all dimensions."""
        return codebook_bytes(dim)


@dataclass(frozen=True)
class RotatedProductCodes(RotatedLevel):
    """Optimized product quantizer: a learnt rotation R, then a product quantizer of R x; x' = R^T pq(R x).

    Rotation and codebooks are improved in turn (ten rounds here, by faiss's `OPQMatrix`) to lower the squared
    error. d must be a multiple of the group; the advice on samples of `ProductCodes` holds. Rotation and
    codebooks: 4 d**2 + 1,024 d bytes for the whole index. Ge et al. 2013, "Optimized product quantization".
    8 / group bits a dimension.

    Attributes:
        group: Dimensions that share a byte.
        codebook: The fitted `faiss.ProductQuantizer` over rotated vectors.
    """

    group: int = 8
    codebook: Any = None

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:
        """Learn the rotation, then train the codebooks on rotated vectors.

        Raises:
            UsageError: If there are fewer vectors than centroids, or d is not a multiple of the group.
        """
        import faiss

        drawn = drawn_for(self.name, sample, rng)
        dim = drawn.shape[1]
        count = groups(self.name, dim, self.group)
        transform, inner = faiss.OPQMatrix(dim, count), _codebook(dim, count, rng)
        transform.niter, transform.pq = ROUNDS, inner
        with one_thread():
            # faiss keeps a d x d matrix in a buffer of n x d: repeat fewer rows, which moves no optimum.
            transform.train(np.tile(drawn, (-(-dim // len(drawn)), 1)))
        rotation = Rotation.nearest(faiss.vector_to_array(transform.A).reshape(dim, dim))
        codebook = trained_codebook(self.name, rotation.apply(drawn), self.group, rng)
        return replace(self, rotation=rotation, codebook=codebook)

    def encode(self, vectors: Floats) -> Codes:
        """Rotate and take the nearest centroid of each group: uint8 (n, d / group)."""
        return Codes(self.codebook.compute_codes(self.fitted_rotation().apply(vectors)), vectors.shape[1])

    def decode_rotated(self, codes: Codes) -> Floats:
        """Look the centroids up."""
        return np.asarray(self.codebook.decode(codes.values), dtype=np.float32)

    def bytes_per_vector(self, dim: int) -> float:
        """Return one byte a group.

        Raises:
            UsageError: If `dim` is not a multiple of the group.
        """
        return float(groups(self.name, dim, self.group))

    def index_bytes(self, dim: int) -> float:
        """Return 4 d**2 + 1,024 d: rotation matrix and codebooks."""
        return super().index_bytes(dim) + codebook_bytes(dim)


@dataclass(frozen=True)
class ScalarCodes(Level):
    """faiss's scalar quantizer (`QT_8bit`, `QT_4bit`): a min-max range a dimension, rounded down, mid-point.

    q = floor((2**bits - 1) (x - lo_j) / (hi_j - lo_j)), clipped, and x' = lo_j + (q + 1/2) s_j with
    s_j = (hi_j - lo_j) / (2**bits - 1): the step of `int8_affine` with levels shifted by half a step, the top
    one reached by hi_j alone. Ranges are the sample's smallest and largest values, float32, 8 d bytes for the
    whole index. A dimension without a range decodes to lo_j.

    Attributes:
        bits: 8 or 4.
        table: The fitted `faiss.ScalarQuantizer`.
    """

    bits: int
    table: Any = None

    @property
    def needs_fit(self) -> bool:
        """Ranges come from the sample."""
        return True

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:  # noqa: ARG002 - nothing is drawn
        """Take the range of each dimension from the sample.

        Raises:
            UsageError: If the sample is empty.
        """
        import faiss

        require_rows(self.name, sample, 1, "fit it on corpus vectors")
        table = faiss.ScalarQuantizer(sample.shape[1], getattr(faiss.ScalarQuantizer, f"QT_{self.bits}bit"))
        table.train(np.ascontiguousarray(sample))
        return replace(self, table=table)

    def encode(self, vectors: Floats) -> Codes:
        """Take the cell of each value: uint8 (n, d), or two to a byte."""
        return Codes(self.table.compute_codes(np.ascontiguousarray(vectors)), vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Return the middle of each cell."""
        return np.asarray(self.table.decode(codes.values), dtype=np.float32)

    def bytes_per_vector(self, dim: int) -> float:
        """Return one byte, or half a byte, a dimension."""
        return float(-(-dim * self.bits // 8))

    def index_bytes(self, dim: int) -> float:
        """Return 8 d: two float32 ends a dimension."""
        return 8.0 * dim

    def saturation(self, codes: Codes) -> float | None:
        """Return the share of codes at either end, over the dimensions that have a range."""
        low, width = self._range()
        integers: npt.NDArray[np.uint8] = codes.values
        if self.bits == 4:
            integers = unpack_nibbles(codes.values, len(low))
        integers = integers[:, width > 0]
        return share((integers == 0) | (integers == 2**self.bits - 1))

    def clip_share(self, vectors: Floats) -> float | None:
        """Return the share of values outside the fitted range, beyond rounding of its width."""
        low, width = self._range()
        return share((vectors < low) | (vectors - low > width))

    def _range(self) -> tuple[Floats, Floats]:
        """Return lower ends and widths, float32 (d,) each, as faiss trained them."""
        import faiss

        low, width = faiss.vector_to_array(self.table.trained).reshape(2, -1)
        return low, width


def drawn_for(name: str, sample: Floats, rng: np.random.Generator) -> Floats:
    """Draw at most `TRAINING_ROWS` rows, in their order.

    Raises:
        UsageError: If there are fewer rows than centroids.
    """
    require_rows(name, sample, CENTROIDS, _ADVICE)
    if len(sample) <= TRAINING_ROWS:
        return np.ascontiguousarray(sample)
    return sample[np.sort(rng.choice(len(sample), TRAINING_ROWS, replace=False))]


def trained_codebook(name: str, sample: Floats, group: int, rng: np.random.Generator) -> Any:
    """Train a `faiss.ProductQuantizer` with one byte for each `group` dimensions."""
    dim = sample.shape[1]
    codebook = _codebook(dim, groups(name, dim, group), rng)
    with one_thread():
        codebook.train(sample)
    return codebook


def groups(name: str, dim: int, group: int) -> int:
    """Return how many groups `dim` dimensions make.

    Raises:
        UsageError: If they do not divide.
    """
    if dim % group:
        message = (
            f"{name} cuts vectors into groups of {group} dimensions and {dim} is not a multiple of {group}; "
            f"use {dim // group * group or group} dimensions, or a level such as turboquant_1bit"
        )
        raise UsageError(message)
    return dim // group


def codebook_bytes(dim: int) -> float:
    """Return the bytes of 256 float32 centroids over `dim` dimensions."""
    return 4.0 * CENTROIDS * dim


@contextmanager
def one_thread() -> Iterator[None]:
    """Run faiss on one thread, then restore its thread count.

    Threaded singular value decompositions differ in the last bits from run to run, and k-means over groups of
    a few dimensions is faster without the threads' waiting.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _codebook(dim: int, count: int, rng: np.random.Generator) -> Any:
    """Return an untrained `faiss.ProductQuantizer`, seeded, silent about small samples."""
    import faiss

    codebook = faiss.ProductQuantizer(dim, count, 8)
    codebook.cp.seed = int(rng.integers(2**31))
    codebook.cp.niter = ROUNDS
    codebook.cp.min_points_per_centroid = 1
    return codebook
