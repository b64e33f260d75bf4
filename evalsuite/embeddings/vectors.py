"""StoredVectors: rows of shards on disk, read block by block in any order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class StoredVectors:
    """Full-width vectors that stay on disk until asked for.

    A shard is mapped into memory only while rows are copied out of it: neither open files nor memory grow
    with the number of shards.

    Args:
        paths: The `.npy` shards.
        places: int64 (n, 2), for each vector the number of its shard in `paths` and its row there.
        width: Number of dimensions.
    """

    def __init__(self, paths: Sequence[Path], places: npt.NDArray[np.int64], width: int) -> None:
        self._paths = paths
        self._places = places
        self.width = width

    def __len__(self) -> int:
        return len(self._places)

    def block(self, start: int, stop: int) -> Floats:
        """Read the vectors `start` to `stop` (not included) into memory.

        Returns:
            float32 (min(stop, n) - start, width), a new array.
        """
        return self._gather(self._places[start:stop])

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Read the vectors of the given rows into memory: float32 (len(rows), width), in the order given."""
        return self._gather(self._places[rows])

    def slice(self, start: int, stop: int) -> StoredVectors:
        """Return the vectors `start` to `stop` (not included), still on disk."""
        return StoredVectors(self._paths, self._places[start:stop], self.width)

    def all(self) -> Floats:
        """Read every vector into memory: float32 (n, width)."""
        return self.block(0, len(self))

    def _gather(self, places: npt.NDArray[np.int64]) -> Floats:
        """Copy rows out of their shards, one shard after the other."""
        rows = np.empty((len(places), self.width), dtype=np.float32)
        order = np.argsort(places[:, 0], kind="stable")
        numbers, starts = np.unique(places[order, 0], return_index=True)
        for number, here in zip(numbers, np.split(order, starts[1:]), strict=True):
            shard = np.load(self._paths[number], mmap_mode="r", allow_pickle=False)
            rows[here] = shard[places[here, 1]]
        return rows
