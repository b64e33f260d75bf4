"""Unit prefixes of rows at every dimension, gathered until a matrix product over them is worth its while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread.moments import ROWS_IN_SINGLE, AnyFloats

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

ROWS_IN_CACHE = 255
"""Rows cut and scaled at once: few enough to stay in cache meanwhile, and for a byte to count their ones."""


@dataclass
class Tally:
    """What is counted while rows are cut and scaled.

    Attributes:
        counts: Rows with a direction, int64 (ends,).
        totals: Sums of the full rows scaled by the lengths of their prefixes, float64 (ends, width).
        energies: Sums of the shares of squared length that the prefixes hold, float64 (ends,).
        positive_bits: Rows whose coordinate is positive, float64 (width,).
    """

    counts: Longs
    totals: Doubles
    energies: Doubles
    positive_bits: Doubles

    @classmethod
    def none(cls, ends: int, width: int) -> Self:
        """Begin with nothing counted."""
        return cls(np.zeros(ends, dtype=np.int64), np.zeros((ends, width)), np.zeros(ends), np.zeros(width))


class UnitPrefixes:
    """Room for the unit prefixes of some thousand rows, and the tally of the rows in it.

    A row whose prefix is all zeros is a row of zeros there, and not counted.

    Args:
        dims: Lengths of the prefixes.
        width: Length of the rows.
        dtype: Their precision.

    Attributes:
        ends: `dims` and `width`, ascending: the entries of the tally.
        dtype: Precision of the rows.
        filled: Rows in the room.
        tally: What was counted over them.
    """

    def __init__(self, dims: Sequence[int], width: int, dtype: np.dtype[np.floating]) -> None:
        self.ends = sorted({*dims, width})
        self._width = width
        self._rooms: dict[int, AnyFloats] = {
            dim: np.empty((ROWS_IN_SINGLE, dim), dtype=dtype) for dim in dims
        }
        self.dtype = dtype
        self.clear()

    @property
    def free(self) -> int:
        """Rows for which there is still room."""
        return ROWS_IN_SINGLE - self.filled

    def clear(self) -> None:
        """Let go of all rows."""
        self.filled = 0
        self.tally = Tally.none(len(self.ends), self._width)

    def at(self, dim: int) -> tuple[AnyFloats, int, Doubles]:
        """Return the unit prefixes in the room, (n, dim), how many are not zeros, and their sum, (dim,)."""
        place = self.ends.index(dim)
        return self._rooms[dim][: self.filled], int(self.tally.counts[place]), self.tally.totals[place, :dim]

    def add(self, rows: AnyFloats, first: int) -> None:
        """Cut and scale rows, (n, width) with n at most `free`.

        Args:
            rows: The rows.
            first: Number of the first among all rows, for messages.

        Raises:
            ValueError: If a row holds NaN, infinity, or what cannot be squared; the first such row is named.
        """
        for start in range(0, len(rows), ROWS_IN_CACHE):
            self._cut(rows[start : start + ROWS_IN_CACHE], first + start)

    def _cut(self, rows: AnyFloats, first: int) -> None:
        """Cut and scale rows that fit the cache."""
        tally = self.tally
        squares = _squares(rows, self.ends)
        _check_finite(squares[-1], first)
        directed = squares > 0
        lengths = np.sqrt(squares)
        weights = np.divide(1, lengths, out=np.zeros_like(lengths), where=directed)
        tally.counts += np.count_nonzero(directed, axis=1)
        tally.totals += weights @ rows
        tally.energies += ((lengths * weights[-1]) ** 2).sum(axis=1, dtype=np.float64)
        tally.positive_bits += np.add.reduce((rows > 0).view(np.uint8), axis=0, dtype=np.uint8)
        for dim, room in self._rooms.items():
            scale = weights[self.ends.index(dim)][:, None]
            np.multiply(rows[:, :dim], scale, out=room[self.filled : self.filled + len(rows)])
        self.filled += len(rows)


def _squares(rows: AnyFloats, ends: Sequence[int]) -> AnyFloats:
    """Squared lengths of the prefixes that end at `ends`, ascending, each coordinate read once: (ends, n)."""
    pieces = [rows[:, start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return np.cumsum([np.einsum("ij,ij->i", piece, piece) for piece in pieces], axis=0, dtype=rows.dtype)


def _check_finite(squares: AnyFloats, first: int) -> None:
    """Refuse rows whose squared length is no number; `first` is the number of the first."""
    bad = np.flatnonzero(~np.isfinite(squares))
    if len(bad):
        row = first + int(bad[0])
        message = f"row {row} holds NaN or infinity, or numbers too large to square as {squares.dtype}"
        raise ValueError(message)
