"""MTEB tasks on both roads: mteb's numbers, from one encode, every cell accounted for."""

import math
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from mteb.mocks import MOCK_TASK_REGISTRY
from scipy.stats import spearmanr
from tqdm.auto import tqdm

import evalsuite
from evalsuite.api import evaluation
from evalsuite.core.errors import TaskDataError
from evalsuite.models.fake import FakeEncoder
from evalsuite.sweep.replay.outcome import flatten
from evalsuite.tasks.mteb import MtebOptions, MtebTask
from evalsuite.tasks.mteb import task as mteb_task
from tests.sweep.mteb_tasks import checkpoint_of, every_mock, mock, mteb_scores

pytestmark = pytest.mark.filterwarnings("ignore")  # of mteb's own libraries, when mteb runs alone

DIMS, PRECISIONS = [64, 32, 16, 8], ["float32", "int8", "binary"]
NATIVE = {
    "MockRetrievalTask", "MockMultilingualRetrievalTask", "MockRetrievalDialogTask", "MockSTSTask",
    "MockMultilingualSTSTask",
}  # fmt: skip


def run_tasks(monkeypatch, tasks, folder, encoder, **options):
    """Evaluate tasks of mteb that no name stands for."""
    monkeypatch.setattr(evaluation, "load_tasks", lambda *_: tasks)
    options = {"dims": DIMS, "precisions": PRECISIONS, "cache_dir": folder / "cache", **options}
    return evalsuite.evaluate(checkpoint_of(encoder), "mocks", out=folder / "run", **options)


class Remembering(FakeEncoder):
    """Keeps every text it was given."""

    def __init__(self, dim):
        super().__init__(dim)
        self.seen = []

    def encode(self, texts, prompt):
        self.seen += [prompt + text for text in texts]
        return super().encode(texts, prompt)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Every text task of mteb.mocks at the whole grid through mteb's evaluator, and the encoder that ran."""
    folder, encoder = tmp_path_factory.mktemp("grid"), Remembering(64)
    with pytest.MonkeyPatch.context() as patch:
        tasks = every_mock()
        return run_tasks(patch, tasks, folder, encoder, mteb=MtebOptions(road="mteb")), encoder, folder


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """The tasks that have a native road, on it."""
    folder = tmp_path_factory.mktemp("native")
    with pytest.MonkeyPatch.context() as patch:
        tasks = [MtebTask(mock(name)) for name in sorted(NATIVE)]
        return run_tasks(patch, tasks, folder, FakeEncoder(64))


def official(run, task, variant):
    """(split, subset) to mteb's names and values."""
    table = run.official("fake", task)
    found = defaultdict(dict)
    for row in table[table["variant"] == variant].itertuples():
        found[row.split, row.subset][row.metric] = row.value
    return found


def assert_equals_mteb(run, task):
    """Every number that mteb reports is there, to 1e-6."""
    ours, theirs = official(run, task, "64/float32"), mteb_scores(mock(task))
    assert set(ours) == set(theirs)
    for part, entry in theirs.items():
        expected = flatten(entry)
        assert set(expected) == set(ours[part])
        for name, value in expected.items():
            assert ours[part][name] == pytest.approx(value, abs=1e-6, nan_ok=True), (part, name)


@pytest.mark.parametrize("task", MOCK_TASK_REGISTRY)
def test_replayed_vectors_give_the_numbers_of_mteb(grid, task):
    """Full width float32 through mteb's evaluator equals mteb on the same model, on every metric."""
    assert_equals_mteb(grid[0], task)
    assert grid[0].task(task).road == "mteb"


@pytest.mark.parametrize("task", sorted(NATIVE))
def test_native_road_gives_the_numbers_of_mteb(native, task):
    """Full width float32 by our own search and correlations equals mteb, on every metric."""
    assert_equals_mteb(native, task)
    assert native.task(task).road == "native"


@pytest.mark.parametrize("task", sorted(NATIVE))
def test_both_roads_agree_at_every_variant(grid, native, task):
    """Retrieval and STS give the same main score on both roads at every dim and precision."""
    frames = [
        run.to_frame().query(f"task == {task!r} and main").set_index("variant") for run in (grid[0], native)
    ]
    np.testing.assert_allclose(frames[0]["value"], frames[1]["value"], atol=1e-6)


def test_every_text_is_encoded_once_for_the_whole_grid(grid):
    """Over all tasks and variants the encoder saw each distinct text once, and no other text."""
    run, encoder, _ = grid
    assert len(encoder.seen) == len(set(encoder.seen)) == encoder.texts_encoded
    (encoding,) = run.record.provenance.encodings
    assert encoding.encoded == encoder.texts_encoded


