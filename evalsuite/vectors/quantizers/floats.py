"""Floating point levels: 32, 16 and 8 bits a dimension, by rounding to the nearest representable value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evalsuite.vectors.quantizers.base import Codes, Floats
from evalsuite.vectors.quantizers.level import Level, share


@dataclass(frozen=True)
class FloatCast(Level):
    """IEEE 754 binary32 or binary16: x' = the nearest value, halves to even (32 or 16 bits a dimension).

    float16 holds the values of a unit vector with a relative error of at most 2**-11 (73.7 dB).

    Attributes:
        dtype: The stored data type.
    """

    dtype: type[np.floating[Any]]

    def encode(self, vectors: Floats) -> Codes:
        """Cast to the level's data type."""
        return Codes(vectors.astype(self.dtype, copy=False), vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Cast back to float32; exact."""
        return codes.values.astype(np.float32, copy=False)

    def bytes_per_vector(self, dim: int) -> float:
        """Return the data type's size times `dim`."""
        return float(np.dtype(self.dtype).itemsize * dim)


@dataclass(frozen=True)
class BFloat16(Level):
    """bfloat16: the upper half of a float32, rounded to nearest, halves to even (16 bits a dimension).

    8 significand bits: relative error at most 2**-8, 55.6 dB. Stored as uint16.
    """

    name: str = "bfloat16"

    def encode(self, vectors: Floats) -> Codes:
        """Round the lower 16 bits away: add half of the last kept bit, plus one when that bit is odd."""
        bits = np.ascontiguousarray(vectors, dtype=np.float32).view(np.uint32)
        odd = (bits >> np.uint32(16)) & np.uint32(1)
        rounded = (bits + np.uint32(0x7FFF) + odd) >> np.uint32(16)
        return Codes(rounded.astype(np.uint16), vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Put 16 zero bits back; exact."""
        return (codes.values.astype(np.uint32) << np.uint32(16)).view(np.float32)

    def bytes_per_vector(self, dim: int) -> float:
        """Return two bytes a dimension."""
        return float(2 * dim)


@dataclass(frozen=True)
class Float8(Level):
    """OCP 8-bit floating point of x sqrt(d), saturating at the largest finite value (8 bits a dimension).

    x' = fp8(clip(x sqrt(d))) / sqrt(d). The values of a unit vector have standard deviation 1 / sqrt(d), down
    in the subnormal range of e4m3 (below 2**-6); multiplied by the constant sqrt(d) they sit in the middle of
    the range, and no side value is stored. e4m3 keeps 4 significand bits (31.5 dB), e5m2 keeps 3 (25.5 dB).
    Formats: Micikevicius et al. 2022, "FP8 formats for deep learning", arXiv 2209.05433.

    Attributes:
        torch_name: The torch data type that rounds.
        largest: Its largest finite value.
    """

    torch_name: str
    largest: float

    def encode(self, vectors: Floats) -> Codes:
        """Scale by sqrt(d), clip to the finite range and round to nearest, halves to even; as uint8."""
        import torch

        scaled = np.clip(vectors * _root(vectors.shape[1]), -self.largest, self.largest)
        codes = torch.from_numpy(scaled).to(getattr(torch, self.torch_name)).view(torch.uint8)
        return Codes(codes.numpy(), vectors.shape[1])

    def decode(self, codes: Codes) -> Floats:
        """Read the 8-bit values and divide by sqrt(d)."""
        return self._values(codes) / _root(codes.dim)

    def bytes_per_vector(self, dim: int) -> float:
        """Return one byte a dimension."""
        return float(dim)

    def saturation(self, codes: Codes) -> float | None:
        """Return the share of codes at the largest finite magnitude."""
        return share(np.abs(self._values(codes)) >= self.largest)

    def clip_share(self, vectors: Floats) -> float | None:
        """Return the share of values beyond the largest finite magnitude."""
        return share(np.abs(vectors) * _root(vectors.shape[1]) > self.largest)

    def _values(self, codes: Codes) -> Floats:
        """Read the 8-bit values as float32, still scaled."""
        import torch

        values = (
            torch.from_numpy(codes.values).view(getattr(torch, self.torch_name)).to(torch.float32).numpy()
        )
        return np.asarray(values, dtype=np.float32)


def _root(dim: int) -> np.float32:
    """Return sqrt(dim) as float32."""
    return np.float32(np.sqrt(dim))
