"""Space: all vectors of one checkpoint, as committed shards.

A shard is two files: `<shard>.npy`, float32 (texts, width), and `<shard>.json` with the keys of its rows and
the checksum of the `.npy`. The `.json` is written last: it commits the shard. Both are written atomically,
so a killed run leaves whole shards and nothing else. A row's key hashes prompt and text.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash
from filelock import FileLock, Timeout

from evalsuite.core.files import TEMPORARY_SUFFIX, storage_errors, write_bytes, write_text
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
        keys: Key of each row; empty if the index is damaged.
        checksum: xxh3-128 over the `.npy` file and the keys, hex; empty if the index is damaged.
    """

    vectors: Path
    keys: tuple[str, ...]
    checksum: str

    @property
    def index(self) -> Path:
        """Path of the `.json` file that commits the shard."""
        return self.vectors.with_suffix(".json")

    def intact(self) -> bool:
        """Tell whether vectors and keys are those that were written."""
        try:
            return bool(self.checksum) and _checksum(self.vectors, self.keys) == self.checksum
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
        self._damaged: set[Path] = set()

    def recall(self, name: str) -> Any:
        """Return what was remembered under a name; None if nothing was, or the manifest cannot be read."""
        try:
            return json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))["notes"][name]
        except (OSError, ValueError, KeyError):
            return None

    def remember(self, name: str, value: Any) -> None:
        """Keep a JSON value about the model in the manifest, in place of what had the name.

        Raises:
            StorageError: If the manifest cannot be read or written.
        """
        manifest = self.folder / MANIFEST
        with storage_errors(manifest):
            content = json.loads(manifest.read_text(encoding="utf-8"))
        content["notes"] = {**content.get("notes", {}), name: value}
        write_text(manifest, json.dumps(content, indent=1))

    @contextlib.contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Hold the space alone; another run encoding with the same checkpoint is waited for.

        The lock dies with its process. Damaged shards and what killed runs left behind are swept away.

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
            with storage_errors(self.folder):
                self._sweep()
            yield
        finally:
            lock.release()

    def refresh(self) -> None:
        """Read the index of every shard that was committed since the last look."""
        for file in sorted(self.folder.glob("*.json")):
            vectors = file.with_suffix(".npy")
            if file.name == MANIFEST or vectors in self._shards:
                continue
            if vectors in self._damaged:
                continue
            shard = _read_index(file)
            if not shard.checksum:
                logger.warning("%s: damaged shard index; its texts are encoded again when needed", file)
                self._damaged.add(vectors)
                continue
            self._shards[vectors] = shard
            self._rows.update((key, (vectors, row)) for row, key in enumerate(shard.keys))

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys without a trustworthy vector, in the order given.

        Every shard that holds one of the keys is checked against its checksum once. A damaged shard is left
        out with a warning, and its keys count as missing.
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
        # Written by numpy itself, a full disk would be an error without its reason.
        content = io.BytesIO()
        np.save(content, vectors, allow_pickle=False)
        write_bytes(path, content.getvalue())
        shard = Shard(path, tuple(keys), _checksum(path, keys))
        write_text(
            shard.index, json.dumps({"format": SHARD_FORMAT, "checksum": shard.checksum, "keys": list(keys)})
        )
        self._shards[path] = shard
        self._damaged.discard(path)
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
        width = np.load(paths[0], mmap_mode="r", allow_pickle=False).shape[1] if paths else 0
        return StoredVectors(paths, places.reshape(-1, 2), width)

    def shards(self) -> Iterator[Shard]:
        """Yield every committed shard; one whose index is damaged has no keys."""
        self.refresh()
        yield from self._shards.values()
        yield from (Shard(path, (), "") for path in sorted(self._damaged))

    def _sweep(self) -> None:
        """Delete half-written files and shards found damaged. Only for the holder of the lock."""
        for stray in self.folder.glob(f".*{TEMPORARY_SUFFIX}"):
            stray.unlink(missing_ok=True)
        for vectors in self.folder.glob("*.npy"):
            if not vectors.with_suffix(".json").exists():
                vectors.unlink(missing_ok=True)
        for vectors in self._damaged:
            # Another run may have written it anew meanwhile.
            index = vectors.with_suffix(".json")
            if not (index.exists() and _read_index(index).intact()):
                Shard(vectors, (), "").remove()
        self._damaged.clear()

    def _discard(self, shard: Shard) -> None:
        logger.warning(
            "%s: damaged (checksum differs); its %d texts are encoded again", shard.vectors, len(shard.keys)
        )
        self._damaged.add(shard.vectors)
        del self._shards[shard.vectors]
        for key in shard.keys:
            if self._rows.get(key, (None, 0))[0] == shard.vectors:
                del self._rows[key]


def _checksum(path: Path, keys: Sequence[str]) -> str:
    """Hash a file and the keys of its rows with xxh3-128: integrity, not identity."""
    digest = xxhash.xxh3_128("".join(keys).encode())
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _read_index(file: Path) -> Shard:
    """Read a shard's index; without keys and checksum if it is damaged or of another format.

    Raises:
        StorageError: If the file is there and cannot be read.
    """
    vectors = file.with_suffix(".npy")
    with storage_errors(file):
        content = file.read_bytes()
    try:
        index = json.loads(content)
        if index["format"] == SHARD_FORMAT:
            return Shard(vectors, tuple(map(str, index["keys"])), str(index["checksum"]))
    except (ValueError, KeyError, TypeError):
        logger.debug("%s: not a shard index", file)
    return Shard(vectors, (), "")
