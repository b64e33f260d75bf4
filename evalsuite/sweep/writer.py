"""RunWriter: put a run on disk so that a reader sees the old run or the new one, and nothing is lost.

Per-query tables are staged in a hidden folder while the sweep goes on. At the end a run that was already in
the folder moves to `previous/<its time>/`, the staged tables take their place, and `record.json`, which makes
the folder a run, is written last.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

import pandas as pd

from evalsuite.core.errors import RunFileError
from evalsuite.core.files import atomic_file, storage_errors, write_text
from evalsuite.core.record import PerQueryFile, RunRecord
from evalsuite.core.run import RECORD_FILE, Run

TABLES = "per_query"
STAGING = ".unfinished"


class RunWriter:
    """Collects the tables of a sweep and turns the folder into a run.

    Args:
        folder: The run's folder; made if it does not exist.

    Raises:
        StorageError: If the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staging = folder / STAGING
        self._tables: list[PerQueryFile] = []
        with storage_errors(folder):
            if self._staging.exists():
                shutil.rmtree(self._staging)
            self._staging.mkdir(parents=True)

    def add_table(self, checkpoint: str, task: str, table: pd.DataFrame) -> None:
        """Stage the per-query values of one checkpoint on one task.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        name = f"{len(self._tables):03d}-{_slug(checkpoint)}--{_slug(task)}.parquet"
        with atomic_file(self._staging / name) as file:
            table.to_parquet(file, index=False, compression="zstd")
        self._tables.append(PerQueryFile(checkpoint=checkpoint, task=task, path=f"{TABLES}/{name}"))

    def finish(self, record: RunRecord) -> Run:
        """Make the folder a run.

        Args:
            record: The record, without its list of tables.

        Raises:
            StorageError: If the disk is full or read-only; a run that was here before is kept.
        """
        record = record.model_copy(update={"per_query": tuple(self._tables)})
        with storage_errors(self.folder):
            self._set_previous_aside(record)
            self._staging.rename(self.folder / TABLES)
        write_text(self.folder / RECORD_FILE, record.to_json())
        return Run(record, self.folder)

    def _set_previous_aside(self, record: RunRecord) -> None:
        """Move an earlier run out of the way, or drop its tables if it asked the same of the same models."""
        earlier = self.folder / RECORD_FILE
        if not earlier.exists() or self._repeats(record):
            earlier.unlink(missing_ok=True)
            shutil.rmtree(self.folder / TABLES, ignore_errors=True)
            return
        created = re.sub(r"[^0-9TZ]", "", _created(earlier)) or "unreadable"
        aside = self.folder / "previous" / created
        number = 1
        while aside.exists():
            number += 1
            aside = self.folder / "previous" / f"{created}-{number}"
        aside.mkdir(parents=True)
        for part in (TABLES, RECORD_FILE):
            if (self.folder / part).exists():
                (self.folder / part).rename(aside / part)

    def _repeats(self, record: RunRecord) -> bool:
        """Tell whether the run already here asked the same question of the same models and data."""
        with contextlib.suppress(RunFileError):
            earlier = Run.load(self.folder).record
            return _question(earlier) == _question(record)
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
