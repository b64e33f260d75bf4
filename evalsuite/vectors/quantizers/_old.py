"""Quantization levels: how a unit vector is stored, what it costs, and how an index scores it.

Scores are inner products of what is stored: the decoded query with the decoded document. For codes that
decode to integers times a scale the integers are multiplied exactly (float32 holds every integer up to 2**24,
enough for int8 up to 1,040 dimensions) and scaled last, so equal codes always score equal and a tie in the
index is a tie here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import UsageError, known_names

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]

INT8_LEVELS = 127
"""Largest magnitude of a symmetric int8 code; -128 is not used, so that -x encodes to -code."""


@dataclass(frozen=True)
class Codes:
    """Stored form of some vectors.

    Attributes:
        values: (n, d) codes, one a dimension, or (n, ceil(d / 8)) uint8 when eight signs share a byte.
        scale: float32 (n,) factor a vector, or None where codes decode without one.
        dim: d, the number of dimensions encoded.
    """

    values: npt.NDArray[Any]
    scale: Floats | None
    dim: int

    def __len__(self) -> int:
        return len(self.values)


class Quantizer(Protocol):
    """One quantization level."""

    @property
    def name(self) -> str:
        """Name of the level in variant texts."""
        ...

    def encode(self, vectors: Floats) -> Codes:
        """Turn float32 (n, d) unit vectors into codes."""
        ...

    def decode(self, codes: Codes) -> Floats:
        """Turn codes back into float32 (n, d) vectors."""
        ...

    def bytes_per_vector(self, dim: int) -> float:
        """Stored bytes of one vector of `dim` dimensions, side values included."""
        ...

    def scores(self, queries: Codes, documents: Codes) -> torch.Tensor:
        """Score every query with every document: float32 (queries, documents), higher is nearer."""
        ...


@dataclass(frozen=True)
class FloatCast:
    """IEEE floating point, by rounding each value to the nearest representable one.

    float16 holds the values of a unit vector with a relative error below 2**-11.
    """

    name: str
    dtype: type[np.floating[Any]]

    def encode(self, vectors: Floats) -> Codes:
        """Cast to the level's data type."""
        return Codes(vectors.astype(self.dtype, copy=False), None, vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Cast back to float32; exact."""
        return codes.values.astype(np.float32, copy=False)

    def bytes_per_vector(self, dim: int) -> float:
        """Return the data type's size times `dim`."""
        return float(np.dtype(self.dtype).itemsize * dim)

    def scores(self, queries: Codes, documents: Codes) -> torch.Tensor:
        """Inner products in float32."""
        return _inner_products(self.decode(queries), self.decode(documents))


@dataclass(frozen=True)
class Int8PerVector:
    """Symmetric int8 with one scale a vector: q = round(127 x / max|x|), x' = q max|x| / 127.

    Needs no calibration and keeps directions: about 42 dB signal to noise on uniform unit vectors. The scale
    is stored as float32. A vector of zeros encodes to zeros with scale 0.
    """

    name: str = "int8"

    def encode(self, vectors: Floats) -> Codes:
        """Scale each row's largest magnitude to 127 and round to the nearest integer, halves to even."""
        scale = np.abs(vectors).max(axis=1, initial=0.0) / np.float32(INT8_LEVELS)
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        values = np.rint(vectors * inverse[:, None])
        np.clip(values, -INT8_LEVELS, INT8_LEVELS, out=values)
        return Codes(values.astype(np.int8), scale, vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Multiply each code by its vector's scale."""
        return codes.values.astype(np.float32) * _scale(codes)[:, None]

    def bytes_per_vector(self, dim: int) -> float:
        """Return one byte a dimension plus four for the scale."""
        return float(dim + 4)

    def scores(self, queries: Codes, documents: Codes) -> torch.Tensor:
        """Exact integer inner products of the codes, times both scales."""
        import torch

        products = _inner_products(queries.values.astype(np.float32), documents.values.astype(np.float32))
        products *= torch.from_numpy(_scale(queries))[:, None]
        products *= torch.from_numpy(_scale(documents))[None, :]
        return products


@dataclass(frozen=True)
class Binary:
    """One sign bit a dimension: 1 where x > 0, eight to a byte, scored by Hamming distance h as 1 - 2 h / d.

    That score is the cosine of the two sign vectors in {-1, +1}^d, so it orders documents as Hamming distance
    does. The expected cosine of a uniform unit vector with its own signs is sqrt(2 / pi) = 0.798.
    """

    name: str = "binary"

    def encode(self, vectors: Floats) -> Codes:
        """Pack the signs, first dimension in the highest bit of the first byte."""
        return Codes(np.packbits(vectors > 0, axis=1), None, vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Return unit vectors of +-1 / sqrt(d)."""
        return _signs(codes) / np.float32(np.sqrt(codes.dim))

    def bytes_per_vector(self, dim: int) -> float:
        """Return one bit a dimension, rounded up to whole bytes."""
        return float((dim + 7) // 8)

    def scores(self, queries: Codes, documents: Codes) -> torch.Tensor:
        """Return 1 - 2 h / d from exact integer inner products of signs."""
        return _inner_products(_signs(queries), _signs(documents)) / queries.dim


_LEVELS: dict[str, Callable[[], Quantizer]] = {
    "float32": lambda: FloatCast("float32", np.float32),
    "float16": lambda: FloatCast("float16", np.float16),
    "int8": Int8PerVector,
    "binary": Binary,
}


def known_precisions() -> tuple[str, ...]:
    """Return the names of all quantization levels."""
    return tuple(_LEVELS)


def quantizer(name: str) -> Quantizer:
    """Return the quantization level called `name`.

    Raises:
        UsageError: If there is none; the message lists the known levels.
    """
    if name not in _LEVELS:
        message = f"unknown precision {name!r}; known precisions: {known_names(known_precisions())}"
        raise UsageError(message)
    return _LEVELS[name]()


def _inner_products(queries: Floats, documents: Floats) -> torch.Tensor:
    """Multiply (n, d) by the transpose of (m, d) in float32."""
    import torch

    return torch.from_numpy(queries) @ torch.from_numpy(documents).T


def _signs(codes: Codes) -> Floats:
    """Unpack sign bits to -1 and +1."""
    bits = np.unpackbits(codes.values, axis=1, count=codes.dim)
    return bits.astype(np.float32) * 2 - 1


def _scale(codes: Codes) -> Floats:
    """Return the scale of codes that must have one."""
    if codes.scale is None:
        message = "these codes carry no scale"
        raise ValueError(message)
    return codes.scale
