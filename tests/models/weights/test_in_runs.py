"""Weight levels in runs: every name says the level, the store keeps them apart, the gate compares them."""

import subprocess
import sys

import pandas as pd
import pytest

import evalsuite
from evalsuite.core.weights import WeightReport
from evalsuite.models.weights import known_weights

LOWEST = "tiny-gemma q4_0 (PTQ)"
ASK = {"dims": [64, 16], "precisions": ["float32", "int8"], "spread": False}


def encoded(run):
    """Texts encoded by a run, checkpoint by checkpoint."""
    return [each.encoded for each in run.record.provenance.encodings]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def run(gemma, small_tasks, folder):
    """Three levels over both small tasks."""
    levels = ["native", "q8_0", "q4_0"]
    cache = folder / "cache"
    return evalsuite.evaluate(gemma, small_tasks, weights=levels, out=folder / "run", cache_dir=cache, **ASK)


def test_variants_say_the_level(run):
    """Cells, tables of values and rows are found under `q4_0@16/int8`, native ones under `16/int8`."""
    variants = {cell.variant for cell in run.record.cells}
    assert {"16/int8", "q8_0@16/int8", "q4_0@16/int8", "q4_0@64/float32"} < variants
    assert len(variants) == 3 * 4
    assert len(run.per_query("harbour", "q4_0@16/int8", "ndcg@10", checkpoint=LOWEST)) == 12
    rows = run.to_frame()
    rows = rows[rows["main"] & (rows["task"] == "harbour") & (rows["variant"] == "q4_0@64/float32")]
    assert rows["checkpoint"].tolist() == [LOWEST]


def test_reports_show_the_level(run, folder):
    """Markdown, page and CSV name level, parts of the model and what they became."""
    report = evalsuite.report(run, folder / "report")
    for page in (report.markdown, report.html):
        text = page.read_text("utf-8")
        assert "q4_0@16/int8" in text.replace("<wbr>", "")
        assert "token embedding" in text
    assert "q4_0@16/int8" in set(pd.read_csv(report.csv)["variant"])


def test_the_record_lists_every_tensor(run):
    """Every parameter is there with its grid; native weights need no list."""
    native, *others = run.record.checkpoints
    assert native.weight_report is None
    for entry in others:
        report = WeightReport.model_validate_json(entry.weight_report.model_dump_json())
        touched = [tensor for tensor in report.tensors if tensor.kept is None]
        assert {tensor.grid for tensor in touched} == {entry.weights}
        assert report.bytes == sum(tensor.bytes for tensor in report.tensors) < report.native_bytes


def test_the_store_never_mixes_levels(run, gemma, small_tasks, folder):
    """Each level encodes for itself once; later it finds its own vectors, and alone it has its numbers."""
    first, *others = encoded(run)
    assert first > 0
    assert others == [first, first]
    again = evalsuite.evaluate(
        gemma, small_tasks, weights="q4_0", out=folder / "again", cache_dir=folder / "cache", **ASK
    )
    assert encoded(again) == [0]
    assert again.record.checkpoints[0].weight_report == run.record.checkpoints[2].weight_report
    fresh = evalsuite.evaluate(
        gemma, small_tasks, weights="q4_0", out=folder / "fresh", cache_dir=folder / "other", **ASK
    )
    expected = [
        (c.task, c.variant, c.outcome.metrics) for c in run.record.cells if c.variant.startswith("q4_0@")
    ]
    for other in (again, fresh):
        assert [(c.task, c.variant, c.outcome.metrics) for c in other.record.cells] == expected


def test_the_gate_compares_levels_of_one_run(run):
    """Every cell of one level meets that of the other, and the verdict says that the weights differ."""
    labels = run.record.checkpoints[0].label, run.record.checkpoints[2].label
    verdict = evalsuite.compare(run, run, checkpoints=labels)
    cells = [finding for finding in verdict.findings if finding.subject == "cell"]
    assert len(cells) == 8
    assert not {finding.status for finding in cells} & {"missing", "new", "incomparable"}
    assert "weights are native in the baseline, q4_0 in the candidate" in verdict.notes


def test_the_command_line_offers_them(gemma, small_tasks, tmp_path):
    """A run at a level with its own token table prints it; unknown levels are one message and exit code 2."""
    words = [sys.executable, "-m", "evalsuite", "run", str(gemma), "--tasks", str(small_tasks[1])]
    words += ["--dims", "16", "--no-report", "--out", str(tmp_path / "run"), "--cache-dir", str(tmp_path)]
    asked = [*words, "--weights", "q4_0", "--quantize-embeddings", "keep"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "q4_0 (PTQ), token table kept" in " ".join(done.stdout.split())
    (entry,) = evalsuite.load_run(tmp_path / "run").record.checkpoints
    assert entry.weights == "q4_0+keep"
    done = subprocess.run([*words, "--weights", "q9"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(level in done.stderr for level in known_weights())
