"""The grids of quantized weights, as round trips: float32 in, the nearest values the format can store out.

All round trips are idempotent, and every row is rounded alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BLOCK = 32
"""Consecutive weights of a row that share a scale in GGML's block formats."""

_HALF_MAX = float(np.finfo(np.float16).max)
_SHORT_SCALE = np.uint32(0xFFFFFF00)


@dataclass(frozen=True)
class Grid:
    """A stored form of matrices.

    Attributes:
        name: Name in reports.
        round_trip: Rounds float32 (rows, columns); returns a new array of the same shape.
        value_bits: Bits of a value without its scale.
        scale_bits: Bits of a scale.
        block: Consecutive values of a row that share a scale; 0 for a whole row.
        largest: Largest magnitude the format can store.
    """

    name: str
    round_trip: Callable[[Floats], Floats]
    value_bits: float
    scale_bits: int = 0
    block: int = 0
    largest: float = float(np.finfo(np.float32).max)

    def bits_per_weight(self, columns: int) -> float:
        """Return the bits a value of a row of so many columns, its share of the scale included."""
        return self.value_bits + self.scale_bits / (self.block or max(columns, 1))

    def fits(self, columns: int) -> bool:
        """Tell whether rows of so many columns fall into whole blocks."""
        return not self.block or columns % self.block == 0


def bfloat16(weights: Floats) -> Floats:
    """Round to bfloat16, nearest, ties to even: float32 with 8 instead of 24 significant bits."""
    bits = np.ascontiguousarray(weights, dtype=np.float32).view(np.uint32)
    # Just under half of the last kept place plus that place's own bit carries exactly when it should.
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded & np.uint32(0xFFFF0000)).view(np.float32)


def q8_0(weights: Floats) -> Floats:
    """Round to GGML's Q8_0: d = max|w| / 127, q = round(w / d), halves away from zero; w' = float16(d) q.

    q comes from the float32 d, as in ggml-quants.c; 8 bits a value and 16 a block of 32.
    """
    blocks = _blocks(weights)
    step = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    scaled = blocks * _inverse(step)
    size = np.abs(scaled)
    whole = np.floor(size)
    codes = np.copysign(whole + np.floor(2 * (size - whole)), scaled)
    rounded: Floats = codes * _half(step)
    return rounded.reshape(weights.shape)


def q4_0(weights: Floats) -> Floats:
    """Round to GGML's Q4_0: d = m / -8 with m the value of largest magnitude, signed.

    q = min(trunc(w / d + 8.5), 15), w' = float16(d) (q - 8). q comes from the float32 d, as in ggml-quants.c;
    4 bits a value and 16 a block of 32.
    """
    blocks = _blocks(weights)
    place = np.abs(blocks).argmax(axis=1)[:, None]
    step = np.take_along_axis(blocks, place, axis=1) / np.float32(-8)
    codes = np.minimum(np.trunc(blocks * _inverse(step) + np.float32(8.5)), np.float32(15))
    rounded: Floats = (codes - np.float32(8)) * _half(step)
    return rounded.reshape(weights.shape)


def per_channel(weights: Floats, levels: int) -> Floats:
    """Round every row to levels + 1 + levels equal steps: s = max|w| / levels, w' = s round(w / s).

    A row is an output channel of a linear layer, or a token. s is a float32 whose last 8 bits are zero: its
    products with codes are then exact, and a second round trip changes nothing.

    Args:
        weights: float32 (rows, columns).
        levels: Largest code: 127 for int8, 7 for int4.
    """
    exact = np.abs(weights).max(axis=1, keepdims=True, initial=0) / np.float32(levels)
    step = ((exact.view(np.uint32) + np.uint32(0x80)) & _SHORT_SCALE).view(np.float32)
    scaled = np.divide(weights, step, out=np.zeros_like(weights), where=step > 0)
    rounded: Floats = np.clip(np.rint(scaled), -levels, levels) * step
    return rounded


BFLOAT16 = Grid("bfloat16", bfloat16, 16, largest=float(np.uint32(0x7F7F0000).view(np.float32)))
Q8_0 = Grid("q8_0", q8_0, 8, scale_bits=16, block=BLOCK, largest=127 * _HALF_MAX)
Q4_0 = Grid("q4_0", q4_0, 4, scale_bits=16, block=BLOCK, largest=8 * _HALF_MAX)
INT8_CHANNEL = Grid("int8_channel", partial(per_channel, levels=127), 8, scale_bits=32)
INT4_CHANNEL = Grid("int4_channel", partial(per_channel, levels=7), 4, scale_bits=32)


def _blocks(weights: Floats) -> Floats:
    """Cut rows into blocks: float32 (rows x columns / 32, 32)."""
    return weights.reshape(-1, BLOCK)


def _half(step: Floats) -> Floats:
    """Round scales to float16."""
    return step.astype(np.float16).astype(np.float32)


def _inverse(step: Floats) -> Floats:
    """Return 1 / step, and 0 for steps that are 0 in float16: their blocks become 0 whatever the codes."""
    return np.divide(np.float32(1), step, out=np.zeros_like(step), where=_half(step) != 0)
