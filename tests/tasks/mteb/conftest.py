"""Caches of their own for every test, and small folders of task data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import datasets
import pytest
from huggingface_hub import constants

CORPUS = (
    {"_id": "d1", "title": "Tea", "text": "Green tea is steeped at 80 degrees."},
    {"_id": "d2", "title": "", "text": " Espresso is brewed under pressure. "},
    {"_id": "d3", "title": "Mate", "text": "It is drunk through a metal straw."},
)
QUERIES = (
    {"_id": "q1", "text": "how hot for green tea"},
    {"_id": "q2", "text": "drink with a straw"},
    {"_id": "q3", "text": "nobody judged this"},
)
QRELS = (
    {"query-id": "q1", "corpus-id": "d1", "score": 2},
    {"query-id": "q1", "corpus-id": "d2", "score": 0},
    {"query-id": "q2", "corpus-id": "d3", "score": 1},
)
PAIRS = (
    {"sentence1": "a cat sits", "sentence2": "a cat is sitting", "score": 4.5},
    {"sentence1": "a cat sits", "sentence2": "a dog runs", "score": 1.0},
    {"sentence1": "rain falls", "sentence2": "it rains", "score": 5.0},
)
CONFIGS = """---
configs:
- config_name: corpus
  data_files: [{split: corpus, path: corpus.jsonl}]
- config_name: queries
  data_files: [{split: queries, path: queries.jsonl}]
- config_name: default
  data_files: [{split: test, path: qrels.jsonl}]
---
"""


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the caches of the machine out of the tests, and the tests out of them; nothing is downloaded."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets-cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.delenv("EVALSUITE_MTEB_DATA", raising=False)


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a JSON Lines file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_retrieval(folder: Path) -> Path:
    """Write the three files of a retrieval task."""
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES), ("qrels", QRELS)):
        write_rows(folder / f"{name}.jsonl", rows)
    return folder
