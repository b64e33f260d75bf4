"""Spread in the sweep: on by default, every side of every kind of task, in the record and as a frame."""

import json

import numpy as np
import pytest

import evalsuite
from evalsuite.api import evaluation
from evalsuite.core.progress import Silent
from evalsuite.core.record import RunRecord
from evalsuite.core.run import SPREAD_COLUMNS
from evalsuite.core.spread import CROSS_STATISTICS, SIDE_STATISTICS
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.gate.accept import accept
from evalsuite.gate.baseline import load_baseline
from evalsuite.gate.judge import judge
from evalsuite.gate.policy_file import parse_policy
from evalsuite.models.fake import FakeEncoder
from evalsuite.sweep import sides as task_sides
from evalsuite.sweep.sides import TaskSides
from evalsuite.sweep.spread import measure_spread
from evalsuite.tasks.mteb import MtebOptions, MtebTask
from tests.conftest import write_sts
from tests.sweep.mteb_tasks import checkpoint_of, mock

SIDES = ("document", "query", "query-document")


def spread_of(run, task):
    """The entries of one task by side and dimension."""
    return {(entry.side, entry.dim): entry for entry in run.record.spread if entry.task == task}


def numbers(entries):
    """Every value by side, dimension and statistic."""
    return {
        (*key, name): value.value for key, entry in entries.items() for name, value in entry.values.items()
    }


def evaluate(folder, tasks, encoder=None, **options):
    """Evaluate a fake encoder at two dimensions."""
    options = {"dims": [64, 16], "precisions": ["float32"], "cache_dir": folder / "cache", **options}
    return evalsuite.evaluate(checkpoint_of(encoder or FakeEncoder(64)), tasks, out=folder / "run", **options)


def unit(vectors):
    """Scale rows to length 1, in float64."""
    vectors = vectors.astype(np.float64)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def texts_of(folder, name):
    """Ids and texts of one side of a BEIR folder."""
    rows = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
    return {row["_id"]: row["text"] for row in rows}


def test_every_run_measures_every_side_at_every_dimension(finished_run):
    """Retrieval has three sides, STS one; every statistic is measured or missing with a reason."""
    harbour, pairs = spread_of(finished_run, "harbour"), spread_of(finished_run, "pairs")
    assert list(harbour) == [(side, dim) for dim in (64, 16) for side in SIDES]
    assert list(pairs) == [("document", 64), ("document", 16)]
    for (side, _), entry in [*harbour.items(), *pairs.items()]:
        known = CROSS_STATISTICS if side == "query-document" else SIDE_STATISTICS
        assert {*entry.values, *entry.missing} == set(known)
        assert entry.checkpoint == "fake"
    assert finished_run.record.provenance.seconds["spread"] > 0


def test_moments_are_those_of_the_encoded_texts(finished_run, small_tasks):
    """M1 and M2 equal brute force over all pairs of documents, at the renormalised prefix."""
    documents = list(texts_of(small_tasks[0], "corpus").values())
    rows = unit(FakeEncoder(64).encode(documents, "")[:, :16])
    cosines = (rows @ rows.T)[~np.eye(len(rows), dtype=bool)]
    entry = spread_of(finished_run, "harbour")["document", 16]
    assert entry.n == 60
    assert entry.values["mean_cosine"].value == pytest.approx(cosines.mean(), abs=1e-6)
    assert entry.values["second_moment"].value == pytest.approx((cosines**2).mean(), rel=1e-5)


def test_alignment_is_that_of_the_judged_pairs(finished_run, small_tasks):
    """The mean squared distance of queries to their relevant documents, by hand."""
    corpus, queries = (texts_of(small_tasks[0], name) for name in ("corpus", "queries"))
    lines = (small_tasks[0] / "qrels" / "test.tsv").read_text().splitlines()[1:]
    judged = [line.split("\t")[:2] for line in lines]
    encoder = FakeEncoder(64)
    left = unit(encoder.encode([queries[query] for query, _ in judged], ""))
    right = unit(encoder.encode([corpus[document] for _, document in judged], ""))
    value = spread_of(finished_run, "harbour")["query-document", 64].values["alignment"].value
    assert value == pytest.approx(((left - right) ** 2).sum(axis=1).mean(), abs=1e-6)


