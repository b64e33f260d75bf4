"""EmbeddingStore: full-width vectors on disk, found again by what was encoded and by what.

Layout::

    ROOT/spaces/<identity>/space.json        what encoded these vectors
    ROOT/spaces/<identity>/<shard>.npy       vectors, see `evalsuite.embeddings.space`
    ROOT/spaces/<identity>/<shard>.json      keys and checksum

A space belongs to one checkpoint fingerprint under one set of library versions.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.errors import StorageError
from evalsuite.core.files import TEMPORARY_SUFFIX, storage_errors, write_text
from evalsuite.embeddings.space import MANIFEST, Shard, Space

CACHE_VARIABLE = "EVALSUITE_CACHE"
FORMAT = 1
ENCODING_LIBRARIES = ("sentence-transformers", "torch", "transformers")
"""Libraries whose version can change a vector; part of a space's identity."""

logger = logging.getLogger(__name__)


def default_root() -> Path:
    """Return the store's folder: `$EVALSUITE_CACHE`, else `evalsuite` in the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evalsuite"


@dataclass(frozen=True)
class SpaceInfo:
    """What `evalsuite cache list` says about one space.

    Attributes:
        identity: Name of its folder.
        label: Label of the checkpoint when the space was made.
        fingerprint: Fingerprint of the checkpoint.
        libraries: Versions that encoded the vectors.
        texts: Vectors held.
        bytes: Size on disk.
        used: Seconds since the epoch at which it was last written to or opened for a run.
    """

    identity: str
    label: str
    fingerprint: str
    libraries: dict[str, str]
    texts: int
    bytes: int
    used: float


class EmbeddingStore:
    """The folder that holds all spaces.

    Args:
        root: The folder; made when first written to.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = default_root() if root is None else Path(root)

    def space(self, fingerprint: str, label: str) -> Space:
        """Open (or make) the space of a checkpoint under the library versions installed now.

        A space that is there may be on a disk that cannot be written to: what it holds is still used.

        Raises:
            StorageError: If it must be made and the folder cannot be written to.
        """
        libraries = {name: importlib.metadata.version(name) for name in ENCODING_LIBRARIES}
        identity = hashlib.sha256(json.dumps([FORMAT, fingerprint, libraries], sort_keys=True).encode())
        folder = self.root / "spaces" / identity.hexdigest()[:32]
        manifest = folder / MANIFEST
        if not manifest.exists():
            content = {"format": FORMAT, "label": label, "fingerprint": fingerprint, "libraries": libraries}
            write_text(manifest, json.dumps(content, indent=1))
        try:
            os.utime(manifest)
        except OSError as error:
            logger.debug("%s: its last use is not noted (%s)", manifest, error)
        return Space(folder)

    def spaces(self) -> list[SpaceInfo]:
        """Describe every space, the last used first.

        Raises:
            StorageError: If a space's manifest cannot be read.
        """
        found = [self._describe(folder) for folder in self._folders()]
        return sorted(found, key=lambda info: -info.used)

    def verify(self) -> Iterator[tuple[Shard, bool]]:
        """Check every shard against its checksum; yield each with the answer. Nothing is changed."""
        for folder in self._folders():
            for shard in Space(folder).shards():
                yield shard, shard.intact()

    def prune(self, *, identity: str = "", older_than_days: float = 0.0) -> list[SpaceInfo]:
        """Delete spaces, and what killed runs left behind.

        Args:
            identity: Only spaces whose identity, fingerprint or label starts with this; empty means all.
            older_than_days: Only spaces not used for so many days.

        Returns:
            The spaces that were deleted.

        Raises:
            StorageError: If a file cannot be deleted.
        """
        latest = time.time() - older_than_days * 86_400
        doomed = [
            info
            for info in self.spaces()
            if any(name.startswith(identity) for name in (info.identity, info.fingerprint, info.label))
            and info.used <= latest
        ]
        for info in doomed:
            _remove_space(self.root / "spaces" / info.identity)
        return doomed

    def _folders(self) -> list[Path]:
        return sorted(file.parent for file in (self.root / "spaces").glob("*/space.json"))

    def _describe(self, folder: Path) -> SpaceInfo:
        manifest = folder / MANIFEST
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
            label, fingerprint, libraries = content["label"], content["fingerprint"], content["libraries"]
        except (OSError, ValueError, KeyError) as error:
            message = f"{manifest}: cannot be read ({error}); delete the folder {folder} to encode anew"
            raise StorageError(message) from error
        texts = sum(len(shard.keys) for shard in Space(folder).shards())
        size = sum(file.stat().st_size for file in folder.iterdir())
        return SpaceInfo(folder.name, label, fingerprint, libraries, texts, size, manifest.stat().st_mtime)


def _remove_space(folder: Path) -> None:
    """Delete a space's files and folder; manifest last, so that a broken-off deletion can be redone."""
    with storage_errors(folder):
        files = sorted(folder.iterdir(), key=lambda file: file.name == MANIFEST)
        for file in files:
            if file.suffix in {".npy", ".json", TEMPORARY_SUFFIX} or file.name == "lock":
                file.unlink()
        folder.rmdir()
