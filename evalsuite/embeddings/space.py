"""Space: all vectors of one checkpoint, as committed shards.

A shard is two files: `<shard>.npy`, float32 (texts, width), and `<shard>.json` with the keys of its rows and
the checksum of the `.npy`. The `.json` is written last: it commits the shard. Both are written atomically,
so a killed run leaves whole shards and nothing else. A row's key hashes prompt and text.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xxhash
from filelock import FileLock, Timeout

from evalsuite.core.files import TEMPORARY_SUFFIX, atomic_file, storage_errors, write_text
from evalsuite.core.progress import Progress
from evalsuite.embeddings.vectors import StoredVectors

Floats = npt.NDArray[np.float32]

SHARD_FORMAT = 1
MANIFEST = "space.json"

logger = logging.getLogger(__name__)


def text_key(prompt: str, text: str) -> str:
    """Return the identity of one input of the model: 32 hex characters over prompt and text."""
    encoded = prompt.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(len(encoded).to_bytes(8, "little") + encoded)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Shard:
    """One committed shard.

    Attributes:
        vectors: Path of the `.npy` file.
        keys: Key of each row.
        checksum: xxh3-128 of the `.npy` file, hex.
    """

    vectors: Path
    keys: tuple[str, ...]
    checksum: str

    @property
    def index(self) -> Path:
        """Path of the `.json` file that commits the shard."""
        return self.vectors.with_suffix(".json")

    def intact(self) -> bool:
        """Tell whether the vectors on disk are those that were written."""
        try:
            return _checksum(self.vectors) == self.checksum
        except OSError:
            return False

    def remove(self) -> None:
        """Delete both files, the commit first."""
        self.index.unlink(missing_ok=True)
        self.vectors.unlink(missing_ok=True)


class Space:
    """All vectors of one checkpoint, under one set of library versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shards: dict[Path, Shard] = {}
        self._rows: dict[str, tuple[Path, int]] = {}
        self._trusted: set[Path] = set()

    @contextlib.contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Hold the space alone; another run encoding with the same checkpoint is waited for.

        The lock dies with its process. What killed runs left half-written is swept away.

        Raises:
            StorageError: If the folder cannot be written to.
        """
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                progress.note("another run is encoding with this checkpoint; waiting for it to finish")
                lock.acquire()
        try:
            for stray in self.folder.glob(f".*{TEMPORARY_SUFFIX}"):
                stray.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def refresh(self) -> None:
        """Read the index of every shard that was committed since the last look."""
        for file in sorted(self.folder.glob("*.json")):
            vectors = file.with_suffix(".npy")
            if file.name == MANIFEST or vectors in self._shards:
                continue
            shard = _read_index(file)
            if shard is None:
                logger.warning("%s: unreadable shard index; its texts will be encoded again", file)
                Shard(vectors, (), "").remove()
                continue
            self._shards[vectors] = shard
            self._rows.update((key, (vectors, row)) for row, key in enumerate(shard.keys))

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys without a trustworthy vector, in the order given.

        Every shard that holds one of the keys is checked against its checksum once. A damaged shard is
        deleted with a warning, and its keys count as missing.
        """
        for path in {self._rows[key][0] for key in keys if key in self._rows} - self._trusted:
            if self._shards[path].intact():
                self._trusted.add(path)
            else:
                self._discard(self._shards[path])
        return [key for key in keys if key not in self._rows]

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Commit one shard.

        Args:
            keys: Key of each row.
            vectors: float32 (len(keys), width).

        Raises:
            StorageError: If the disk is full or read-only; earlier shards are kept.
        """
        name = hashlib.sha256("".join(keys).encode()).hexdigest()[:24]
        path = self.folder / f"{name}.npy"
        with atomic_file(path) as file:
            np.save(file, vectors, allow_pickle=False)
        shard = Shard(path, tuple(keys), _checksum(path))
        write_text(
            shard.index, json.dumps({"format": SHARD_FORMAT, "checksum": shard.checksum, "keys": list(keys)})
        )
        self._shards[path] = shard
        self._trusted.add(path)
        self._rows.update((key, (path, row)) for row, key in enumerate(keys))

    def vectors(self, keys: Sequence[str]) -> StoredVectors:
        """Return the vectors of the keys, in the order given, without loading them.

        Raises:
            KeyError: If a key has no vector; encode the missing ones first.
        """
        paths = list(dict.fromkeys(self._rows[key][0] for key in keys))
        number = {path: place for place, path in enumerate(paths)}
        places = np.array([(number[self._rows[key][0]], self._rows[key][1]) for key in keys], dtype=np.int64)
        return StoredVectors(paths, places.reshape(-1, 2))

    def shards(self) -> Iterator[Shard]:
        """Yield every committed shard."""
        self.refresh()
        yield from self._shards.values()

    def _discard(self, shard: Shard) -> None:
        logger.warning(
            "%s: damaged (checksum differs); its %d texts are encoded again", shard.vectors, len(shard.keys)
        )
        shard.remove()
        del self._shards[shard.vectors]
        for key in shard.keys:
            if self._rows.get(key, (None, 0))[0] == shard.vectors:
                del self._rows[key]


def _checksum(path: Path) -> str:
    """Hash a file with xxh3-128: integrity, not identity."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _read_index(file: Path) -> Shard | None:
    """Read a shard's index; None if it is damaged or of another format."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != SHARD_FORMAT:
            return None
        return Shard(file.with_suffix(".npy"), tuple(content["keys"]), str(content["checksum"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
