"""RunWriter: put a run on disk so that a reader sees the old run or the new one, and nothing is lost.

Per-query tables are staged in a hidden folder while the sweep goes on. At the end a run that was already in
the folder moves to `previous/<its time>/`, with its report; the staged tables take their place, and
`record.json`, which makes the folder a run, is written last. If the earlier run had asked the same question
of the same models and data, it is deleted then: this run repeats it.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
from filelock import FileLock, Timeout

from evalsuite.core.errors import RunFileError, StorageError
from evalsuite.core.files import atomic_file, storage_errors, write_text
from evalsuite.core.record import RunRecord, TableFile
from evalsuite.core.run import RECORD_FILE, Run

TABLES = "per_query"
OFFICIAL = "official"
STAGING = ".unfinished"
LOCK = ".lock"
PARTS = (TABLES, OFFICIAL, RECORD_FILE, "report.html", "report.md", "results.csv", "figures")
"""What belongs to a run in its folder; everything else there is somebody else's and stays."""


class RunWriter:
    """Collects the tables of a sweep and turns the folder into a run; one at a time a folder.

    Args:
        folder: The run's folder; made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staging = folder / STAGING
        self._tables: list[TableFile] = []
        self._official: list[TableFile] = []
        self._lock = FileLock(folder / LOCK)

    def __enter__(self) -> Self:
        """Take the folder.

        Raises:
            StorageError: If the folder cannot be written to, or another run is writing to it.
        """
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                message = f"{self.folder}: another run is writing here; choose another --out"
                raise StorageError(message) from None
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the folder go, and drop what was not finished."""
        shutil.rmtree(self._staging, ignore_errors=True)
        self._lock.release()
        (self.folder / LOCK).unlink(missing_ok=True)

    def add_table(self, checkpoint: str, task: str, table: pd.DataFrame) -> None:
        """Stage the per-query values of one checkpoint on one task.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        self._tables.append(self._stage(TABLES, len(self._tables), checkpoint, task, table))

    def add_official(self, checkpoint: str, task: str, table: pd.DataFrame) -> None:
        """Stage the metrics that mteb reports for one checkpoint on one task.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        self._official.append(self._stage(OFFICIAL, len(self._official), checkpoint, task, table))

    def _stage(self, folder: str, number: int, checkpoint: str, task: str, table: pd.DataFrame) -> TableFile:
        """Write a table into the folder of its kind."""
        name = f"{number:03d}-{_slug(checkpoint)}--{_slug(task)}.parquet"
        with storage_errors(self._staging):
            (self._staging / folder).mkdir(exist_ok=True)
        with atomic_file(self._staging / folder / name) as file:
            table.to_parquet(file, index=False, compression="zstd")
        return TableFile(checkpoint=checkpoint, task=task, path=f"{folder}/{name}")

    def finish(self, record: RunRecord) -> Run:
        """Make the folder a run.

        Args:
            record: The record, without its list of tables.

        Raises:
            StorageError: If the disk is full or read-only; a run that was here before is kept.
        """
        tables = {"per_query": tuple(self._tables), "official": tuple(self._official)}
        record = record.model_copy(update=tables)
        with storage_errors(self.folder):
            aside = self._set_previous_aside()
            for staged in self._staging.iterdir():
                staged.rename(self.folder / staged.name)
        write_text(self.folder / RECORD_FILE, record.to_json())
        if aside is not None and _repeats(aside, record):
            shutil.rmtree(aside, ignore_errors=True)
            with contextlib.suppress(OSError):
                aside.parent.rmdir()
        return Run(record, self.folder)

    def _set_previous_aside(self) -> Path | None:
        """Move what an earlier run left here out of the way; return where it is now."""
        earlier = [self.folder / part for part in PARTS if (self.folder / part).exists()]
        if not earlier:
            return None
        created = re.sub(r"[^0-9TZ]", "", _created(self.folder / RECORD_FILE)) or "unknown"
        aside = self.folder / "previous" / created
        number = 1
        while aside.exists():
            number += 1
            aside = self.folder / "previous" / f"{created}-{number}"
        aside.mkdir(parents=True)
        for part in earlier:
            part.rename(aside / part.name)
        return aside


def _repeats(earlier: Path, record: RunRecord) -> bool:
    """Tell whether an earlier run asked the same question of the same models and data."""
    with contextlib.suppress(RunFileError):
        return _question(Run.load(earlier).record) == _question(record)
    return False


def _question(record: RunRecord) -> tuple[object, ...]:
    """Return what makes two runs the same question."""
    models = tuple(entry.fingerprint for entry in record.checkpoints)
    return record.asked, models, tuple(entry.fingerprint for entry in record.tasks)


def _created(record: Path) -> str:
    """Return when a run was made; empty if its record cannot be read."""
    with contextlib.suppress(RunFileError):
        return Run.load(record).record.provenance.created
    return ""


def _slug(name: str) -> str:
    """Make a name fit for a file: letters, digits, dots and dashes, at most 60."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:60] or "unnamed"
