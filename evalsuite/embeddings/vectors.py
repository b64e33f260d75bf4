"""StoredVectors: rows of memory-mapped shards, read block by block in any order."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class StoredVectors:
    """Full-width vectors that stay on disk until asked for.

    Args:
        paths: The `.npy` shards.
        places: int64 (n, 2), for each vector the number of its shard in `paths` and its row there.
    """

    def __init__(self, paths: Sequence[Path], places: npt.NDArray[np.int64]) -> None:
        self._paths = paths
        self._shards = [np.load(path, mmap_mode="r", allow_pickle=False) for path in paths]
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @property
    def width(self) -> int:
        """Number of dimensions; 0 when there are no vectors."""
        return int(self._shards[0].shape[1]) if self._shards else 0

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
        return StoredVectors(self._paths, self._places[start:stop])

    def all(self) -> Floats:
        """Read every vector into memory: float32 (n, width)."""
        return self.block(0, len(self))

    def _gather(self, places: npt.NDArray[np.int64]) -> Floats:
        """Copy rows out of their shards, and let go of the pages read: they stay in the system's cache."""
        rows = np.empty((len(places), self.width), dtype=np.float32)
        order = np.argsort(places[:, 0], kind="stable")
        numbers, starts = np.unique(places[order, 0], return_index=True)
        for number, here in zip(numbers, np.split(order, starts[1:]), strict=True):
            shard = self._shards[number]
            rows[here] = shard[places[here, 1]]
            if isinstance(shard.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                shard.base.madvise(mmap.MADV_DONTNEED)
        return rows
