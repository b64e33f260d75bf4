"""The content fingerprint of a loaded MTEB task: the rows, wherever they lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evalsuite.tasks.mteb.rows import all_rows, is_retrieval

_TEXT_COLUMNS = ("id", "title", "text", "instruction")
"""Columns of a corpus and of queries that mteb reads."""

_BATCH = 1000


def data_fingerprint(abstask: Any) -> str:
    """Hash every row that is scored or trained on, with its labels.

    Corpora, queries and judgements are hashed in the order of their ids: how a file orders them changes no
    score. Rows of other types are hashed in file order, which decides what a classifier or a clustering
    draws. Where the data lies, and columns that retrieval does not read, do not count.

    Returns:
        64 hexadecimal digits.
    """
    whole = hashlib.sha256()
    # The language pairs of a bitext task may share their rows, which are then hashed once.
    known: dict[int, str] = {}
    for split, subset, rows in all_rows(abstask):
        if id(rows) not in known:
            lines = _retrieval_lines(rows) if is_retrieval(abstask) else _row_lines(rows)
            known[id(rows)] = _digest(lines)
        whole.update(_line([split, subset, known[id(rows)]]))
    return whole.hexdigest()


def _digest(lines: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def _retrieval_lines(rows: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield a retrieval split's documents, queries, judgements and candidates, each sorted."""
    for kind in ("corpus", "queries"):
        yield _line([kind])
        columns = [column for column in _TEXT_COLUMNS if column in rows[kind].column_names]
        texts = _dataset_rows(rows[kind].select_columns(columns))
        # A missing title and an empty one are the same document.
        yield from sorted(_line({key: value for key, value in row.items() if value}) for row in texts)
    yield _line(["judgements"])
    yield from sorted(
        _line([query, document, int(grade)])
        for query, judged in rows["relevant_docs"].items()
        for document, grade in judged.items()
    )
    yield _line(["candidates"])
    yield from sorted(_line([query, list(ids)]) for query, ids in (rows.get("top_ranked") or {}).items())


def _row_lines(rows: Any) -> Iterator[bytes]:
    """Yield each row of any other type, its columns in the order of their names."""
    yield from (_line(row) for row in _dataset_rows(rows))


def _dataset_rows(rows: Any) -> Iterator[dict[str, Any]]:
    """Yield rows as dictionaries, read in batches."""
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        names = list(batch)
        yield from (dict(zip(names, values, strict=True)) for values in zip(*batch.values(), strict=True))


def _line(value: Any) -> bytes:
    """Write a value as one line of JSON; line feeds inside texts are escaped, so lines stay apart."""
    return (json.dumps(value, sort_keys=True, default=str) + "\n").encode("ascii")
