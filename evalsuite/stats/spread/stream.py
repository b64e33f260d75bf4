"""One pass over the full-width vectors of one side: exact sums at every dimension and a seeded sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread.moments import AnyFloats, Moments
from evalsuite.stats.spread.prefixes import UnitPrefixes
from evalsuite.stats.spread.sums import SideSums

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


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
    """Cut rows to their first `dim` dimensions and scale them to length 1, in their own precision or float32.

    Rows whose prefix is all zeros have no direction and are left out.
    """
    prefix = _single(vectors[:, :dim])
    squares = np.einsum("ij,ij->i", prefix, prefix)
    directed = squares > 0
    if not directed.all():
        prefix, squares = prefix[directed], squares[directed]
    return np.asarray(prefix * (1 / np.sqrt(squares))[:, None])


def _single(rows: AnyFloats) -> AnyFloats:
    """Return rows in float32 if they have less precision: sums of float16 lose digits, squares overflow."""
    return rows.astype(np.float32) if rows.dtype.itemsize < 4 else rows


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
        self.width = 0
        self.rows = 0
        self._moments = {dim: Moments(dim) for dim in dims}
        self._positive_bits = np.zeros(0)
        self._energy = dict.fromkeys(dims, 0.0)
        self._reservoir = Reservoir(self.sizes.rows, rng)
        self._waiting: UnitPrefixes | None = None

    def feed(self, block: AnyFloats) -> None:
        """Count a block of rows, float (n, width), of one width and precision from first to last.

        Raises:
            ValueError: If the width or precision changes, the width is smaller than a dimension asked for, or
                a row holds NaN or infinity.
        """
        block = _single(block)
        waiting = self._check(block)
        start = 0
        while start < len(block):
            rows = block[start : start + waiting.free]
            waiting.add(rows, self.rows)
            self.rows += len(rows)
            start += len(rows)
            if not waiting.free:
                self._multiply()
        self._reservoir.feed(block)

    @classmethod
    def of_sums(cls, sums: SideSums, sizes: SampleSizes) -> SideStream:
        """Take up a finished pass from its sums; nothing more can be fed."""
        stream = cls(list(sums.grams), np.random.default_rng(), sizes)
        for dim, gram in sums.grams.items():
            stream._moments[dim] = Moments.of_sums(sums.counts[dim], sums.totals[dim], gram)
        stream.width, stream.rows = sums.width, sums.rows
        stream._positive_bits, stream._energy = sums.positive_bits, dict(sums.energies)
        stream._reservoir = Reservoir.of_sample(sizes.rows, sums.keys, sums.sample)
        return stream

    def sums(self) -> SideSums:
        """Return what was gathered so far as plain values."""
        self._multiply()
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
    def moments(self) -> Mapping[int, Moments]:
        """Moments of the unit prefixes of all rows, by dimension."""
        self._multiply()
        return self._moments

    @property
    def sample(self) -> AnyFloats:
        """The sampled rows at full width, float (m, width)."""
        return self._reservoir.sample

    @property
    def bit_shares(self) -> Doubles:
        """Share of rows whose coordinate is positive, float64 (width,)."""
        self._multiply()
        return self._positive_bits / self.rows

    def energy_share(self, dim: int) -> float:
        """Mean share of a row's squared length that its first `dim` dimensions hold."""
        self._multiply()
        return self._energy[dim] / self.rows

    def _check(self, block: AnyFloats) -> UnitPrefixes:
        """Settle width and precision on the first block and hold later ones to them."""
        if self._waiting is None:
            self.width = block.shape[1]
            too_wide = [dim for dim in self._moments if not 1 <= dim <= self.width]
            if too_wide:
                message = f"dims {too_wide} are not between 1 and the vectors' width {self.width}"
                raise ValueError(message)
            self._positive_bits = np.zeros(self.width)
            self._waiting = UnitPrefixes(list(self._moments), self.width, block.dtype)
        if block.shape[1] != self.width:
            message = f"a block is {block.shape[1]} wide, the blocks before it {self.width}"
            raise ValueError(message)
        if block.dtype != self._waiting.dtype:
            message = f"a block is {block.dtype}, the blocks before it {self._waiting.dtype}"
            raise ValueError(message)
        return self._waiting

    def _multiply(self) -> None:
        """Add the rows that wait to the moments."""
        if self._waiting is None or not self._waiting.filled:
            return
        tally = self._waiting.tally
        self._positive_bits += tally.positive_bits
        for dim, moments in self._moments.items():
            self._energy[dim] += float(tally.energies[self._waiting.ends.index(dim)])
            moments.add_known(*self._waiting.at(dim))
        self._waiting.clear()
