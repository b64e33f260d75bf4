"""StoredVectors: rows of memory-mapped shards, read block by block in any order."""

from __future__ import annotations

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
        places = self._places[start:stop]
        rows = np.empty((len(places), self.width), dtype=np.float32)
        for number in np.unique(places[:, 0]):
            here = places[:, 0] == number
            rows[here] = self._shards[number][places[here, 1]]
        return rows

    def slice(self, start: int, stop: int) -> StoredVectors:
        """Return the vectors `start` to `stop` (not included), still on disk."""
        return StoredVectors(self._paths, self._places[start:stop])

    def all(self) -> Floats:
        """Read every vector into memory: float32 (n, width)."""
        return self.block(0, len(self))