def test_every_cell_is_scored_or_says_why(grid):
    """All tasks x 12 variants are there; only correlations of two equal similarities cannot be."""
    run = grid[0]
    assert len(run.record.cells) == len(MOCK_TASK_REGISTRY) * len(DIMS) * len(PRECISIONS)
    for cell in run.failures:
        assert "is not a number" in cell.outcome.reason
        assert cell.task.endswith(("STSTask", "SummarizationTask"))


def test_task_score_is_the_mean_over_parts(grid, native):
    """The main metric of a task with several subsets is the mean of mteb's main scores."""
    for run in (grid[0], native):
        for task in {entry.name for entry in run.record.tasks if len(entry.parts) > 1}:
            main = (
                run.to_frame().query(f"task == {task!r} and variant == '64/float32' and main")["value"].item()
            )
            parts = [part["main_score"] for part in official(run, task, "64/float32").values()]
            assert main == pytest.approx(np.mean(parts), abs=1e-5)


def test_kept_values_make_the_means(grid, native):
    """Where a metric has an interval and values of its name, it is the mean over parts of their means."""
    checked = 0
    for run in (grid[0], native):
        tables = {file.task: run.per_query_table("fake", file.task) for file in run.record.per_query}
        for cell in run.record.cells:
            if cell.outcome.status == "failed" or not cell.variant.startswith("64/"):
                continue
            table = tables[cell.task].query(f"variant == {cell.variant!r}")
            assert table["id"].is_unique
            for name in set(cell.outcome.metrics) & set(table.columns):
                value = cell.outcome.metrics[name]
                if value.lower is None:
                    continue
                means = table.groupby("part")[name].mean()
                assert value.value == pytest.approx(means.mean(), abs=1e-9)
                assert value.lower - 1e-9 <= value.value <= value.upper + 1e-9
                checked += 1
    assert checked > 500


def test_values_of_each_kind_of_task_are_kept(grid):
    """Pairs keep similarity and label or score, sentences whether they were matched, and so on."""
    run = grid[0]
    columns = {
        "MockSTSTask": {"cosine", "gold"},
        "MockPairClassificationTask": {"similarity", "label"},
        "MockBitextMiningTask": {"accuracy"},
        "MockMultilingualParallelBitextMiningTask": {"accuracy"},
        "MockClassificationTask": {"accuracy", "f1"},
        "MockRegressionTask": {"kendalltau"},
        "MockMultilabelClassification": {"lrap"},
        "MockClusteringTask": {"v_measure"},
        "LegacyMockClusteringFastTask": {"v_measure", "ami"},
        "MockSummarizationTask": {"cosine_spearman"},
        "MockTextZeroShotClassification": {"accuracy"},
        "MockRerankingTask": {"ndcg@10", "mrr@10"},
        "MockInstructionReranking": {"ndcg@10"},
    }
    for task, names in columns.items():
        table = run.per_query_table("fake", task)
        assert names <= set(table.columns), task
        assert set(table["variant"]) <= {cell.variant for cell in run.record.cells}
    pairs = run.per_query("MockPairClassificationTask", "64/float32", "similarity")
    assert pairs.between(-1.001, 1.001).all()
    assert all(identity.startswith("test/default:") for identity in pairs.index)


def test_a_second_run_encodes_nothing(grid, monkeypatch):
    """Vectors in the store serve another run of the same tasks, and give the same numbers."""
    run, _, folder = grid
    encoder = FakeEncoder(64)
    tasks = [MtebTask(mock(name)) for name in ("MockClassificationTask", "MockMultilabelClassification")]
    options = {"dims": [32], "precisions": ["int8"], "cache_dir": folder / "cache"}
    again = run_tasks(monkeypatch, tasks, folder / "again", encoder, **options)
    assert encoder.calls == 0
    assert again.record.provenance.device == "none"
    for task in tasks:
        (value,) = again.to_frame().query(f"task == {task.name!r} and main")["value"]
        earlier = run.to_frame().query(f"task == {task.name!r} and main and variant == '32/int8'")["value"]
        assert value == earlier.item()


def test_a_task_that_raises_fails_alone(monkeypatch, tmp_path):
    """What mteb raises is the reason of that task's cells; the other task and every cell are there."""

    def broken(*args, **options):
        message = "labels are missing"
        raise ValueError(message)

    bad = mock("MockClassificationTask")
    bad._run_experiment = broken
    tasks = [MtebTask(bad), MtebTask(mock("MockSTSTask"))]
    run = run_tasks(monkeypatch, tasks, tmp_path, FakeEncoder(64), precisions=["float32"])
    assert {cell.task for cell in run.failures} == {"MockClassificationTask"}
    assert len(run.failures) == len(DIMS)
    reason = run.failures[0].outcome.reason
    assert "ValueError: labels are missing" in reason
    assert "leave the task out" in reason


