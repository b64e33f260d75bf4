"""Strata: units that are averaged within their group first, and then group by group.

A plain task is one stratum. A task of several parts (languages, splits) is the mean of its parts' means, and
a macro average is the mean of its tasks' means: both are strata, resampled within and never across.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Strata:
    """Which stratum each of n units belongs to.

    Attributes:
        index: int64 (n,), number of the stratum, from 0 without gaps.
        counts: int64 (strata,), units in each.
    """

    index: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @classmethod
    def whole(cls, n: int) -> Strata:
        """Put n units into one stratum."""
        return cls(np.zeros(n, dtype=np.int64), np.array([n], dtype=np.int64))

    @classmethod
    def of(cls, labels: Sequence[object]) -> Strata:
        """Put units of equal label into one stratum."""
        _, index = np.unique(np.asarray([str(label) for label in labels]), return_inverse=True)
        return cls(index.astype(np.int64).ravel(), np.bincount(index.ravel()).astype(np.int64))

    @property
    def weights(self) -> Doubles:
        """float64 (n,): the weight of each unit in the mean of strata means; they sum to 1."""
        return np.asarray(1.0 / (len(self.counts) * self.counts[self.index]), dtype=np.float64)

    def members(self) -> list[npt.NDArray[np.int64]]:
        """Return the rows of each stratum."""
        return [np.flatnonzero(self.index == number) for number in range(len(self.counts))]

    def mean(self, values: Doubles) -> Doubles:
        """Average strata means: float64 (n, m) to (m,)."""
        return np.asarray(self.weights @ values)

    def influence(self, values: Doubles) -> Doubles:
        """Return how each unit moves the mean of strata means: float64 (n, m) to (n, m), columns sum to 0."""
        centred = values.astype(np.float64, copy=True)
        for rows in self.members():
            centred[rows] -= centred[rows].mean(axis=0)
        return np.asarray(centred * self.weights[:, None])
