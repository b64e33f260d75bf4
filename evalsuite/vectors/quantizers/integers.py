"""Integer levels that need no fit: int8 and int4 a vector, int4 in blocks, ternary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.vectors.kernels import integer_products
from evalsuite.vectors.quantizers.base import Codes, Floats
from evalsuite.vectors.quantizers.level import SMALLEST, Level, inverse, share
from evalsuite.vectors.quantizers.packing import (
    TRITS_PER_BYTE,
    pack_nibbles,
    pack_trits,
    unpack_nibbles,
    unpack_trits,
)

SCALE_BYTES = 4
BLOCK = 32
TERNARY_THRESHOLD = 0.612
"""Threshold of the best three-level quantizer of a Gaussian, in standard deviations (Max 1960)."""


@dataclass(frozen=True)
class Scaled(Level):
    """Integers times one float32 scale a vector: exact integer inner products, times both scales.

    Attributes:
        levels: Largest magnitude of a code; codes are symmetric, so that -x encodes to the opposite codes.
    """

    levels: int

    def integers(self, codes: Codes) -> npt.NDArray[np.int8]:
        """Return the codes as int8 (n, d), unpacked."""
        raise NotImplementedError

    def decode(self, codes: Codes) -> Floats:
        """Multiply each code by its vector's scale."""
        decoded: Floats = self.integers(codes).astype(np.float32)
        decoded *= codes.side["scale"][:, None]
        return decoded

    def scores(self, queries: Codes, documents: Codes) -> Floats:
        """Exact integer inner products of the codes, times both scales."""
        products = integer_products(self.integers(queries), self.integers(documents))
        scores: Floats = products.T.astype(np.float32)
        scores *= documents.side["scale"][:, None]
        scores *= queries.side["scale"][None, :]
        return scores.T


