from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mteb
import pytest

from evalsuite.core.errors import RunFileError
from evalsuite.core.record import Failed, RunRecord, Scored
from evalsuite.core.run import Run
from evalsuite.interop.mteb_results import is_mteb_results, read_mteb_results, write_mteb_results
from evalsuite.interop.mteb_results.read import canonical
from tests.interop.conftest import MODEL, TASKS, checkpoint, run_like

VARIANTS = ("32/float32", "16/int8", "16/int8+mteb", "16/binary+rescore4:int8", "pca16/int8+asymmetric")


@pytest.fixture
def cache(tmp_path: Path, evaluated: Any) -> Path:
    """A copy of the folder mteb wrote, to be changed."""
    return shutil.copytree(evaluated.folder, tmp_path / "cache")


def scored(run: Run, task: str, variant: str) -> Scored:
    """Return one scored cell."""
    (cell,) = [each for each in run.record.cells if (each.task, each.variant) == (task, variant)]
    assert isinstance(cell.outcome, Scored)
    return cell.outcome


def change(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_mteb_wrote_is_a_run(evaluated):
    """One checkpoint, one variant a folder; what mteb's wrapper quantized is labelled as mteb's."""
    run = read_mteb_results(evaluated.folder)
    (entry,) = run.record.checkpoints
    assert (entry.label, entry.revision, entry.dim) == (MODEL, "2", 32)
    assert "known by name and revision only" in entry.warnings[0]
    assert {task.name: task.main_metric for task in run.record.tasks} == {
        "MockRetrievalTask": "ndcg@10",
        "MockMultilingualSTSTask": "cosine_spearman",
        "MockClassificationTask": "accuracy",
    }
    assert {cell.variant for cell in run.record.cells} == {"32/float32", "32/int8+mteb"}
    assert RunRecord.from_json(run.record.to_json(), where="copy") == run.record


def test_scores_are_those_of_mteb(evaluated):
    """Means over splits and subsets, as `get_score` makes them; no interval, no number of queries."""
    run = read_mteb_results(evaluated.folder)
    for variant, results in [("32/float32", evaluated.plain), ("32/int8+mteb", evaluated.int8)]:
        for name, result in results.items():
            task = run.task(name)
            cells = [c for c in run.record.cells if (c.task, c.variant) == (name, variant)]
            outcome = cells[0].outcome
            if isinstance(outcome, Failed):
                assert result.get_score() != result.get_score()
                continue
            value = outcome.metrics[task.main_metric]
            assert value.value == pytest.approx(result.get_score(), abs=1e-6)
            assert (value.lower, value.upper, outcome.n) == (None, None, None)
    retrieval = scored(run, "MockRetrievalTask", "32/float32")
    assert retrieval.bytes_per_vector == 128.0
    assert scored(run, "MockRetrievalTask", "32/int8+mteb").bytes_per_vector == 32.0
    assert {"map@10", "mrr@1", "hit_rate@5", "recall@1000"} <= set(retrieval.metrics)


def test_parts_and_data_are_recorded(evaluated):
    """Splits, subsets and their languages come from the files."""
    task = read_mteb_results(evaluated.folder).task("MockMultilingualSTSTask")
    assert [(p.split, p.subset, p.languages, p.n) for p in task.parts] == [
        ("test", "eng", ("eng-Latn",), None),
        ("test", "fra", ("fra-Latn",), None),
    ]
    assert task.source == "mteb results: MockMultilingualSTSTask@NA"


def test_another_version_of_mteb_is_no_other_data(tmp_path, evaluated):
    """Two versions on one revision of a data set have the same source; the versions are recorded."""
    cache = shutil.copytree(evaluated.folder, tmp_path / "cache")
    for file in cache.rglob("Mock*.json"):
        content = json.loads(file.read_text())
        file.write_text(json.dumps(content | {"mteb_version": "2.1.0"}))
    for file in cache.rglob("run_settings.jsonl"):
        file.unlink()
    older, newer = read_mteb_results(cache), read_mteb_results(evaluated.folder)
    assert [task.source for task in older.record.tasks] == [task.source for task in newer.record.tasks]
    assert older.record.provenance.versions["mteb"] == "2.1.0"
    assert newer.record.provenance.versions["mteb"] == mteb.__version__


@pytest.mark.parametrize("below", ["results", f"results/{MODEL.replace('/', '__')}", "results/*/2"])
def test_any_folder_of_the_layout_will_do(evaluated, below):
    """A cache, its results, a model or a revision: the same run."""
    folder = next(evaluated.folder.glob(below))
    assert is_mteb_results(folder)
    assert read_mteb_results(folder).record.cells == read_mteb_results(evaluated.folder).record.cells


def test_one_experiment_can_be_read_alone(evaluated):
    """Its own model_meta.json says all."""
    folder = next(evaluated.folder.glob("results/*/2/experiments/*"))
    assert is_mteb_results(folder)
    run = read_mteb_results(folder)
    assert {cell.variant for cell in run.record.cells} == {"32/int8+mteb"}
    assert run.record.checkpoints[0].label == MODEL


def test_what_evalsuite_wrote_comes_back(tmp_path, evaluated):
    """Labels, variants, bytes, main metrics and scores survive the way through mteb's files."""
    run = run_like(tmp_path / "run", evaluated.plain, VARIANTS)
    write_mteb_results(run, tmp_path / "cache")
    back = read_mteb_results(tmp_path / "cache")
    (entry,) = back.record.checkpoints
    assert (entry.label, entry.fingerprint, entry.dim, entry.dtype, entry.warnings) == (
        "runs/final",
        run.record.checkpoints[0].fingerprint,
        32,
        "float32",
        (),
    )
    for name in TASKS:
        for variant in VARIANTS:
            before, after = scored(run, name, variant), scored(back, name, variant)
            main = run.task(name).main_metric
            assert back.task(name).main_metric == main
            assert after.metrics[main].value == pytest.approx(before.metrics[main].value, abs=1e-6)
            assert (after.bytes_per_vector, after.index_bytes) == (36.0, 7.0)
        assert (back.task(name).task_type, back.task(name).road) == ("Any", "native")
    assert len(back.record.cells) == len(TASKS) * len(VARIANTS)


def test_revisions_are_checkpoints(tmp_path, evaluated):
    """Two revisions of one model stand side by side, told apart in their labels."""
    for number, fingerprint in enumerate(("11" * 32, "22" * 32)):
        entry = checkpoint(fingerprint=fingerprint)
        run = run_like(tmp_path / str(number), evaluated.plain, ("32/float32",), model=entry)
        write_mteb_results(run, tmp_path / "cache")
    labels = {entry.label for entry in read_mteb_results(tmp_path / "cache").record.checkpoints}
    assert labels == {"runs/final@11111111", "runs/final@22222222"}


def test_other_settings_of_an_experiment_are_another_checkpoint(cache):
    """What is neither a dimension nor a precision changes the model, not the variant."""
    meta = next(cache.glob("results/*/2/experiments/*/model_meta.json"))
    change(meta, experiment_kwargs={"embed_dim": 16, "use_image": True})
    run = read_mteb_results(cache)
    assert [(e.label, e.dim) for e in run.record.checkpoints] == [
        (MODEL, 32),
        (f"{MODEL} (use_image=True)", 32),
    ]
    assert {c.variant for c in run.record.cells if c.checkpoint != MODEL} == {"16/float32"}


def test_other_subsets_are_another_task(cache):
    """A mean over other languages is never put beside the whole; that is the trap of 69.67 and 68.36."""
    file = next(cache.glob("results/*/2/experiments/*/MockMultilingualSTSTask.json"))
    content = json.loads(file.read_text())
    change(file, scores={"test": content["scores"]["test"][:1]})
    run = read_mteb_results(cache)
    names = [task.name for task in run.record.tasks if "STS" in task.name]
    assert names == ["MockMultilingualSTSTask", "MockMultilingualSTSTask (2)"]
    assert run.task(names[1]).warnings == ("other splits, subsets or data than MockMultilingualSTSTask",)
    assert len([cell for cell in run.record.cells if cell.task == names[1]]) == 1


def test_fetched_results_count_once(cache):
    """A result that was fetched and evaluated here is the one evaluated here."""
    shutil.copytree(cache / "results", cache / "remote" / "results")
    for file in cache.glob("remote/results/*/2/MockRetrievalTask.json"):
        change(file, evaluation_time=1e6)
    run = read_mteb_results(cache)
    assert len(run.record.cells) == 2 * len(TASKS)
    assert scored(run, "MockRetrievalTask", "32/float32").seconds < 1e6


def test_a_score_that_is_missing_is_a_failed_cell(cache):
    """Nothing becomes 0 or vanishes."""
    file = next(cache.glob("results/*/2/MockRetrievalTask.json"))
    content = json.loads(file.read_text())
    content["scores"]["test"][0]["main_score"] = None
    change(file, scores=content["scores"])
    (failed,) = [c for c in read_mteb_results(cache).failures if c.variant == "32/float32"]
    assert isinstance(failed.outcome, Failed)
    assert "lacks the main score" in failed.outcome.reason


def test_every_damaged_file_is_listed(cache):
    """All at once, each with its path."""
    revision = next(cache.glob("results/*/2"))
    (revision / "MockRetrievalTask.json").write_text("{")
    (revision / "Old.json").write_text('{"test": {"ndcg_at_10": 0.5}}')
    (revision / "run_settings.jsonl").write_text("no json")
    with pytest.raises(RunFileError) as caught:
        read_mteb_results(cache)
    for part in ("MockRetrievalTask.json: cannot be read", "Old.json: has no", "run_settings.jsonl: cannot"):
        assert part in str(caught.value)


def test_a_width_nobody_knows_is_asked_for(cache):
    """Without it there is no variant; the message says where to write it."""
    for meta in cache.glob("results/*/2/model_meta.json"):
        change(meta, embed_dim=None)
    with pytest.raises(RunFileError, match=r'"embed_dim".*\n.*baseline-random-encoder/2'):
        read_mteb_results(cache)


def test_results_without_a_description_go_by_their_folders(cache):
    """Old results lack model_meta.json and settings; names are in the path, the width is not."""
    revision = next(cache.glob("results/*/2"))
    shutil.rmtree(revision / "experiments")
    (revision / "run_settings.jsonl").unlink()
    (revision / "model_meta.json").write_text('{"embed_dim": [32, 16]}')
    (entry,) = read_mteb_results(cache).record.checkpoints
    assert (entry.label, entry.revision, entry.dim) == (MODEL, "2", 32)


@pytest.mark.parametrize("content", [{}, {"record.json": "{}", "a.json": '{"task_name": "a", "scores": {}}'}])
def test_other_folders_are_not_mtebs(tmp_path, content):
    """An empty folder, and a run of evalsuite's."""
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    assert not is_mteb_results(tmp_path)
    assert not is_mteb_results(tmp_path / "nowhere")


def test_an_empty_folder_is_an_error(tmp_path):
    """The message says which folders would do."""
    with pytest.raises(RunFileError, match="holds no mteb results; give a cache"):
        read_mteb_results(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ndcg_at_10", "ndcg@10"), ("hit_rate_at_5", "hit_rate@5"), ("cosine_ap", "cosine_ap"),
     ("nauc_ndcg_at_1_max", "nauc_ndcg_at_1_max"), ("ndcg_at_x", "ndcg_at_x")],
)  # fmt: skip
def test_only_ranked_metrics_get_a_cut_off(name, expected):
    """mteb's names of other metrics stay as they are."""
    assert canonical(name) == expected


def test_reading_needs_no_mteb(evaluated):
    """Reports and gates stay light: neither mteb nor torch is imported."""
    code = (
        "import sys; from evalsuite.interop.mteb_results import read_mteb_results, is_mteb_results; "
        f"assert is_mteb_results({str(evaluated.folder)!r}); read_mteb_results({str(evaluated.folder)!r}); "
        "print([n for n in ('mteb', 'torch', 'sentence_transformers', 'transformers') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
