"""Folders to read: made in tmp_path, or the public data sets where this machine has them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

DOCUMENTS = (
    {"_id": "d1", "title": "Tea", "text": "Green tea is steeped at 80 degrees."},
    {"_id": "d2", "title": "Coffee", "text": "Espresso is brewed under pressure."},
    {"_id": "d3", "text": "Maté is drunk through a metal straw."},
)
QUERIES = ({"_id": "q1", "text": "how hot for green tea"}, {"_id": "q2", "text": "drink with a straw"})
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td3\t1\n"

BeirMaker = Callable[..., Path]


def json_lines(rows: Sequence[Mapping[str, object] | str]) -> str:
    """Write rows as JSON Lines; a text stands for itself, so that a test can break a line."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


@pytest.fixture
def beir(tmp_path: Path) -> BeirMaker:
    """Make a BEIR folder, correct unless a part is replaced (a text as it stands, None for no file)."""

    def make(
        name: str = "drinks",
        corpus: Sequence[Mapping[str, object] | str] | None = DOCUMENTS,
        queries: Sequence[Mapping[str, object] | str] | None = QUERIES,
        qrels: Mapping[str, str] | str | None = QRELS,
    ) -> Path:
        folder = tmp_path / name
        (folder / "qrels").mkdir(parents=True)
        if corpus is not None:
            (folder / "corpus.jsonl").write_text(json_lines(corpus), encoding="utf-8")
        if queries is not None:
            (folder / "queries.jsonl").write_text(json_lines(queries), encoding="utf-8")
        splits = {"test": qrels} if isinstance(qrels, str) else qrels or {}
        for split, text in splits.items():
            (folder / "qrels" / f"{split}.tsv").write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of public data sets, or skip the test on a machine without it."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("EVALSUITE_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no public data sets at {folder}; set EVALSUITE_SHARED_DATA to a folder that holds them")
    return folder
