"""What every room's tests share: no network, a private store, real and finished things to look at."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import evalsuite
from evalsuite.models.fake import fake_checkpoint

# The first example of a test pays for importing torch; a deadline would measure that.
settings.register_profile("evalsuite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("evalsuite")

SHARED_DATA = Path(os.environ.get("EVALSUITE_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(autouse=True)
def _private_store(tmp_path_factory, monkeypatch):
    """Keep the user's store out of the tests, and the tests out of the user's store."""
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path_factory.mktemp("store")))


@pytest.fixture
def shared_data():
    """The folder of real data sets; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data sets are not at {SHARED_DATA}; set EVALSUITE_SHARED_DATA")
    return SHARED_DATA


def write_beir(folder, documents, queries, qrels):
    """Write a BEIR folder: documents and queries as {id: text}, qrels as {query: {document: grade}}."""
    (folder / "qrels").mkdir(parents=True)
    for name, texts in (("corpus", documents), ("queries", queries)):
        lines = [json.dumps({"_id": key, "title": "", "text": text}) for key, text in texts.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [
        f"{query}\t{document}\t{grade}"
        for query, grades in qrels.items()
        for document, grade in grades.items()
    ]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(rows) + "\n")
    return folder


def write_sts(file, rows):
    """Write an STS table of (sentence1, sentence2, score) rows."""
    lines = ["sentence1\tsentence2\tscore", *("\t".join(map(str, row)) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


WORDS = [
    "tide", "harbour", "rope", "anchor", "mast", "sail", "wind", "chart", "buoy", "keel", "deck", "gull",
    "storm", "lamp", "pier", "crane",
]  # fmt: skip


@pytest.fixture(scope="session")
def small_tasks(tmp_path_factory):
    """A retrieval folder of 60 documents and 12 queries, and an STS file of 30 pairs."""
    folder = tmp_path_factory.mktemp("tasks")
    documents = {
        f"d{i:02d}": " ".join(WORDS[(i * k + k) % 16] for k in range(1, 6)) + f" {i}" for i in range(60)
    }
    queries = {f"q{i:02d}": " ".join(documents[f"d{i * 5:02d}"].split()[:3]) for i in range(12)}
    qrels = {f"q{i:02d}": {f"d{i * 5:02d}": 2, f"d{(i * 5 + 16) % 60:02d}": 1} for i in range(12)}
    pairs = [
        (documents[f"d{i:02d}"], documents[f"d{(i * 3) % 60:02d}"], (i * 7) % 11 / 2) for i in range(1, 31)
    ]
    return [write_beir(folder / "harbour", documents, queries, qrels), write_sts(folder / "pairs.tsv", pairs)]


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, small_tasks):
    """A run of a fake checkpoint over both small tasks."""
    return evalsuite.evaluate(
        fake_checkpoint(64),
        small_tasks,
        dims=[64, 16],
        precisions=["float32", "int8", "binary"],
        out=tmp_path_factory.mktemp("runs") / "run",
        cache_dir=tmp_path_factory.mktemp("cache"),
    )
