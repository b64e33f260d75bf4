"""Finding runs below folders, and saying which of them cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.errors import RunFileError, UsageError
from evalsuite.core.run import RECORD_FILE, Run

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Found:
    """The runs below some folders.

    Attributes:
        runs: Those that can be read, the oldest first; equally old ones by folder.
        problems: One sentence for each that cannot.
    """

    runs: tuple[Run, ...]
    problems: tuple[str, ...]


def find_runs(paths: Iterable[AnyPath]) -> Found:
    """Read every run at or below some paths, each once.

    Args:
        paths: Folders, searched to any depth, or `record.json` files.

    Raises:
        UsageError: If there is no path, one does not exist or one holds no run; names all of those.
        RunFileError: If there are runs, but none that can be read.
    """
    records = _records([Path(path) for path in paths])
    runs, problems = [], []
    for record in records:
        try:
            runs.append(Run.load(record))
        except RunFileError as error:
            problems.append(str(error))
    if not runs:
        message = "no run can be read:\n" + "\n".join(f"  - {problem}" for problem in problems)
        raise RunFileError(message)
    runs.sort(key=lambda run: (run.record.provenance.created, str(run.folder)))
    return Found(tuple(runs), tuple(problems))


def _records(paths: Sequence[Path]) -> tuple[Path, ...]:
    """List the records at or below every path; a record below two of them counts once."""
    below = {path: tuple(_below(path)) for path in paths}
    mistakes = [
        f"{path}: {'no run in it' if path.exists() else 'no such file or folder'}"
        for path, records in below.items()
        if not records
    ]
    if mistakes or not below:
        what = "; ".join(mistakes or ["no folder given"])
        message = f"{what}; name folders that hold runs, such as one made by `evalsuite run`"
        raise UsageError(message)
    return tuple({record.resolve(): record for records in below.values() for record in records}.values())


def _below(path: Path) -> Iterator[Path]:
    """List the records at or below one path, in the order of their names."""
    if path.is_file() and path.name == RECORD_FILE:
        yield path
    elif path.is_dir():
        yield from sorted(path.rglob(RECORD_FILE))