def test_a_text_that_occurs_often_counts_once(tmp_path):
    """Pairs that share a sentence: the side has as many vectors as there are different sentences."""
    rows = [("the tide", f"a rope {number}", number % 5) for number in range(20)]
    run = evaluate(tmp_path, [write_sts(tmp_path / "pairs.tsv", rows)])
    assert {entry.n for entry in run.record.spread} == {21}
    assert spread_of(run, "pairs")["document", 64].values["duplicate_share"].value == 0


def test_it_can_be_switched_off(tmp_path, small_tasks):
    """Without spread nothing is measured, and the record says that this was asked for."""
    run = evaluate(tmp_path, small_tasks, spread=False)
    assert run.record.spread == ()
    assert not run.record.asked.spread
    assert "spread=False" in run.record.provenance.command
    assert run.spread_frame().empty


def test_values_do_not_depend_on_what_the_store_held_before(tmp_path, finished_run, small_tasks):
    """The tasks in another order, so that vectors lie elsewhere in the store: the same entries."""
    run = evaluate(tmp_path, small_tasks[::-1])
    for task in ("harbour", "pairs"):
        assert spread_of(run, task) == spread_of(finished_run, task)


def stored(tmp_path, vectors):
    """Vectors on disk."""
    np.save(tmp_path / "shard.npy", vectors)
    places = np.stack([np.zeros(len(vectors), dtype=np.int64), np.arange(len(vectors))], axis=1)
    return StoredVectors([tmp_path / "shard.npy"], places, vectors.shape[1])


def test_documents_are_read_block_by_block(tmp_path, monkeypatch):
    """No more than a block is in memory at once, and blocks of 32 give the numbers of one of all."""
    vectors = np.random.default_rng(0).standard_normal((432, 24), dtype=np.float32)
    documents, none = stored(tmp_path, vectors), np.zeros((0, 2), dtype=np.int64)
    sides = TaskSides(documents, None, none)
    whole = measure_spread(sides, [24, 8], 0, Silent())
    monkeypatch.setattr(task_sides, "BLOCK", 32)
    monkeypatch.setattr(StoredVectors, "all", None)
    assert [len(block) for block in sides.blocks(Silent())] == [32] * 13 + [16]
    for one, other in zip(whole, measure_spread(sides, [24, 8], 0, Silent()), strict=True):
        for name, value in one.values.items():
            assert other.values[name].value == pytest.approx(value.value, rel=1e-4, abs=1e-5), name


def test_curves_are_short(finished_run):
    """A curve has at most 64 points of four digits: the record stays small."""
    for entry in finished_run.record.spread:
        for curve in (entry.cosines, entry.spectrum):
            if curve is not None:
                assert len(curve.x) == len(curve.y) == len(curve.ideal) <= 64
                assert all(value == float(f"{value:.4g}") for value in (*curve.x, *curve.y, *curve.ideal))


@pytest.fixture(scope="module")
def on_roads(tmp_path_factory):
    """Three tasks of mteb, on the native road and on mteb's."""
    runs = {}
    for road in ("native", "mteb"):
        tasks = [
            MtebTask(mock(name))
            for name in ("MockMultilingualRetrievalTask", "MockSTSTask", "MockClassificationTask")
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluation, "load_tasks", lambda *_, tasks=tasks: tasks)
            folder = tmp_path_factory.mktemp(road)
            runs[road] = evaluate(folder, "mocks", mteb=MtebOptions(road=road))
    return runs


