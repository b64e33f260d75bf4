from __future__ import annotations

import json

import mteb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import RunFileError, StorageError, UsageError
from evalsuite.core.run import Run
from evalsuite.core.variant import Variant
from evalsuite.interop.mteb_results import left_out, write_mteb_results
from evalsuite.interop.mteb_results.layout import experiment_kwargs, model_name
from evalsuite.interop.mteb_results.write import nested
from evalsuite.sweep.replay.outcome import flatten
from tests.interop.conftest import FINGERPRINT, TASKS, checkpoint, run_like

VARIANTS = (
    "32/float32",
    "16/float32",
    "32/int8",
    "16/int8",
    "16/binary+rescore4:int8",
    "pca16/int8+asymmetric",
)
HOME = f"results/local__runs-final/{FINGERPRINT}"
NAMES = st.text("abcdefgh_ ", min_size=1, max_size=6)


@given(
    st.recursive(
        st.floats(allow_nan=False),
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1),
        max_leaves=12,
    )
)
def test_nesting_undoes_flattening(value):
    """Whatever dictionaries and lists a metric of mteb's is made of, it comes back as it was."""
    assert nested(flatten({"metric": value})) == {"metric": value}


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("768/float32", None),
        ("256/float32", {"embed_dim": 256}),
        ("768/int8", {"output_dtypes": "int8"}),
        ("256/int8", {"embed_dim": 256, "output_dtypes": "int8"}),
        ("256/float8_e4m3", {"embed_dim": 256, "output_dtypes": "float8_e4m3fn"}),
        ("256/int8+mteb", {"embed_dim": 256, "output_dtypes": "int8", "scoring": "mteb"}),
        ("768/binary+rescore4:int8", {"output_dtypes": "binary", "scoring": "rescore4:int8"}),
        ("random768/float32", {"projection": "random"}),
    ],
)
def test_an_experiment_says_how_a_variant_differs(variant, expected):
    """In mteb's words where it has them; float32 at full width is no experiment."""
    assert experiment_kwargs(Variant.parse(variant), 768) == expected


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (checkpoint(), "local/runs-final"),
        (checkpoint("a label: with / signs"), "local/a-label-with-signs"),
        (checkpoint("///"), "local/model"),
        (checkpoint(source="google/embeddinggemma-300m", revision="0" * 40), "google/embeddinggemma-300m"),
        (checkpoint(source="mteb:org/name@r1", revision="r1"), "org/name"),
        (checkpoint(source="runs/final"), "local/runs-final"),
    ],
)
def test_names_have_an_organisation(entry, name):
    """Hub models keep their names; a folder that looks like a hub id has no revision and is local."""
    assert model_name(entry) == name


def test_files_lie_where_mteb_puts_them(tmp_path, evaluated):
    """The revision is the content's fingerprint; each variant but the full one is an experiment."""
    run = run_like(tmp_path / "run", evaluated.plain, VARIANTS)
    written = write_mteb_results(run, tmp_path / "cache")
    assert len(written) == len(TASKS) * len(VARIANTS)
    found = {str(path.parent.relative_to(tmp_path / "cache")) for path in written}
    assert found == {
        HOME,
        f"{HOME}/experiments/embed_dim_16",
        f"{HOME}/experiments/output_dtypes_int8",
        f"{HOME}/experiments/embed_dim_16__output_dtypes_int8",
        f"{HOME}/experiments/embed_dim_16__output_dtypes_binary__scoring_rescore4_int8",
        f"{HOME}/experiments/embed_dim_16__output_dtypes_int8__projection_pca__scoring_asymmetric",
    }
    assert all(path.is_file() for path in written)


def test_scores_are_those_mteb_wrote(tmp_path, evaluated):
    """Every metric, name, nesting, split, subset and language as in mteb's own file."""
    run = run_like(tmp_path / "run", evaluated.plain, ("32/float32",))
    for path in write_mteb_results(run, tmp_path / "cache"):
        ours = json.loads(path.read_text())
        theirs = json.loads(next(evaluated.folder.glob(f"results/*/*/{path.name}")).read_text())
        for key in ("scores", "dataset_revision", "task_name", "mteb_version"):
            assert ours[key] == theirs[key]


def test_mteb_reads_what_was_written(tmp_path, evaluated):
    """`ResultCache.load_results` finds the plain model, and each experiment by its settings."""
    run = run_like(tmp_path / "run", evaluated.plain, VARIANTS)
    write_mteb_results(run, tmp_path / "cache")
    cache = mteb.ResultCache(tmp_path / "cache")
    for kwargs, expected in [
        ({}, "no_experiments"),
        ({"embed_dim": 16, "output_dtypes": "int8"}, "match_kwargs"),
    ]:
        options = {"experiment_kwargs": kwargs} if kwargs else {}
        results = cache.load_results(models=["local/runs-final"], load_experiments=expected, **options)
        (model,) = results.model_results
        assert (model.model_name, model.model_revision) == ("local/runs-final", FINGERPRINT)
        assert {each.task_name for each in model.task_results} == set(TASKS)
        for each in model.task_results:
            assert each.get_score() == pytest.approx(evaluated.plain[each.task_name].get_score(), abs=1e-6)
    everything = cache.load_results(load_experiments="match_name")
    assert sum(len(each.task_results) for each in everything.model_results) == len(TASKS) * len(VARIANTS)


