"""Reading small tables row by row: TSV, CSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.tasks.lines import read_json_rows, read_lines
from evalsuite.tasks.problems import Problems

Rows = Iterator[tuple[int, Mapping[str, object]]]

FORMATS = (".tsv", ".csv", ".jsonl", ".parquet")
"""Endings of the tables that can be read; all but Parquet may carry `.gz` too."""


@dataclass(frozen=True)
class Table:
    """A table being read.

    Attributes:
        columns: The names of its columns (JSON Lines: the fields of the first row).
        rows: `(line number from 1, column -> value)`; Parquet counts rows instead of lines.
    """

    columns: Sequence[str]
    rows: Rows


def table_stem(path: Path) -> str | None:
    """Return the file's name without its endings; None when it is not a table this module reads."""
    plain = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    stem, dot, ending = plain.rpartition(".")
    readable = dot + ending.lower() in FORMATS and bool(stem)
    zipped_parquet = plain != path.name and ending.lower() == "parquet"
    return stem if readable and not zipped_parquet else None


def read_table(path: Path, problems: Problems) -> Table | None:
    """Open a table, noting faults in `problems`; None when it has no header or no rows to name columns.

    TSV is read without quoting (a quotation mark is a character); CSV follows RFC 4180.
    """
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending == "parquet":
        return _parquet(path, problems)
    if ending == "jsonl":
        rows = read_json_rows(path, problems)
        first = next(rows, None)
        return None if first is None else Table(list(first[1]), itertools.chain([first], rows))
    return _delimited(path, ending, problems)


def _delimited(path: Path, ending: str, problems: Problems) -> Table | None:
    """Open a TSV or CSV file with a header."""
    records = _csv_records(path, problems) if ending == "csv" else _tsv_records(path, problems)
    header = next(records, None)
    if header is None:
        return None
    columns = [name.strip() for name in header[1]]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        problems.add(f"column {', '.join(map(repr, twice))} occurs twice", file=path, line=header[0])
        return None
    return Table(columns, _named(records, columns, path, problems))


def _tsv_records(path: Path, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Yield `(line, values)` of a tab-separated file; blank lines are skipped."""
    return ((number, text.split("\t")) for number, text in read_lines(path, problems) if text.strip())


def _csv_records(path: Path, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Yield `(first line, values)` of a CSV file; blank lines are skipped."""
    position = 0

    def lines() -> Iterator[str]:
        nonlocal position
        for number, text in read_lines(path, problems):
            position = number
            yield text + "\n"

    reader = csv.reader(lines(), strict=True)
    while True:
        start = position + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(f"not CSV ({error})", file=path, line=start)
            continue
        if values:
            yield start, values


def _named(
    records: Iterator[tuple[int, list[str]]], columns: Sequence[str], path: Path, problems: Problems
) -> Rows:
    """Give each record's values their columns' names; records of another width are noted and skipped."""
    for number, values in records:
        if len(values) == len(columns):
            yield number, dict(zip(columns, values, strict=True))
        else:
            fault = f"{len(values)} columns where the header has {len(columns)}"
            problems.add(fault, file=path, line=number)


def _parquet(path: Path, problems: Problems) -> Table | None:
    """Open a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        problems.add(f"not a readable Parquet file ({error})", file=path)
        return None
    rows = (row for batch in table.to_batches() for row in batch.to_pylist())
    return Table(table.column_names, enumerate(rows, start=1))
