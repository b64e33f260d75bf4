"""Several codes in one byte: two of 4 bits, or five ternary digits (3**5 = 243 of 256 values)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

TRITS_PER_BYTE = 5
_POWERS = 3 ** np.arange(TRITS_PER_BYTE)


def pack_nibbles(codes: Bytes) -> Bytes:
    """Pack (n, d) codes of 0 to 15 into uint8 (n, ceil(d / 2)), the first of a pair in the low half."""
    padded = _padded(codes, 2)
    return padded[:, 0::2] | (padded[:, 1::2] << np.uint8(4))


def unpack_nibbles(packed: Bytes, dim: int) -> Bytes:
    """Undo `pack_nibbles`: uint8 (n, dim)."""
    codes = np.empty((len(packed), 2 * packed.shape[1]), dtype=np.uint8)
    codes[:, 0::2] = packed & 15
    codes[:, 1::2] = packed >> 4
    return codes[:, :dim]


def pack_trits(digits: Bytes) -> Bytes:
    """Pack (n, d) digits of 0 to 2 into uint8 (n, ceil(d / 5)), the first in the lowest place."""
    padded = _padded(digits, TRITS_PER_BYTE)
    places = padded.reshape(len(padded), padded.shape[1] // TRITS_PER_BYTE, TRITS_PER_BYTE)
    packed: Bytes = (places * _POWERS.astype(np.uint8)).sum(axis=2, dtype=np.uint8)
    return packed


def unpack_trits(packed: Bytes, dim: int) -> Bytes:
    """Undo `pack_trits`: uint8 (n, dim)."""
    table: Bytes = (np.arange(256)[:, None] // _POWERS % 3).astype(np.uint8)
    digits: Bytes = np.take(table, packed, axis=0)
    return digits.reshape(len(packed), packed.shape[1] * TRITS_PER_BYTE)[:, :dim]


def _padded(codes: Bytes, multiple: int) -> Bytes:
    """Append columns of zeros up to a multiple."""
    missing = -codes.shape[1] % multiple
    return np.pad(codes, ((0, 0), (0, missing))) if missing else codes