def test_two_checkpoints_of_one_name_do_not_share_a_file(tmp_path, evaluated):
    """Folders of the same name differ in content, hence in revision."""
    for number, fingerprint in enumerate(("11" * 32, "22" * 32)):
        entry = checkpoint(fingerprint=fingerprint)
        run = run_like(tmp_path / str(number), evaluated.plain, ("32/float32",), model=entry)
        write_mteb_results(run, tmp_path / "cache")
    revisions = {each.name for each in (tmp_path / "cache/results/local__runs-final").iterdir()}
    assert revisions == {"11" * 32, "22" * 32}


def test_writing_again_changes_nothing(tmp_path, evaluated):
    """The same run written twice leaves the same scores and one line of settings a task."""
    run = run_like(tmp_path / "run", evaluated.plain, ("32/float32",))
    first = [json.loads(path.read_text()) for path in write_mteb_results(run, tmp_path / "cache")]
    again = write_mteb_results(run, tmp_path / "cache")
    assert [json.loads(path.read_text()) for path in again] == first
    assert len((again[0].parent / "run_settings.jsonl").read_text().splitlines()) == len(TASKS)


def test_other_subsets_stay(tmp_path, evaluated):
    """A later run on one language adds to what an earlier run wrote for another."""
    name = "MockMultilingualSTSTask"
    whole = evaluated.plain[name]
    for subset in ("eng", "fra"):
        scores = {"test": [entry for entry in whole.scores["test"] if entry["hf_subset"] == subset]}
        result = whole.model_copy(update={"scores": scores})
        run = run_like(tmp_path / subset, {name: result}, ("32/float32",))
        (path,) = write_mteb_results(run, tmp_path / "cache")
    assert sorted(e["hf_subset"] for e in json.loads(path.read_text())["scores"]["test"]) == ["eng", "fra"]


def test_what_mteb_has_no_place_for_is_said(tmp_path, evaluated):
    """Own tasks and failed cells are left out, and listed: tasks that lack the same cells together."""
    run = run_like(tmp_path / "run", evaluated.plain, ("32/float32",))
    own, failed = left_out(run)
    assert own.startswith("mine: a task of evalsuite's own")
    assert failed.startswith(f"runs/final on {next(iter(evaluated.plain))}, ")
    assert failed.endswith(", at 8/binary: failed, nothing to write")
    lost = tuple(cell for cell in run.record.cells if cell.variant == "8/binary")
    _, failed = left_out(Run(run.record.model_copy(update={"cells": lost}), run.folder))
    assert failed == f"runs/final on {', '.join(evaluated.plain)}, at every variant: failed, nothing to write"


def test_the_data_of_a_result_is_known(tmp_path, evaluated):
    """The revision of the hub's data set, or the content of a folder: two folders are two data sets."""
    result = evaluated.plain["MockRetrievalTask"]
    full = mteb.get_task("SciFact").metadata.revision
    for number, (source, fingerprint, expected) in enumerate(
        [
            (f"mteb 2.26.24: mteb/scifact@{full}", "ab" * 32, full),
            ("mteb 2.26.24: /some/where@odd/folder", "ab" * 32, "local-abababababab"),
            ("mteb 2.26.24: /some/where@odd/folder", "cd" * 32, "local-cdcdcdcdcdcd"),
        ]
    ):
        run = run_like(tmp_path / f"run {number}", {"SciFact": result}, ("32/float32",))
        changes = {"source": source, "name": "SciFact", "fingerprint": fingerprint}
        task = run.record.tasks[1].model_copy(update=changes)
        record = run.record.model_copy(update={"tasks": (run.record.tasks[0], task)})
        (path,) = write_mteb_results(Run(record, run.folder), tmp_path / "cache" / str(number))
        assert json.loads(path.read_text())["dataset_revision"] == expected


def test_a_source_that_is_not_mtebs_is_an_error(tmp_path, evaluated):
    """Such a record was not made by evalsuite."""
    run = run_like(tmp_path / "run", evaluated.plain, ("32/float32",))
    task = run.record.tasks[1].model_copy(update={"source": "thin air"})
    record = run.record.model_copy(update={"tasks": (task,)})
    with pytest.raises(UsageError, match="'thin air' names no MTEB data"):
        write_mteb_results(Run(record, run.folder), tmp_path / "cache")


def test_a_run_without_official_metrics_is_an_error(tmp_path, evaluated):
    """The table is named; nothing is made up from rounded means."""
    run = run_like(tmp_path / "run", evaluated.plain, ("32/float32",))
    record = run.record.model_copy(update={"official": ()})
    with pytest.raises(RunFileError, match="no official metrics of runs/final on Mock"):
        write_mteb_results(Run(record, run.folder), tmp_path / "cache")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path, evaluated):
    """A file where the folder should be."""
    run = run_like(tmp_path / "run", evaluated.plain, ("32/float32",))
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StorageError, match="cache"):
        write_mteb_results(run, tmp_path / "cache")
