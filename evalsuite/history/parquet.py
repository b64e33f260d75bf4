"""The Parquet files of many runs: which there are, which can be read, and whose each one is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.record import TableFile
from evalsuite.core.run import Run

_PATTERN = re.compile(r"[*?\[\]]")
"""What DuckDB reads as a pattern in the name of a file, and offers no way to escape once it is locked."""


@dataclass(frozen=True)
class RunFile:
    """A Parquet file of a run.

    Attributes:
        path: Absolute path.
        run: Folder of the run, as it was found.
        created: When the run ended.
        checkpoint: Label of the checkpoint.
        task: Name of the task.
        columns: Names of its columns.
    """

    path: str
    run: str
    created: str
    checkpoint: str
    task: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class RunFiles:
    """The Parquet files of some runs.

    Attributes:
        per_query: Tables of per-query values.
        official: Tables of what mteb reports.
        problems: One sentence for each file that cannot be read.
    """

    per_query: tuple[RunFile, ...]
    official: tuple[RunFile, ...]
    problems: tuple[str, ...]


def list_files(runs: Iterable[Run]) -> RunFiles:
    """List the Parquet files that the records of some runs name, and look whether each can be read."""
    runs = tuple(runs)
    problems: list[str] = []
    per_query = tuple(file for run in runs for file in _readable(run, run.record.per_query, problems))
    official = tuple(file for run in runs for file in _readable(run, run.record.official, problems))
    return RunFiles(per_query, official, tuple(problems))


def _readable(run: Run, entries: Iterable[TableFile], problems: list[str]) -> Iterator[RunFile]:
    """Yield the files of one run that can be read; write down why the others cannot."""
    import pyarrow.parquet as pq

    home = run.folder.resolve()
    for entry in entries:
        path = (home / entry.path).resolve()
        why = _refusal(path, home)
        if not why:
            try:
                columns = tuple(pq.read_schema(path).names)
            except (OSError, ValueError) as error:
                why = f"cannot be read ({error}); evaluate again to write it anew"
            else:
                created = run.record.provenance.created
                yield RunFile(str(path), str(run.folder), created, entry.checkpoint, entry.task, columns)
        if why:
            problems.append(f"{run.folder / entry.path}: {why}")


def _refusal(path: Path, home: Path) -> str:
    """Say why a file is not even opened; empty if it may be."""
    if not path.is_relative_to(home):
        return "outside its run, so it is not read; the record was changed by hand"
    if _PATTERN.search(str(path)):
        return "DuckDB takes * ? [ ] for a pattern; rename the folder"
    return ""
