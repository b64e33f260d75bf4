"""Reading sentence pairs with a similarity: a TSV, CSV, JSON Lines or Parquet file, or a folder of splits."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.tasks.lines import text_fault
from evalsuite.tasks.problems import Problems
from evalsuite.tasks.qrels import identifier
from evalsuite.tasks.splits import DEFAULT_SPLIT, SPLIT_WORDS, choose_split, name_with_split
from evalsuite.tasks.tables import FORMATS, read_table, table_stem
from evalsuite.tasks.task import StsTask, TaskText

COLUMNS = {
    "sentence1": ("sentence1", "text1", "sentence_a"),
    "sentence2": ("sentence2", "text2", "sentence_b"),
    "score": ("score", "similarity", "similarity_score", "label", "gold"),
}
"""The columns a file needs, each with the names it may have (in any case)."""

LAYOUT = f"columns sentence1, sentence2 and score in a {', '.join(FORMATS)} file"
"""What an STS file holds, for messages."""

_ID = ("id", "_id", "pair_id")
_FEWEST_PAIRS = 3


@dataclass(frozen=True)
class _Pair:
    """One checked row."""

    key: str
    first: str
    second: str
    score: float


def read_sts(file: str | os.PathLike[str], *, split: str | None = None, name: str | None = None) -> StsTask:
    """Read and check sentence pairs.

    Args:
        file: A table, or a folder with one table a split (`test.tsv`, `dev.tsv`, ...). `COLUMNS` says which
            columns it needs; a column `id` is used where there is one, else pairs are numbered from 1.
        split: Which table of a folder to use; by default `test`, else the only one there is.
        name: What to call the task; by default the file's name, or the folder's when the file is named after
            a split, with `:split` unless it is the default.

    Raises:
        TaskDataError: Lists every mistake of the file.
        UsageError: If the split is not there; lists those that are.
    """
    given = Path(file).expanduser()
    path, chosen = sts_file(given, split)
    problems = Problems(path)
    pairs = _read_pairs(path, problems)
    if not problems.of(path):
        _check_pairs(pairs, functools.partial(problems.add, file=path))
    problems.raise_if_any()
    return StsTask(
        name=name or sts_name(given, chosen),
        pair_ids=[pair.key for pair in pairs],
        first=[TaskText(pair.first) for pair in pairs],
        second=[TaskText(pair.second) for pair in pairs],
        scores=[pair.score for pair in pairs],
        split=chosen,
        source=f"STS file {path}",
        warnings=_warnings(pairs),
    )


def sts_file(given: Path, split: str | None) -> tuple[Path, str]:
    """Find the table to read and the split it is: the file itself, or the one of a folder.

    Raises:
        TaskDataError: If there is no such file, no table in the folder, or two tables of one split.
        UsageError: If the split is not there, or a split is asked of a single file.
    """
    if given.is_file():
        stem = table_stem(given)
        if stem is None:
            raise TaskDataError(str(given), [f"not a table that can be read; expected {LAYOUT}"])
        chosen = stem if stem in SPLIT_WORDS else DEFAULT_SPLIT
        if split not in (None, chosen):
            message = f"{given} is one file and has no splits; leave :{split} away or name the folder"
            raise UsageError(message)
        return given, chosen
    files = sts_files(given) if given.is_dir() else {}
    if not files:
        missing = "no table in the folder" if given.is_dir() else "no such file or folder"
        raise TaskDataError(str(given), [f"{missing}; expected {LAYOUT}"])
    chosen = choose_split(list(files), split, str(given))
    if len(files[chosen]) > 1:
        names = " and ".join(path.name for path in files[chosen])
        raise TaskDataError(str(given), [f"{names} are tables of the same split; keep one"])
    return files[chosen][0], chosen


def sts_files(folder: Path) -> dict[str, list[Path]]:
    """Find a folder's tables: split -> files (more than one is a mistake).

    Files named after a split count; when there is none, the only table of any name is the `test` split.
    """
    tables = [(table_stem(path), path) for path in sorted(folder.iterdir()) if path.is_file()]
    named: dict[str, list[Path]] = {}
    for stem, path in tables:
        if stem in SPLIT_WORDS:
            named.setdefault(stem, []).append(path)
    others = [path for stem, path in tables if stem is not None]
    return named or ({DEFAULT_SPLIT: others} if len(others) == 1 else {})


def sts_name(given: Path, split: str) -> str:
    """Name a task after the file or folder given; a file named after a split takes its folder's name."""
    folder = given if given.is_dir() else given.parent
    stem = table_stem(given)
    if given.is_dir() or stem in SPLIT_WORDS:
        return name_with_split(folder.resolve().name, split, list(sts_files(folder)))
    return stem or given.name


