"""What a pass over a part of one side gathered, as plain values that can travel and be added."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread.moments import AnyFloats

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SideSums:
    """Sums over rows and a seeded sample of them.

    Attributes:
        rows: Rows passed.
        width: Their width.
        counts: Rows with a direction, by dimension.
        totals: Sum of the unit rows by dimension, float64 (d,).
        grams: Sum of their outer products by dimension, float64 (d, d).
        energies: Sum of the shares of squared length that the first d dimensions hold, by dimension.
        positive_bits: Rows whose coordinate is positive, float64 (width,).
        keys: Keys of the sampled rows, ascending, float64 (m,).
        sample: The sampled rows in that order, float (m, width).
    """

    rows: int
    width: int
    counts: Mapping[int, int]
    totals: Mapping[int, Doubles]
    grams: Mapping[int, Doubles]
    energies: Mapping[int, float]
    positive_bits: Doubles
    keys: Doubles
    sample: AnyFloats

    def plus(self, other: SideSums, size: int) -> SideSums:
        """Add the sums of other rows of the same side.

        Args:
            other: The sums; no row may be in both.
            size: Rows a sample holds at most: those of the smallest keys stay, as in one pass over all rows.
        """
        keys = np.concatenate([self.keys, other.keys])
        kept = np.argsort(keys, kind="stable")[:size]
        return dataclasses.replace(
            self,
            rows=self.rows + other.rows,
            counts={dim: count + other.counts[dim] for dim, count in self.counts.items()},
            totals={dim: total + other.totals[dim] for dim, total in self.totals.items()},
            grams={dim: gram + other.grams[dim] for dim, gram in self.grams.items()},
            energies={dim: energy + other.energies[dim] for dim, energy in self.energies.items()},
            positive_bits=self.positive_bits + other.positive_bits,
            keys=keys[kept],
            sample=np.concatenate([self.sample, other.sample])[kept],
        )