def test_evaluators_draw_no_bars(monkeypatch, tmp_path, capfd):
    """Some of mteb's evaluators have no switch for their bar and would draw it at every variant."""
    tasks = [MtebTask(mock(name)) for name in ("MockSummarizationTask", "MockBitextMiningTask")]
    run_tasks(monkeypatch, tasks, tmp_path, FakeEncoder(64), dims=[64])
    captured = capfd.readouterr()
    assert "it/s" not in captured.out + captured.err
    for _ in tqdm(range(2), desc="drawn again"):
        pass
    assert "drawn again" in capfd.readouterr().err


def test_data_that_cannot_be_had_fails_its_task_alone(monkeypatch, tmp_path):
    """A missing data set is the reason of its cells, and the run goes on; nothing was encoded for it."""
    missing = MtebTask(mock("MockRetrievalTask"))

    def absent():
        raise TaskDataError(missing.name, ["the data set is not here; download it"])

    missing.load = absent
    run = run_tasks(monkeypatch, [missing, MtebTask(mock("MockSTSTask"))], tmp_path, FakeEncoder(64))
    failed = [cell for cell in run.failures if cell.task == missing.name]
    assert len(failed) == len(DIMS) * len(PRECISIONS)
    assert all("download it" in cell.outcome.reason for cell in failed)
    assert run.task(missing.name).fingerprint == ""
    assert run.task("MockSTSTask").fingerprint
    assert evalsuite.load_run(run.folder).record == run.record


def test_rankings_take_every_scoring_and_other_tasks_say_no(monkeypatch, tmp_path):
    """Rankings are scored asymmetrically, rescored and by protocol; classification says why it is not."""
    levels = ["float32", "int8+asymmetric", "binary+rescore4", "binary+rescore4:int8", "int8+mteb"]
    names = ["MockRetrievalTask", "MockRerankingTask", "MockClassificationTask"]
    options = {"precisions": levels, "dims": [64], "mteb": MtebOptions(road="mteb")}
    tasks = [MtebTask(mock(name)) for name in names]
    run = run_tasks(monkeypatch, tasks, tmp_path, FakeEncoder(64), **options)
    frame = run.to_frame().query("main").set_index(["task", "precision"])
    for name in names[:2]:
        assert frame.loc[name, "reason"].dropna().tolist() == []
        assert frame.loc[(name, "binary+rescore4"), "value"] == frame.loc[(name, "float32"), "value"]
    failed = frame.loc["MockClassificationTask"].query("status == 'failed'")
    assert set(failed.index) == set(levels[1:])
    assert failed["reason"].str.contains("needs a ranking; Classification has none").all()


def left_out_task(ignore, skip):
    """A mock retrieval task whose documents share ids with its queries."""
    task = mock("MockRetrievalTask")
    task.ignore_identical_ids, task.skip_first_result = ignore, skip
    original = task.load_data

    def load(*args, **options):
        original(*args, **options)
        for subset in task.dataset.values():
            for split in subset.values():
                rename = dict(zip(split["corpus"]["id"], split["queries"]["id"], strict=False))
                split["corpus"] = split["corpus"].map(lambda row: {"id": rename.get(row["id"], row["id"])})  # noqa: B023
                split["relevant_docs"] = {
                    query: {rename.get(document, document): grade for document, grade in grades.items()}
                    for query, grades in split["relevant_docs"].items()
                }

    task.load_data = load
    return task


@pytest.mark.parametrize(("ignore", "skip"), [(True, False), (False, True), (True, True)])
def test_left_out_documents_are_those_of_mteb(monkeypatch, tmp_path, ignore, skip):
    """`ignore_identical_ids` and `skip_first_result` change the native road's metrics exactly as mteb's."""
    theirs = left_out_task(ignore, skip)
    theirs.load_data()
    expected = mteb_scores(theirs)
    monkeypatch.setattr(mteb_task, "load_abstask", lambda *_: theirs)
    ours = MtebTask(mock("MockRetrievalTask"))
    run = run_tasks(monkeypatch, [ours], tmp_path, FakeEncoder(64), dims=[64], precisions=["float32"])
    assert run.task(ours.name).road == "native"
    for part, values in official(run, ours.name, "64/float32").items():
        for name, value in flatten(expected[part]).items():
            assert values[name] == pytest.approx(value, abs=1e-6, nan_ok=True), name


def test_correlations_of_pairs_are_those_of_the_kept_values(native):
    """Spearman of the record equals scipy's on the kept cosines and scores."""
    cosine = native.per_query("MockSTSTask", "64/int8", "cosine_spearman")
    gold = native.per_query("MockSTSTask", "64/int8", "gold")
    row = native.to_frame().query("task == 'MockSTSTask' and variant == '64/int8' and main")
    assert row["value"].item() == pytest.approx(spearmanr(cosine, gold).statistic)
    assert isinstance(cosine, pd.Series)
    assert not math.isnan(row["bytes_per_vector"].item())