def _read_pairs(path: Path, problems: Problems) -> list[_Pair]:
    """Read the rows of a table, noting every mistake."""
    table = read_table(path, problems)
    if table is None:
        if not problems.of(path):
            problems.add(f"empty; expected {LAYOUT}", file=path)
        return []
    columns = _find_columns(table.columns)
    missing = [name for name in COLUMNS if name not in columns]
    for name in missing:
        known = ", ".join(COLUMNS[name])
        problems.add(f"no column {name} (or {known}); found: {', '.join(table.columns)}", file=path)
    if missing:
        return []
    pairs: list[_Pair] = []
    lines: dict[str, int] = {}
    for index, (number, row) in enumerate(table.rows, start=1):
        report = functools.partial(problems.add, file=path, line=number)
        pair = _read_pair(row, columns, str(index), report)
        if pair is None:
            continue
        if pair.key in lines:
            report(f"duplicate id {pair.key!r}, first on line {lines[pair.key]}")
        lines.setdefault(pair.key, number)
        pairs.append(pair)
    return pairs


def _find_columns(found: Sequence[str]) -> dict[str, str]:
    """Map each needed column, and `id`, to the name it has in the file."""
    by_lower = {name.lower(): name for name in found}
    wanted = {**COLUMNS, "id": _ID}
    matches = {column: [by_lower[n] for n in names if n in by_lower] for column, names in wanted.items()}
    return {column: names[0] for column, names in matches.items() if names}


def _read_pair(
    row: Mapping[str, object], columns: Mapping[str, str], fallback: str, report: Callable[[str], None]
) -> _Pair | None:
    """Check one row; None when something is wrong with it, which is reported."""
    faults = []
    sentences = [row.get(columns[name]) for name in ("sentence1", "sentence2")]
    for name, value in zip(("sentence1", "sentence2"), sentences, strict=True):
        fault = "is missing" if columns[name] not in row else text_fault(value)
        if fault is None and not str(value).strip():
            fault = "is empty"
        if fault:
            faults.append(f"{name} {fault}")
    score = _number(row.get(columns["score"]))
    if score is None:
        faults.append(f"score {row.get(columns['score'])!r} is not a finite number")
    given = row.get(columns["id"]) if "id" in columns else fallback
    key = identifier(given)
    if key is None:
        faults.append(f"id {given!r} is empty or neither a string nor an integer")
    for fault in faults:
        report(fault)
    return (
        None
        if faults or score is None or key is None
        else _Pair(key, str(sentences[0]), str(sentences[1]), score)
    )


def _number(value: object) -> float | None:
    """Read a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _check_pairs(pairs: Sequence[_Pair], report: Callable[[str], None]) -> None:
    """Report what makes a correlation meaningless."""
    if len(pairs) < _FEWEST_PAIRS:
        report(f"{len(pairs)} pairs; a correlation needs at least {_FEWEST_PAIRS}")
    elif len({pair.score for pair in pairs}) == 1:
        report(f"every score is {pairs[0].score:g}; a correlation needs scores that differ")


def _warnings(pairs: Sequence[_Pair]) -> tuple[str, ...]:
    """List what is odd about the pairs without being a mistake."""
    scores: dict[tuple[str, str], set[float]] = {}
    for pair in pairs:
        scores.setdefault((pair.first, pair.second), set()).add(pair.score)
    repeated = len(pairs) - len(scores)
    disputed = sum(len(values) > 1 for values in scores.values())
    found = []
    if repeated:
        found.append(f"{repeated:,} of {len(pairs):,} pairs repeat another pair; all are counted")
    if disputed:
        found.append(f"{disputed:,} pairs occur with different scores")
    return tuple(found)
