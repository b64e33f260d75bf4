"""One pass over the full-width vectors of one side: exact sums at every dimension and a seeded sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread.moments import ROWS_AT_ONCE, AnyFloats, Moments

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


BYTE_ROWS = 255
"""Rows whose ones a byte can count."""


@dataclass(frozen=True)
class SampleSizes:
    """Rows kept for what sums cannot tell. Cosines at 1/√n precision, neighbours at a fixed n to compare by.

    Attributes:
        rows: Rows kept at full width: bit correlations, duplicates.
        neighbours: Of these, rows for nearest neighbours and for the intervals of moments.
        pairs: Of these, rows all of whose pairs make the histogram of cosines (1024 are 523,776 pairs).
        positives: Query-document pairs kept for alignment and margin.
    """

    rows: int = 4096
    neighbours: int = 1024
    pairs: int = 1024
    positives: int = 8192


class Reservoir:
    """A uniform sample of rows without replacement that does not depend on how rows are cut into blocks.

    Every row draws a key; the rows with the smallest keys stay. Sorted by key, any head of the sample is a
    uniform sample too.

    Args:
        size: Rows to keep.
        rng: Source of the keys, used for nothing else meanwhile.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self._size = size
        self._rng = rng
        self._keys = np.zeros(0)
        self._rows: AnyFloats | None = None

    def feed(self, block: AnyFloats) -> None:
        """Let the rows of a block, (n, width), draw their keys."""
        keys = self._rng.random(len(block))
        if self._rows is None:
            self._rows = np.zeros((self._size, block.shape[1]), dtype=block.dtype)
        kept = len(self._keys)
        if kept == self._size > 0:
            small = keys < self._keys.max()
            block, keys = block[small], keys[small]
        pool = np.concatenate([self._keys, keys])
        chosen = np.argsort(pool, kind="stable")[: self._size]
        leaving = np.setdiff1d(np.arange(kept), chosen, assume_unique=True)
        entering = chosen[chosen >= kept]
        places = np.concatenate([leaving, np.arange(kept, len(chosen))])
        self._rows[places] = block[entering - kept]
        self._keys = np.concatenate([self._keys, np.zeros(len(chosen) - kept)])
        self._keys[places] = pool[entering]

    @property
    def sample(self) -> AnyFloats:
        """The kept rows in order of their keys, a new array (m, width)."""
        if self._rows is None:
            return np.zeros((0, 0), dtype=np.float32)
        return self._rows[np.argsort(self._keys, kind="stable")]


def unit_rows(vectors: AnyFloats, dim: int) -> AnyFloats:
    """Cut rows to their first `dim` dimensions and scale them to length 1, in their own precision.

    Rows whose prefix is all zeros have no direction and are left out.
    """
    prefix = vectors[:, :dim]
    return _scaled(prefix, np.einsum("ij,ij->i", prefix, prefix), np.empty(prefix.shape, vectors.dtype))


def _scaled(prefix: AnyFloats, squares: AnyFloats, place: AnyFloats) -> AnyFloats:
    """Scale rows of these squared lengths to length 1, into `place`; drop those of length zero."""
    directed = squares > 0
    if not directed.all():
        prefix, squares, place = prefix[directed], squares[directed], place[: np.count_nonzero(directed)]
    scaled: AnyFloats = np.multiply(prefix, (1 / np.sqrt(squares))[:, None], out=place)
    return scaled


def _positive(part: AnyFloats) -> Longs:
    """Count positive values by column, int64 (width,), in bytes while they cannot overflow."""
    bits = (part > 0).view(np.uint8)
    counts = np.zeros(part.shape[1], dtype=np.int64)
    for start in range(0, len(bits), BYTE_ROWS):
        counts += np.add.reduce(bits[start : start + BYTE_ROWS], axis=0, dtype=np.uint8)
    return counts


class SideStream:
    """What one pass over one side accumulates; memory O(Σd²) and the sample, whatever the number of rows.

    Moments of the full rows do not give those of renormalised prefixes, so each dimension has its own.

    Args:
        dims: Dimensions to measure at.
        rng: Source of randomness of the sample.
        sizes: Sample sizes.
    """

    def __init__(
        self, dims: Sequence[int], rng: np.random.Generator, sizes: SampleSizes | None = None
    ) -> None:
        self.sizes = sizes or SampleSizes()
        self.moments = {dim: Moments(dim) for dim in dims}
        self.width = 0
        self.rows = 0
        self._positive_bits = np.zeros(0)
        self._energy = dict.fromkeys(dims, 0.0)
        self._reservoir = Reservoir(self.sizes.rows, rng)
        self._scratch: AnyFloats = np.empty(0, dtype=np.float32)

    def feed(self, block: AnyFloats) -> None:
        """Count a block of rows, float (n, width), of one width from first to last.

        Raises:
            ValueError: If the width changes or is smaller than a dimension asked for.
        """
        self._check(block)
        for start in range(0, len(block), ROWS_AT_ONCE):
            self._feed_part(block[start : start + ROWS_AT_ONCE])
        self._reservoir.feed(block)
        self.rows += len(block)

    @property
    def sample(self) -> AnyFloats:
        """The sampled rows at full width, float (m, width)."""
        return self._reservoir.sample

    @property
    def bit_shares(self) -> Doubles:
        """Share of rows whose coordinate is positive, float64 (width,)."""
        return self._positive_bits / self.rows

    def energy_share(self, dim: int) -> float:
        """Mean share of a row's squared length that its first `dim` dimensions hold."""
        return self._energy[dim] / self.rows

    def _check(self, block: AnyFloats) -> None:
        """Settle the width on the first block and hold later ones to it."""
        if self.width == 0:
            self.width = block.shape[1]
            self._positive_bits = np.zeros(self.width)
            too_wide = [dim for dim in self.moments if not 1 <= dim <= self.width]
            if too_wide:
                message = f"dims {too_wide} are not between 1 and the vectors' width {self.width}"
                raise ValueError(message)
        if block.shape[1] != self.width:
            message = f"a block is {block.shape[1]} wide, the blocks before it {self.width}"
            raise ValueError(message)

    def _feed_part(self, part: AnyFloats) -> None:
        """Count rows that fit the cache at every dimension."""
        room = self._room(part)
        self._positive_bits += _positive(part)
        squares = self._squares(part)
        full = squares[self.width]
        for dim, moments in self.moments.items():
            shares = np.divide(squares[dim], full, out=np.zeros_like(full), where=full > 0)
            self._energy[dim] += float(shares.sum(dtype=np.float64))
            place = room.ravel()[: len(part) * dim].reshape(len(part), dim)
            moments.add(_scaled(part[:, :dim], squares[dim], place))

    def _room(self, part: AnyFloats) -> AnyFloats:
        """Scratch space in the shape of a part, taken from the system once."""
        if self._scratch.size < part.size or self._scratch.dtype != part.dtype:
            self._scratch = np.empty(part.size, dtype=part.dtype)
        return self._scratch[: part.size].reshape(part.shape)

    def _squares(self, part: AnyFloats) -> dict[int, AnyFloats]:
        """Squared lengths of every prefix and of the whole rows, each coordinate read once."""
        squares: dict[int, AnyFloats] = {}
        start, running = 0, np.zeros(len(part), dtype=part.dtype)
        for end in sorted({*self.moments, self.width}):
            piece = part[:, start:end]
            running = running + np.einsum("ij,ij->i", piece, piece)
            squares[end], start = running, end
        return squares
