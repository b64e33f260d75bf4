"""Where `datasets` keeps what it makes of a local folder: known by the folder's content, not by its name."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def cache_of(folder: Path) -> Iterator[None]:
    """Give `datasets` a cache that belongs to the content of one folder, and keep it from writing there.

    By itself it knows a folder with a README by its last name and that README: a folder of the same name, or
    the same folder after an edit, would silently be read as the old one.

    Args:
        folder: The folder that is read inside the context.
    """
    import datasets

    cache, was_enabled = datasets.config.HF_DATASETS_CACHE, datasets.is_caching_enabled()
    datasets.config.HF_DATASETS_CACHE = Path(cache) / "evalsuite" / content_key(folder)
    # What is mapped is otherwise kept beside the data, in the user's folder.
    datasets.disable_caching()
    try:
        yield
    finally:
        datasets.config.HF_DATASETS_CACHE = cache
        if was_enabled:
            datasets.enable_caching()


def content_key(folder: Path) -> str:
    """Return the sha256 of every file's name and content."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()
