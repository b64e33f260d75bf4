"""Reading relevance judgements: BEIR's `qrels/SPLIT.tsv`, or `qrels.tsv` and `qrels.jsonl` in the folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evalsuite.tasks.lines import read_json_rows, read_lines, text_fault
from evalsuite.tasks.problems import Problems
from evalsuite.tasks.splits import DEFAULT_SPLIT

_FILE = re.compile(r"(?P<stem>.+)\.(?:tsv|jsonl)(?:\.gz)?", re.IGNORECASE)
_GRADE = re.compile(r"[+-]?[0-9]{1,9}(?:\.0*)?")
_NAMES = {
    "query": ("query-id", "query_id", "query", "qid"),
    "document": ("corpus-id", "corpus_id", "document", "doc_id", "docid"),
    "grade": ("score", "grade", "relevance"),
}
_FIELDS = tuple(_NAMES)


@dataclass
class Judgements:
    """The judgements of one split.

    Attributes:
        grades: Query id -> document id -> grade, in file order.
        repeated: How many lines repeat an earlier judgement with the same grade.
    """

    grades: dict[str, dict[str, int]] = field(default_factory=dict)
    repeated: int = 0


def qrels_files(folder: Path) -> dict[str, list[Path]]:
    """Find the files of judgements of a BEIR folder: split -> files (more than one is a mistake)."""
    found: dict[str, list[Path]] = {}
    inside = folder / "qrels"
    for path in sorted(inside.iterdir()) if inside.is_dir() else ():
        match = _FILE.fullmatch(path.name)
        if match and path.is_file():
            found.setdefault(match["stem"], []).append(path)
    for path in sorted(folder.glob("qrels.*")):
        if _FILE.fullmatch(path.name) and path.is_file():
            found.setdefault(DEFAULT_SPLIT, []).append(path)
    return found


def read_qrels(path: Path, problems: Problems) -> Judgements:
    """Read one file of judgements, noting every malformed line and every contradiction."""
    is_table = ".tsv" in path.suffixes[-2:]
    rows = _table_rows(path, problems) if is_table else _json_rows(path, problems)
    judgements = Judgements()
    lines: dict[tuple[str, str], int] = {}
    for number, (query, document, grade) in rows:
        first = lines.setdefault((query, document), number)
        grades = judgements.grades.setdefault(query, {})
        earlier = grades.setdefault(document, grade)
        if earlier != grade:
            text = (
                f"query {query!r}, document {document!r} is judged {grade}, "
                f"but {earlier} on line {first}; keep one"
            )
            problems.add(text, file=path, line=number)
        elif first != number:
            judgements.repeated += 1
    return judgements


def _table_rows(path: Path, problems: Problems) -> Iterator[tuple[int, tuple[str, str, int]]]:
    """Yield `(line, (query, document, grade))` of a tab-separated file, with or without a header."""
    order: Sequence[int] = (0, 1, 2)
    expect_header = True
    for number, text in read_lines(path, problems):
        if not text.strip():
            continue
        values = text.split("\t")
        if expect_header:
            expect_header = False
            header = _header_order(values)
            if header:
                order = header
                continue
        if len(values) != len(_FIELDS):
            fault = f"{len(values)} tab-separated columns where 3 belong (query-id, corpus-id, score)"
            problems.add(fault, file=path, line=number)
            continue
        row = _judgement(*(values[position] for position in order))
        if isinstance(row, str):
            problems.add(row, file=path, line=number)
        else:
            yield number, row


def _json_rows(path: Path, problems: Problems) -> Iterator[tuple[int, tuple[str, str, int]]]:
    """Yield `(line, (query, document, grade))` of a JSON Lines file."""
    for number, fields in read_json_rows(path, problems):
        found = {field: _first(fields, _NAMES[field]) for field in _FIELDS}
        missing = [_NAMES[field][0] for field, value in found.items() if value is None]
        if missing:
            problems.add(f"no {' and no '.join(missing)}", file=path, line=number)
            continue
        row = _judgement(*(found[field] for field in _FIELDS))
        if isinstance(row, str):
            problems.add(row, file=path, line=number)
        else:
            yield number, row


def _first(fields: dict[str, object], names: Sequence[str]) -> object:
    """Return the value of the first of several names that is there; None when none is."""
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _header_order(values: Sequence[str]) -> list[int] | None:
    """Read a header line: the columns of query, document and grade; None when the line is data."""
    lowered = [value.strip().lower() for value in values]
    order = [next((lowered.index(n) for n in _NAMES[field] if n in lowered), None) for field in _FIELDS]
    return [position for position in order if position is not None] if None not in order else None


def _judgement(query: object, document: object, grade: object) -> tuple[str, str, int] | str:
    """Check one judgement; returns it, or what is wrong with it."""
    query_id, document_id = identifier(query), identifier(document)
    if query_id is None:
        return f"query id {query!r} is empty or not a string"
    if document_id is None:
        return f"document id {document!r} is empty or not a string"
    text = "" if isinstance(grade, bool) else str(grade).strip()
    if not _GRADE.fullmatch(text):
        return f"grade {grade!r} is not a whole number"
    return query_id, document_id, int(text.partition(".")[0])


def identifier(value: object) -> str | None:
    """Read an id, a string or a JSON integer; None when it is neither or empty."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or text_fault(value) or not value.strip():
        return None
    return value
