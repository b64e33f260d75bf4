"""One pass over the full-width vectors of one side: exact sums at every dimension and a seeded sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread.moments import ROWS_IN_SINGLE, AnyFloats, Moments
from evalsuite.stats.spread.sums import SideSums

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


ROWS_IN_CACHE = 255
"""Rows cut and scaled at once: few enough to stay in cache meanwhile, and for a byte to count their ones."""


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
        numbers = np.arange(len(block))
        if kept == self._size > 0:
            numbers = np.flatnonzero(keys < self._keys.max())
        pool = np.concatenate([self._keys, keys[numbers]])
        chosen = np.argsort(pool, kind="stable")[: self._size]
        leaving = np.setdiff1d(np.arange(kept), chosen, assume_unique=True)
        entering = chosen[chosen >= kept]
        places = np.concatenate([leaving, np.arange(kept, len(chosen))])
        self._rows[places] = block[numbers[entering - kept]]
        self._keys = np.concatenate([self._keys, np.zeros(len(chosen) - kept)])
        self._keys[places] = pool[entering]

    @classmethod
    def of_sample(cls, size: int, keys: Doubles, rows: AnyFloats) -> Reservoir:
        """Take what another reservoir kept, at most `size` rows; nothing more can be fed."""
        reservoir = cls(size, np.random.default_rng())
        reservoir._keys, reservoir._rows = keys, rows
        return reservoir

    @property
    def keys(self) -> Doubles:
        """Keys of the kept rows, ascending, float64 (m,)."""
        return np.sort(self._keys)

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
    squares = np.einsum("ij,ij->i", prefix, prefix)
    directed = squares > 0
    if not directed.all():
        prefix, squares = prefix[directed], squares[directed]
    return np.asarray(prefix * (1 / np.sqrt(squares))[:, None])


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
        self._ends: list[int] = []
        self._positive_bits = np.zeros(0)
        self._energy = dict.fromkeys(dims, 0.0)
        self._reservoir = Reservoir(self.sizes.rows, rng)
        self._rooms: dict[int, AnyFloats] = {}

    def feed(self, block: AnyFloats) -> None:
        """Count a block of rows, float (n, width), of one width from first to last.

        Raises:
            ValueError: If the width changes or is smaller than a dimension asked for, or a row holds NaN or
                infinity.
        """
        self._check(block)
        for start in range(0, len(block), ROWS_IN_SINGLE):
            self._feed_part(block[start : start + ROWS_IN_SINGLE])
        self._reservoir.feed(block)

    @classmethod
    def of_sums(cls, sums: SideSums, sizes: SampleSizes) -> SideStream:
        """Take up a finished pass from its sums; nothing more can be fed."""
        stream = cls(list(sums.grams), np.random.default_rng(), sizes)
        for dim, gram in sums.grams.items():
            stream.moments[dim] = Moments.of_sums(sums.counts[dim], sums.totals[dim], gram)
        stream.width, stream.rows = sums.width, sums.rows
        stream._positive_bits, stream._energy = sums.positive_bits, dict(sums.energies)
        stream._reservoir = Reservoir.of_sample(sizes.rows, sums.keys, sums.sample)
        return stream

    def sums(self) -> SideSums:
        """Return what was gathered so far as plain values."""
        return SideSums(
            rows=self.rows,
            width=self.width,
            counts={dim: each.n for dim, each in self.moments.items()},
            totals={dim: each.total for dim, each in self.moments.items()},
            grams={dim: each.gram for dim, each in self.moments.items()},
            energies=dict(self._energy),
            positive_bits=self._positive_bits,
            keys=self._reservoir.keys,
            sample=self.sample,
        )

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
            self._ends = sorted({*self.moments, self.width})
            self._positive_bits = np.zeros(self.width)
            too_wide = [dim for dim in self.moments if not 1 <= dim <= self.width]
            if too_wide:
                message = f"dims {too_wide} are not between 1 and the vectors' width {self.width}"
                raise ValueError(message)
        if block.shape[1] != self.width:
            message = f"a block is {block.shape[1]} wide, the blocks before it {self.width}"
            raise ValueError(message)

    def _check_finite(self, squares: AnyFloats, start: int) -> None:
        """Refuse rows whose squared length is no number; `start` rows of this part came before."""
        bad = np.flatnonzero(~np.isfinite(squares))
        if len(bad):
            row = self.rows + start + int(bad[0])
            message = f"row {row} holds NaN or infinity, or numbers too large to square as {squares.dtype}"
            raise ValueError(message)

    def _feed_part(self, part: AnyFloats) -> None:
        """Count rows at every dimension; a row whose prefix is all zeros has the weight 0 there."""
        rooms = {dim: self._room(dim, part) for dim in self.moments}
        counts, energies = np.zeros(len(self._ends), dtype=np.int64), np.zeros(len(self._ends))
        totals = np.zeros((len(self._ends), self.width))
        for start in range(0, len(part), ROWS_IN_CACHE):
            rows = part[start : start + ROWS_IN_CACHE]
            squares = _squares(rows, self._ends)
            self._check_finite(squares[-1], start)
            directed = squares > 0
            lengths = np.sqrt(squares)
            weights = np.divide(1, lengths, out=np.zeros_like(lengths), where=directed)
            counts += np.count_nonzero(directed, axis=1)
            totals += weights @ rows
            energies += ((lengths * weights[-1]) ** 2).sum(axis=1, dtype=np.float64)
            self._positive_bits += np.add.reduce((rows > 0).view(np.uint8), axis=0, dtype=np.uint8)
            for dim, room in rooms.items():
                scale = weights[self._ends.index(dim)][:, None]
                np.multiply(rows[:, :dim], scale, out=room[start : start + ROWS_IN_CACHE])
        for dim, room in rooms.items():
            place = self._ends.index(dim)
            self._energy[dim] += float(energies[place])
            self.moments[dim].add_known(room, int(counts[place]), totals[place, :dim])
        self.rows += len(part)

    def _room(self, dim: int, part: AnyFloats) -> AnyFloats:
        """Room for a part's unit prefixes, (n, dim), taken from the system once."""
        room = self._rooms.get(dim)
        if room is None or len(room) < len(part) or room.dtype != part.dtype:
            room = self._rooms[dim] = np.empty((len(part), dim), dtype=part.dtype)
        return room[: len(part)]


def _squares(rows: AnyFloats, ends: Sequence[int]) -> AnyFloats:
    """Squared lengths of the prefixes that end at `ends`, ascending, each coordinate read once: (ends, n)."""
    pieces = [rows[:, start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return np.cumsum([np.einsum("ij,ij->i", piece, piece) for piece in pieces], axis=0, dtype=rows.dtype)
