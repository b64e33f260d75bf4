"""Approximate search in the sweep: on request, for every task that is searched, in record and frame."""

import numpy as np
import pytest

import evalsuite
from evalsuite.api.tasks import load_tasks
from evalsuite.core.progress import Silent
from evalsuite.core.run import ANN_COLUMNS
from evalsuite.core.variant import Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.models.fake import FakeEncoder, fake_checkpoint
from evalsuite.sweep import ann
from evalsuite.sweep.sides import TaskSides
from evalsuite.tasks.mteb import MtebOptions
from evalsuite.vectors.ann.probe import probe
from evalsuite.vectors.ann.sample import ProbeSettings, Sample
from tests.conftest import write_beir


def evaluate(folder, tasks, **options):
    """Evaluate a fake encoder at two dimensions and four precisions, with the probe."""
    options = {"dims": [32, 8], "precisions": ["float32", "float16", "binary", "int8+asymmetric"], **options}
    return evalsuite.evaluate(
        fake_checkpoint(32), tasks, out=folder / "run", cache_dir=folder / "cache", ann=True, **options
    )


@pytest.fixture(scope="module")
def probed(tmp_path_factory, small_tasks):
    """A run with the probe over a retrieval task and an STS task."""
    return evaluate(tmp_path_factory.mktemp("probed"), small_tasks)


def test_it_is_off_unless_asked_for(finished_run):
    """A usual run probes nothing and spends no time on it."""
    assert finished_run.record.ann == ()
    assert finished_run.ann_frame().empty
    assert finished_run.record.provenance.seconds["ann"] == 0


def test_searched_tasks_are_probed_at_every_dimension(probed):
    """Retrieval at each dimension and probed precision, whatever its scoring; STS not at all."""
    found = [(entry.task, entry.probe.dim, entry.probe.precision) for entry in probed.record.ann]
    assert found == [("harbour", dim, level) for dim in (32, 8) for level in ("float32", "int8", "binary")]
    assert probed.record.asked.ann
    assert probed.record.ann_missing == ()
    assert "ann=True" in probed.record.provenance.command


def test_the_probe_is_that_of_the_stored_vectors(probed, small_tasks):
    """An entry equals the probe of the encoded texts, and a loaded run has it still."""
    (task,) = load_tasks([small_tasks[0]], MtebOptions())
    encoder = FakeEncoder(32)
    documents, queries = (
        encoder.encode([t.text for t in side], "") for side in (task.documents, task.queries)
    )
    expected = probe(Sample.draw(documents, queries, 0), 8, "binary")
    loaded = evalsuite.load_run(probed.folder)
    assert [e.probe for e in loaded.record.ann if (e.probe.dim, e.probe.precision) == (8, "binary")] == [
        expected
    ]


def test_frame_has_a_row_a_setting(probed):
    """The tidy frame holds every point of every curve, with what sums the curve up beside it."""
    frame = probed.ann_frame()
    assert list(frame.columns) == list(ANN_COLUMNS)
    curves = [curve for entry in probed.record.ann for curve in entry.probe.curves]
    assert len(frame) == sum(len(curve.points) for curve in curves)
    keys = ["checkpoint", "task", "dim", "precision", "index", "asked", "truth"]
    assert not frame.duplicated([*keys, "parameter"]).any()
    curve = probed.record.ann[0].probe.curve("ivf", "document", "float32")
    rows = frame.set_index(keys).loc[("fake", "harbour", 32, "float32", "ivf", "document", "float32")]
    assert rows["recall"].tolist() == [point.recall for point in curve.points]
    assert set(rows["work_at_0.95"]) == {curve.work_at[0.95]}
    assert set(rows["askers"]) == {probed.record.ann[0].probe.held_out}


def test_what_cannot_be_probed_has_a_reason(tmp_path):
    """A corpus of one document cannot lose one: no entry, one reason, and the cells are scored."""
    task = write_beir(tmp_path / "one", {"d": "rope"}, {"q": "rope"}, {"q": {"d": 1}})
    run = evaluate(tmp_path, [task], precisions=["float32"])
    assert run.record.ann == ()
    (missing,) = run.record.ann_missing
    assert (missing.checkpoint, missing.task) == ("fake", "one")
    assert "at least 2 are needed" in missing.reason
    assert not run.failures


def test_a_large_corpus_stays_on_disk(tmp_path, monkeypatch):
    """Of more documents than a sample holds only as many are read, drawn with the seed."""
    np.save(tmp_path / "shard.npy", np.random.default_rng(0).standard_normal((400, 8), dtype=np.float32))
    places = np.stack([np.zeros(400, dtype=np.int64), np.arange(400)], axis=1)
    documents = StoredVectors([tmp_path / "shard.npy"], places, 8)
    sides = TaskSides(documents, documents.slice(0, 9), np.zeros((0, 2), dtype=np.int64))
    monkeypatch.setattr(ann, "ProbeSettings", lambda: ProbeSettings(max_documents=90, max_queries=10))
    read = []
    take = StoredVectors.take
    monkeypatch.setattr(StoredVectors, "take", lambda self, rows: read.append(len(rows)) or take(self, rows))
    probes, reasons = ann.probe_search(sides, [8], ["float32"], 0, Silent())
    assert (read, reasons) == ([100], [])
    assert probes == ann.probe_search(sides, [8], ["float32"], 0, Silent())[0]
    assert probes[0].documents + probes[0].held_out == 100


def test_levels_are_those_of_the_grid():
    """Only what the grid has is probed, from the finest to the coarsest."""
    grid = [Variant(8, "binary"), Variant(8, "int4"), Variant.parse("8/float32")]
    assert ann.probed_levels(grid) == ["float32", "binary"]


def test_python_docs_is_large_enough(tmp_path):
    """The task of the Python library's documentation has enough documents for a curve over many lists."""
    run = evaluate(tmp_path, ["python-docs"], dims=[32], precisions=["float32"], spread=False)
    (entry,) = run.record.ann
    assert entry.probe.documents > 2000
    assert len(entry.probe.curve("ivf", "query", "float32").points) >= 8
    assert entry.probe.out_of_distribution_gap("hnsw", "float32", 0.9) is not None