@dataclass(frozen=True)
class PerVector(Scaled):
    """Symmetric integers with one scale a vector: q = round(L x / max|x|), x' = q max|x| / L.

    Needs no calibration and keeps directions. int8 has L = 127 (8 bits a dimension, about 42 dB on uniform
    unit vectors); int4 has L = 7, fifteen levels, two codes a byte (4 bits a dimension, about 17 dB). The
    scale is float32 and costs four bytes a vector. A vector of zeros encodes to zeros with scale 0.
    """

    def encode(self, vectors: Floats) -> Codes:
        """Scale each row's largest magnitude to L and round to the nearest integer, halves to even."""
        scale = np.abs(vectors).max(axis=1, initial=0.0) / np.float32(self.levels)
        scale[scale < SMALLEST] = 0
        values = np.rint(vectors * inverse(scale)[:, None])
        np.clip(values, -self.levels, self.levels, out=values)
        return Codes(self._packed(values), vectors.shape[1], {"scale": scale})

    def integers(self, codes: Codes) -> npt.NDArray[np.int8]:
        """Return the codes as int8 (n, d)."""
        if not self._two_a_byte:
            return np.asarray(codes.values, dtype=np.int8)
        return unpack_nibbles(codes.values, codes.dim).astype(np.int8) - np.int8(8)

    def bytes_per_vector(self, dim: int) -> float:
        """Return the bytes of the codes plus four for the scale."""
        return float(((dim + 1) // 2 if self._two_a_byte else dim) + SCALE_BYTES)

    def saturation(self, codes: Codes) -> float | None:
        """Return the share of codes at +-L; at least one a vector by construction."""
        return share(np.abs(self.integers(codes)) == self.levels)

    @property
    def _two_a_byte(self) -> bool:
        return self.levels < 8

    def _packed(self, values: Floats) -> npt.NDArray[np.int8] | npt.NDArray[np.uint8]:
        """Store whole numbers as int8, or as value + 8 in half a byte."""
        return pack_nibbles((values + 8).astype(np.uint8)) if self._two_a_byte else values.astype(np.int8)


@dataclass(frozen=True)
class Int4Block32(Level):
    """int4 in blocks of 32 dimensions with a float16 scale each: ggml's Q4_0 rule (4.5 bits a dimension).

    With m the element of largest magnitude of the block, sign included, the step is d = m / -8 and
    q = clip(floor(x / d + 8.5), 0, 15), x' = fp16(d) (q - 8): sixteen levels, m itself is one of them, and
    values near -m are clipped by at most one step. The codes are taken with the float32 step, as ggml does;
    the layout here is two neighbours a byte, codes and scales apart. The last block may be shorter.
    """

    name: str = "int4_block32"

    def encode(self, vectors: Floats) -> Codes:
        """Quantize each block by its own step."""
        blocks = _blocks(vectors)
        largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
        step = largest / np.float32(-8)
        reciprocal = np.divide(1.0, step, out=np.zeros_like(step), where=np.abs(step) >= SMALLEST)
        codes = np.floor(blocks * reciprocal[:, :, None] + np.float32(8.5))
        np.clip(codes, 0, 15, out=codes)
        flat = codes.astype(np.uint8).reshape(len(vectors), BLOCK * step.shape[1])[:, : vectors.shape[1]]
        return Codes(pack_nibbles(flat), vectors.shape[1], {"scale": step.astype(np.float16)})

    def decode(self, codes: Codes) -> Floats:
        """Multiply each code, less 8, by its block's stored step."""
        integers = unpack_nibbles(codes.values, codes.dim).astype(np.float32) - 8
        step = np.repeat(codes.side["scale"].astype(np.float32), BLOCK, axis=1)[:, : codes.dim]
        return integers * step

    def bytes_per_vector(self, dim: int) -> float:
        """Return half a byte a dimension plus two bytes a block."""
        return float((dim + 1) // 2 + 2 * (-(-dim // BLOCK)))

    def saturation(self, codes: Codes) -> float | None:
        """Return the share of codes at 0 or 15; at least one a block that is not all zeros."""
        integers = unpack_nibbles(codes.values, codes.dim)
        return share((integers == 0) | (integers == 15))


@dataclass(frozen=True)
class Ternary(Scaled):
    """Three levels with one scale a vector: t = sign(x) where |x| > .612 s, else 0; x' = a t.

    s is the root mean square of the vector, its standard deviation about zero; a = <x, t> / <t, t>, the mean
    magnitude of what was kept, minimises |x - a t|. Threshold: Max 1960, "Quantizing for minimum distortion";
    7.2 dB on uniform unit vectors. Five digits share a byte (1.6 bits a dimension) and the scale is float32.
    """

    name: str = "ternary"
    levels: int = 1

    def encode(self, vectors: Floats) -> Codes:
        """Keep the signs of the larger values."""
        dim = vectors.shape[1]
        magnitude = np.abs(vectors)
        # In units of the largest value, so that squares of tiny vectors do not underflow.
        relative = magnitude * inverse(magnitude.max(axis=1, initial=0.0))[:, None]
        threshold = np.float32(TERNARY_THRESHOLD) * np.sqrt((relative * relative).mean(axis=1))
        kept = relative > threshold[:, None]
        count = np.maximum(kept.sum(axis=1), 1)
        scale = (np.where(kept, magnitude, np.float32(0)).sum(axis=1) / count).astype(np.float32)
        digits = np.where(kept, np.sign(vectors), 0).astype(np.int8) + 1
        return Codes(pack_trits(digits.astype(np.uint8)), dim, {"scale": scale})

    def integers(self, codes: Codes) -> npt.NDArray[np.int8]:
        """Return the codes as int8 (n, d) of -1, 0 and 1."""
        return unpack_trits(codes.values, codes.dim).astype(np.int8) - np.int8(1)

    def bytes_per_vector(self, dim: int) -> float:
        """Return one byte for five dimensions plus four for the scale."""
        return float(-(-dim // TRITS_PER_BYTE) + SCALE_BYTES)


def _blocks(vectors: Floats) -> Floats:
    """Cut float32 (n, d) rows into (n, blocks, 32), the last block filled with zeros."""
    missing = -vectors.shape[1] % BLOCK
    padded = np.pad(vectors, ((0, 0), (0, missing)))
    return padded.reshape(len(vectors), padded.shape[1] // BLOCK, BLOCK)
