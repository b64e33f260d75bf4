"""Committed baselines: a run boiled down to text that a reviewer can read in a diff.

::

    reports/baselines/NAME/
      baseline.json                  the record, one cell a line, numbers of 6 decimals
      values/000-scifact.ndcg@10.csv a row a query, a column a variant
      values/001-stsb.cosine.csv     the same for pairs, with the scores by people (`gold`)
      top.parquet                    the first documents of each query, to show what moved

Times, and metrics that are not judged, are left out: accepting the same run twice changes nothing. Every
file's checksum is kept: a baseline that was changed in any other way than by accepting is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from evalsuite.core.errors import RunFileError
from evalsuite.core.record import RunRecord
from evalsuite.core.run import Run

BASELINES_FOLDER = Path("reports") / "baselines"
BASELINE_FILE = "baseline.json"
VALUES_FOLDER = "values"
TOP_FILE = "top.parquet"
FORMAT = 1
MARGINAL = ("id", "part", "gold")
"""Columns of a values file that are not a variant."""


class BaselineRun(Run):
    """A committed baseline: a run whose per-query values lie in text files.

    Attributes:
        files: Values files by task and column.
    """

    def __init__(self, record: RunRecord, folder: Path, files: dict[tuple[str, str], str]) -> None:
        super().__init__(record, folder)
        self.files = files

    def per_query_table(self, checkpoint: str, task: str) -> pd.DataFrame:
        """Return the per-query table of a task: every variant, the metrics that were kept.

        Raises:
            RunFileError: If the baseline kept none, or a file cannot be read.
        """
        self.checkpoint(checkpoint)
        columns = {column: path for (name, column), path in self.files.items() if name == task}
        if not columns:
            message = f"{self.folder}: no per-query values of {checkpoint} on {task}"
            raise RunFileError(message)
        tables = [self._long(self.folder / path, column) for column, path in columns.items()]
        merged = tables[0]
        for table in tables[1:]:
            shared = [name for name in ("variant", *MARGINAL) if name in merged and name in table]
            merged = merged.merge(table, on=shared, how="outer", sort=False)
        top = self._top(task)
        return merged if top is None else merged.merge(top, on=["variant", "id"], how="left", sort=False)

    def _long(self, file: Path, column: str) -> pd.DataFrame:
        """Read one values file and put its variants below each other."""
        try:
            wide = pd.read_csv(file, dtype={"id": str, "part": str}, keep_default_na=False)
        except (OSError, ValueError) as error:
            message = f"{file}: cannot be read ({error}); accept the baseline again"
            raise RunFileError(message) from error
        margins = [name for name in MARGINAL if name in wide]
        melted = wide.melt(id_vars=margins, var_name="variant", value_name=column)
        # A variant without a value for a query holds an empty text in a wide table.
        melted = melted[melted[column].astype(str) != ""]
        return melted.assign(**{column: melted[column].astype(float)})

    def _top(self, task: str) -> pd.DataFrame | None:
        """Read the first documents of a task's queries, where they were kept."""
        file = self.folder / TOP_FILE
        if not file.exists():
            return None
        try:
            table = pd.read_parquet(file)
        except (OSError, ValueError) as error:
            message = f"{file}: cannot be read ({error}); accept the baseline again"
            raise RunFileError(message) from error
        rows = table[table["task"] == task]
        return rows.drop(columns="task") if len(rows) else None


def is_baseline(path: Path) -> bool:
    """Tell whether a folder holds a committed baseline."""
    return (path / BASELINE_FILE).is_file()


def load_baseline(folder: Path) -> BaselineRun:
    """Open a committed baseline.

    Raises:
        RunFileError: If it is missing, damaged or of another format.
    """
    file = folder / BASELINE_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{file}: cannot be read ({error}); accept the baseline again"
        raise RunFileError(message) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or "record" not in content:
        found = content.get("format") if isinstance(content, dict) else None
        message = (
            f"{file}: baseline format {found!r}, this evalsuite reads {FORMAT}; accept the baseline again"
        )
        raise RunFileError(message)
    record = RunRecord.from_json(json.dumps(content["record"]), where=str(file))
    kept = content.get("values", [])
    files = {(each["task"], each["column"]): each["path"] for each in kept}
    inside = all((folder / path).resolve().is_relative_to(folder.resolve()) for path in files.values())
    if not inside:
        message = f"{file}: names a values file outside its folder; accept the baseline again"
        raise RunFileError(message)
    changed = [*_changed(folder, kept, content), *_changed_record(content)]
    if changed:
        message = (
            f"{folder}: changed or damaged since it was accepted: {', '.join(changed)}; restore the folder "
            "from version control, or accept a run with: evalsuite baseline accept RUN"
        )
        raise RunFileError(message)
    return BaselineRun(record, folder, files)


def text_checksum(data: bytes) -> str:
    """Hash a text file, however its lines end: version control may change that."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def record_checksum(record: dict[str, Any]) -> str:
    """Hash a record by its values, however it is laid out."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def top_checksum(folder: Path) -> str:
    """Hash the first documents; empty if none were kept."""
    file = folder / TOP_FILE
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _changed(folder: Path, kept: list[dict[str, str]], content: dict[str, Any]) -> Iterator[str]:
    """Name the files beside the record that are not what was accepted."""
    for each in kept:
        file = folder / each["path"]
        if not file.is_file() or text_checksum(file.read_bytes()) != each.get("sha256"):
            yield each["path"]
    if top_checksum(folder) != content.get("top_sha256"):
        yield TOP_FILE


def _changed_record(content: dict[str, Any]) -> Iterator[str]:
    if record_checksum(content["record"]) != content.get("record_sha256"):
        yield BASELINE_FILE


def list_baselines(folder: Path = BASELINES_FOLDER) -> list[BaselineRun]:
    """Open every committed baseline, by name.

    Raises:
        RunFileError: If one is damaged.
    """
    if not folder.is_dir():
        return []
    return [load_baseline(each) for each in sorted(folder.iterdir()) if is_baseline(each)]


def write_lines(content: dict[str, Any]) -> str:
    """Write JSON with one line for each element of a list: a changed cell is a changed line."""
    return "{\n" + ",\n".join(_members(content, " ")) + "\n}\n"


def _members(content: dict[str, Any], indent: str) -> Iterator[str]:
    """Write the members of an object, its lists line by line and its objects member by member."""
    for key, value in content.items():
        name = f"{indent}{json.dumps(key)}: "
        if isinstance(value, dict) and any(isinstance(each, list | dict) for each in value.values()):
            yield name + "{\n" + ",\n".join(_members(value, indent + " ")) + f"\n{indent}}}"
        elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
            rows = ",\n".join(f"{indent} {_line(each)}" for each in value)
            yield f"{name}[\n{rows}\n{indent}]"
        else:
            yield name + _line(value)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
