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

    Attributes:
        paths: As given.
        places: As given.
        width: As given.
    """

    def __init__(self, paths: Sequence[Path], places: npt.NDArray[np.int64], width: int) -> None:
        self.paths = paths
        self.places = places
        self.width = width

    def __len__(self) -> int:
        return len(self.places)

    def block(self, start: int, stop: int) -> Floats:
        """Read the vectors `start` to `stop` (not included) into memory.

        Returns:
            float32 (min(stop, n) - start, width), a new array.
        """
        return self._gather(self.places[start:stop])

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Read the vectors of the given rows into memory: float32 (len(rows), width), in the order given."""
        return self._gather(self.places[rows])

    def slice(self, start: int, stop: int) -> StoredVectors:
        """Return the vectors `start` to `stop` (not included), still on disk."""
        return StoredVectors(self.paths, self.places[start:stop], self.width)

    def select(self, rows: npt.NDArray[np.int64]) -> StoredVectors:
        """Return the vectors of the given rows, in the order given, still on disk."""
        return StoredVectors(self.paths, self.places[rows], self.width)

    @classmethod
    def join(cls, parts: Sequence[StoredVectors]) -> StoredVectors:
        """Put several lists of vectors of one width behind one another, still on disk.

        Raises:
            ValueError: If there is no part, or widths differ.
        """
        widths = {part.width for part in parts if len(part)}
        if not parts or len(widths) > 1:
            message = f"vectors of one width are needed; there are {sorted(widths) or 'none'}"
            raise ValueError(message)
        paths = list(dict.fromkeys(path for part in parts for path in part.paths))
        number = {path: place for place, path in enumerate(paths)}
        places = [part.places.copy() for part in parts]
        for part, own in zip(parts, places, strict=True):
            if len(own):
                own[:, 0] = np.array([number[path] for path in part.paths], dtype=np.int64)[own[:, 0]]
        return cls(paths, np.concatenate(places), max(widths, default=0))

    def all(self) -> Floats:
        """Read every vector into memory: float32 (n, width)."""
        return self.block(0, len(self))

    def _gather(self, places: npt.NDArray[np.int64]) -> Floats:
        """Copy rows out of their shards, one shard after the other."""
        rows = np.empty((len(places), self.width), dtype=np.float32)
        order = np.argsort(places[:, 0], kind="stable")
        numbers, starts = np.unique(places[order, 0], return_index=True)
        for number, here in zip(numbers, np.split(order, starts[1:]), strict=True):
            shard = np.load(self.paths[number], mmap_mode="r", allow_pickle=False)
            rows[here] = shard[places[here, 1]]
        return rows