@pytest.mark.filterwarnings("ignore")  # of mteb's own libraries
@pytest.mark.parametrize("task", ["MockMultilingualRetrievalTask", "MockSTSTask"])
def test_both_roads_of_mteb_see_the_same_texts(on_roads, task):
    """Parts pooled on the native road, texts by role on mteb's: equal moments of every side."""
    native, replayed = (spread_of(on_roads[road], task) for road in ("native", "mteb"))
    assert set(native) == set(replayed)
    for key in native:
        assert native[key].n == replayed[key].n
        for name in ("mean_cosine", "second_moment"):
            if name in native[key].values:
                ours, theirs = (found[key].values[name].value for found in (native, replayed))
                assert ours == pytest.approx(theirs, abs=1e-6)


def test_tasks_without_roles_pool_their_texts(on_roads):
    """Classification has one side: every text that mteb asked for."""
    assert {entry.side for entry in spread_of(on_roads["mteb"], "MockClassificationTask").values()} == {
        "document"
    }


def test_frame_has_a_row_a_statistic(finished_run):
    """The tidy frame holds every value and every missing statistic with its reason, dims as numbers."""
    frame = finished_run.spread_frame()
    assert list(frame.columns) == list(SPREAD_COLUMNS)
    entries = finished_run.record.spread
    assert len(frame) == sum(len(entry.values) + len(entry.missing) for entry in entries)
    assert frame["value"].isna().equals(frame["reason"].notna())
    row = frame.query("task == 'harbour' and side == 'query' and dim == 16 and statistic == 'mean_cosine'")
    expected = spread_of(finished_run, "harbour")["query", 16].values["mean_cosine"]
    assert (row["value"].item(), row["upper"].item()) == (expected.value, expected.upper)
    assert row["symbol"].item() == "M1"


def test_a_record_from_before_loads(finished_run):
    """Without the fields of spread and approximate search a record reads, with nothing measured."""
    content = json.loads(finished_run.record.to_json())
    for name in ("spread", "ann", "ann_missing"):
        del content[name]
    for name in ("spread", "ann"):
        del content["asked"][name]
    old = RunRecord.from_json(json.dumps(content), where="record.json")
    assert (old.spread, old.ann, old.ann_missing) == ((), (), ())
    assert old.cells == finished_run.record.cells


class Crowded(FakeEncoder):
    """The same encoder with one direction added to every vector, as long as the vector itself."""

    def encode(self, texts, prompt):
        vectors = super().encode(texts, prompt)
        vectors += np.full(self.dim, 1 / np.sqrt(self.dim), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_baseline_keeps_values_without_curves(tmp_path, finished_run):
    """An accepted run judges spread later; what only draws, and the probes, are not committed."""
    accept(finished_run, folder=tmp_path)
    kept = load_baseline(tmp_path / "main")
    for task in ("harbour", "pairs"):
        expected = numbers(spread_of(finished_run, task))
        assert numbers(spread_of(kept, task)) == pytest.approx(expected, abs=1e-6)
    assert all(entry.cosines is None and entry.spectrum is None for entry in kept.record.spread)
    assert kept.record.ann == ()


def test_the_gate_catches_a_common_mean(tmp_path, finished_run, small_tasks):
    """A rank-one mean raises M2·d at every dimension and side named by the rule; the same head passes."""
    policy = parse_policy(
        '[[spread]]\nstatistic = "M2*d"\ntask = "harbour"\nside = ["document", "query"]\nmax_rise = 0.1',
        where="gate.toml",
    )
    crowded = evaluate(tmp_path, small_tasks, Crowded(64), precisions=["float32", "int8", "binary"])
    found = [f for f in judge(finished_run, crowded, policy).findings if f.subject == "spread"]
    assert [f.status for f in found] == ["regressed"] * 4
    assert {f.effect for f in found} == {"fails"}
    same = [f for f in judge(finished_run, finished_run, policy).findings if f.subject == "spread"]
    assert [f.status for f in same] == ["passed"] * 4
