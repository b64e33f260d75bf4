"""Writing files so that a reader sees the old content or the new, never a part.

The content goes to a temporary file in the same folder, is flushed to the disk, and takes the final name by
one `os.replace`. A crash leaves at worst a stray `.tmp` file. The folder entry is flushed too, so a finished
write survives a power cut; that costs one extra fsync per file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from evalsuite.core.errors import StorageError

TEMPORARY_SUFFIX = ".tmp"


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under `path` only once it is complete.

    Raises:
        StorageError: If the folder cannot be written to or the disk is full; `path` is left as it was.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(_ordinary_mode())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` atomically."""
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `StorageError` that names `path` and the next step.

    Raises:
        StorageError: If the block raised an `OSError`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"{path}: no space left on the disk; free some or choose another folder"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = f"{path}: cannot be written ({error.strerror}); choose a folder you may write to"
        elif error.errno in (errno.EEXIST, errno.ENOTDIR):
            message = f"{path}: a file is where a folder is needed; choose another folder"
        else:
            message = f"{path}: {error.strerror or error}"
        raise StorageError(message) from error


def _ordinary_mode() -> int:
    """Return the permissions a file made by `open` would get; temporary files are private otherwise."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the platform can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
