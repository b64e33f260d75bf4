"""The spine: from a checkpoint and tasks to a run on disk, with a fake encoder at the seam."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import pytrec_eval
from scipy.stats import pearsonr, spearmanr

import evalsuite
from evalsuite.core.errors import RunFileError, StorageError, TaskDataError, UsageError
from evalsuite.core.run import FRAME_COLUMNS
from evalsuite.models.fake import FakeEncoder, fake_checkpoint
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import quantizer
from tests.conftest import write_beir, write_sts

DIMS, PRECISIONS = [64, 16], ["float32", "int8", "binary"]


def evaluate(checkpoint, tasks, folder, **options):
    options = {"dims": DIMS, "precisions": PRECISIONS, "cache_dir": folder / "cache", **options}
    return evalsuite.evaluate(checkpoint, tasks, out=folder / "run", **options)


def with_encoder(encoder, **options):
    return dataclasses.replace(fake_checkpoint(64, **options), load=lambda: encoder)


def test_frame_has_one_row_a_cell_and_metric(finished_run):
    """Every task, dim, precision and metric is there, as fractions, with its interval around it."""
    frame = finished_run.to_frame()
    assert list(FRAME_COLUMNS) == list(frame.columns)
    assert {"harbour", "pairs"} == set(frame["task"])
    assert len(frame[frame["main"]]) == 2 * len(DIMS) * len(PRECISIONS)
    assert set(frame["status"]) == {"scored"}
    assert frame["value"].between(-1, 1).all()
    assert (frame["lower"] <= frame["value"] + 1e-12).all()
    assert (frame["value"] <= frame["upper"] + 1e-12).all()
    assert not frame.duplicated(["checkpoint", "task", "variant", "metric"]).any()


def test_per_query_values_make_the_means(finished_run):
    """Every retrieval number in the frame is the mean of its per-query series."""
    frame = finished_run.to_frame()
    for row in frame[frame["kind"] == "retrieval"].itertuples():
        values = finished_run.per_query(row.task, row.variant, row.metric)
        assert len(values) == row.n
        assert values.mean() == pytest.approx(row.value, abs=1e-12)


def test_headline_equals_trec_eval_on_the_same_scores(finished_run, small_tasks):
    """With ties and all, the headline at every variant equals pytrec_eval on the same float32 scores."""
    folder = small_tasks[0]
    texts = {
        name: {
            row["_id"]: row["text"]
            for row in map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
        }
        for name in ("corpus", "queries")
    }
    rows = [line.split() for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]]
    qrels = {}
    for query, document, grade in rows:
        qrels.setdefault(query, {})[document] = int(grade)
    encoder = FakeEncoder(64)
    vectors = {name: encoder.encode(list(part.values()), "") for name, part in texts.items()}
    evaluator = pytrec_eval.RelevanceEvaluator(
        qrels, {"ndcg_cut.10", "map_cut.100", "recip_rank", "recall.5"}
    )
    names = {
        "ndcg@10": "ndcg_cut_10",
        "map@100": "map_cut_100",
        "mrr@1000": "recip_rank",
        "recall@5": "recall_5",
    }
    for dim in DIMS:
        for name in PRECISIONS:
            level = quantizer(name)
            codes = {side: level.encode(unit_prefix(part, dim)) for side, part in vectors.items()}
            scores = level.scores(codes["queries"], codes["corpus"])
            run = {
                query: dict(zip(texts["corpus"], map(float, scores[i]), strict=True))
                for i, query in enumerate(texts["queries"])
            }
            theirs = evaluator.evaluate(run)
            for ours, trec in names.items():
                values = finished_run.per_query("harbour", f"{dim}/{name}", ours)
                expected = pd.Series({query: theirs[query][trec] for query in values.index})
                pd.testing.assert_series_equal(values, expected, check_names=False, atol=1e-6)


def test_sts_equals_scipy(finished_run):
    """The correlations equal scipy's on the cosines and scores that the run kept."""
    frame = finished_run.to_frame().set_index(["task", "variant", "metric"])["value"]
    for dim in DIMS:
        for name in PRECISIONS:
            cosine = finished_run.per_query("pairs", f"{dim}/{name}", "cosine_spearman")
            gold = finished_run.per_query("pairs", f"{dim}/{name}", "gold")
            key = ("pairs", f"{dim}/{name}")
            assert frame[(*key, "cosine_spearman")] == pytest.approx(spearmanr(cosine, gold)[0], abs=1e-12)
            assert frame[(*key, "cosine_pearson")] == pytest.approx(pearsonr(cosine, gold)[0], abs=1e-12)


def test_bracket_holds_the_headline(finished_run):
    """Ties lost <= headline, expected <= ties won; binary has ties where float32 has none."""
    frame = finished_run.to_frame()
    frame = frame[frame["kind"] == "retrieval"]
    tolerance = 1e-12
    for name in ("value", "expected"):
        assert (frame["ties_lost"] <= frame[name] + tolerance).all()
        assert (frame[name] <= frame["ties_won"] + tolerance).all()
    shares = frame[frame["main"]].set_index("variant")["tie_share"]
    assert shares["16/binary"] > 0.5


def test_second_run_and_other_grid_encode_nothing(tmp_path, small_tasks):
    """A repeated run, and another grid over the same texts, never call the model."""
    encoder = FakeEncoder(64)
    first = evaluate(with_encoder(encoder), small_tasks, tmp_path)
    texts, calls = encoder.texts_encoded, encoder.calls
    assert texts == first.record.provenance.encodings[0].encoded == 60 + 12
    again = evaluate(with_encoder(encoder), small_tasks, tmp_path)
    other = evaluate(with_encoder(encoder), small_tasks, tmp_path, dims=[48, 8], precisions=["float16"])
    assert calls == encoder.calls
    assert again.record.provenance.device == other.record.provenance.device == "none"
    pd.testing.assert_frame_equal(
        again.to_frame().drop(columns="seconds"), first.to_frame().drop(columns="seconds")
    )


def test_run_loads_back(finished_run):
    """What is on disk is the run: frame, per-query values and record."""
    loaded = evalsuite.load_run(finished_run.folder)
    assert loaded.record == finished_run.record
    pd.testing.assert_frame_equal(loaded.to_frame(), finished_run.to_frame())
    assert evalsuite.load_run(finished_run.folder / "record.json").record == finished_run.record


def test_another_run_in_the_same_folder_keeps_the_earlier(tmp_path, small_tasks):
    """A different question moves the run that was there to `previous`; the same question replaces it."""
    checkpoint = fake_checkpoint(64)
    evaluate(checkpoint, small_tasks, tmp_path)
    evaluate(checkpoint, small_tasks, tmp_path)
    assert not (tmp_path / "run" / "previous").exists()
    evaluate(checkpoint, small_tasks, tmp_path, dims=[32])
    (kept,) = (tmp_path / "run" / "previous").iterdir()
    assert {64, 16} == set(evalsuite.load_run(kept).to_frame()["dim"])
    assert evalsuite.load_run(kept).per_query("harbour", "16/int8", "ndcg@10").notna().all()
    assert {32} == set(evalsuite.load_run(tmp_path / "run").to_frame()["dim"])


def test_two_checkpoints_of_one_name_stay_apart(tmp_path, small_tasks):
    """Equal labels get the first letters of their fingerprints, and each its own scores."""
    models = [fake_checkpoint(64, label="model", seed=seed) for seed in (1, 2)]
    run = evaluate(models, small_tasks, tmp_path)
    labels = [entry.label for entry in run.record.checkpoints]
    assert [f"model@{model.fingerprint[:8]}" for model in models] == labels
    main = run.to_frame().query("task == 'harbour' and variant == '16/float32' and main")
    assert main["value"].nunique() == 2
    with pytest.raises(UsageError, match="several checkpoints"):
        run.per_query("harbour", "16/float32", "ndcg@10")
    assert run.per_query("harbour", "16/float32", "ndcg@10", checkpoint=labels[1]).mean() == pytest.approx(
        main.set_index("checkpoint")["value"][labels[1]]
    )


def test_an_unusable_vector_fails_its_task_only(tmp_path, small_tasks):
    """NaN for one text: that task's cells say which text; the other task is scored."""

    class Sick(FakeEncoder):
        def encode(self, texts, prompt):
            vectors = super().encode(texts, prompt)
            vectors[["poison" in text for text in texts]] = np.nan
            return vectors

    bad = write_beir(tmp_path / "bad", {"a": "poison", "b": "fine"}, {"q": "what"}, {"q": {"b": 1}})
    run = evaluate(with_encoder(Sick(64)), [bad, small_tasks[0]], tmp_path)
    frame = run.to_frame()
    failed = frame[frame["task"] == "bad"]
    assert len(failed) == len(run.failures) == len(DIMS) * len(PRECISIONS)
    assert set(failed["status"]) == {"failed"}
    assert failed["value"].isna().all()
    assert failed["reason"].str.contains("NaN.*'poison'").all()
    assert set(frame[frame["task"] == "harbour"]["status"]) == {"scored"}
    with pytest.raises(UsageError, match="poison"):
        run.per_query("bad", "16/int8", "ndcg@10")


def test_a_correlation_that_does_not_exist_fails_its_cell(tmp_path):
    """When every pair has the same cosine the cell is failed, not 0."""

    class Constant(FakeEncoder):
        def encode(self, texts, prompt):
            return np.ones((len(texts), 64), dtype=np.float32)

    pairs = write_sts(tmp_path / "p.tsv", [("a b", "c d", 1), ("e f", "g h", 2), ("i j", "k l", 3)])
    run = evaluate(with_encoder(Constant(64)), [pairs], tmp_path)
    assert len(run.failures) == len(DIMS) * len(PRECISIONS)
    assert "does not exist" in run.failures[0].outcome.reason


def test_unknown_documents_count_as_unfound(tmp_path):
    """A judged document that is not in the corpus stays in the denominator and is warned about."""
    folder = write_beir(tmp_path / "gap", {"a": "tide", "b": "mast"}, {"q": "tide"}, {"q": {"a": 1, "zz": 1}})
    run = evaluate(fake_checkpoint(64), [folder], tmp_path)
    assert run.per_query("gap", "64/float32", "recall@10").tolist() == [0.5]
    assert any("zz" in message for message in run.record.tasks[0].warnings)


def test_bad_data_is_reported_before_anything_is_encoded(tmp_path, small_tasks):
    """A malformed task stops the call with every mistake; no model was asked."""
    encoder = FakeEncoder(64)
    folder = write_beir(tmp_path / "bad", {"a": "x"}, {"q": "y"}, {"q": {"a": 1}})
    (folder / "corpus.jsonl").write_text('{"_id": "a", "text": "x"}\n{broken\n{"_id": "a", "text": "z"}\n')
    with pytest.raises(TaskDataError, match=r"(?s)corpus\.jsonl:2.*corpus\.jsonl:3"):
        evaluate(with_encoder(encoder), [small_tasks[0], folder], tmp_path)
    assert encoder.calls == 0


def test_every_broken_task_is_named(tmp_path):
    """Two malformed tasks are both in the one message."""
    folders = [
        write_beir(tmp_path / name, {"a": "x"}, {"q": "y"}, {"q": {"a": 1}}) for name in ("one", "two")
    ]
    for folder in folders:
        (folder / "corpus.jsonl").write_text("{broken\n")
    with pytest.raises(TaskDataError, match=r"(?s)2 tasks.*one.*two"):
        evaluate(fake_checkpoint(64), folders, tmp_path)


def test_single_values_and_arrays_are_taken(tmp_path, small_tasks):
    """One dim, one precision, a numpy array of dims: read as they are meant."""
    run = evaluate(fake_checkpoint(64), small_tasks[0], tmp_path, dims=16, precisions="int8")
    assert set(run.to_frame()["variant"]) == {"16/int8"}
    run = evaluate(fake_checkpoint(64), small_tasks[0], tmp_path, dims=np.array([16, 8]), precisions=["int8"])
    assert set(run.to_frame()["variant"]) == {"16/int8", "8/int8"}


def test_what_is_not_ours_stays(tmp_path, small_tasks):
    """Files of somebody else in the run's folder are left; a folder named like ours is moved, not deleted."""
    (tmp_path / "run" / "per_query").mkdir(parents=True)
    (tmp_path / "run" / "per_query" / "notes.txt").write_text("mine")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    evaluate(fake_checkpoint(64), small_tasks, tmp_path)
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    assert [file.read_text() for file in (tmp_path / "run" / "previous").rglob("notes.txt")] == ["mine"]


def test_the_earlier_run_survives_a_failed_write(tmp_path, small_tasks, monkeypatch):
    """If the record cannot be written at the end, the earlier run is still there, aside."""
    from evalsuite.sweep import writer

    first = evaluate(fake_checkpoint(64), small_tasks, tmp_path)

    def full(path, text):
        message = "no space left"
        raise StorageError(message)

    monkeypatch.setattr(writer, "write_text", full)
    with pytest.raises(StorageError):
        evaluate(fake_checkpoint(64), small_tasks, tmp_path)
    (aside,) = (tmp_path / "run" / "previous").iterdir()
    assert evalsuite.load_run(aside).record == first.record


def test_two_runs_into_one_folder_are_told(tmp_path, small_tasks):
    """While one run writes to a folder, a second is refused with a clear message."""
    from evalsuite.sweep.writer import RunWriter

    with RunWriter(tmp_path / "run"), pytest.raises(StorageError, match="another run is writing here"):
        evaluate(fake_checkpoint(64), small_tasks, tmp_path)


def test_an_old_report_does_not_stay_beside_a_new_run(tmp_path, small_tasks):
    """A report moves aside with the run it was made of."""
    run = evaluate(fake_checkpoint(64), small_tasks, tmp_path)
    evalsuite.report(run)
    evaluate(fake_checkpoint(64), small_tasks, tmp_path, dims=[32])
    assert not (tmp_path / "run" / "report.html").exists()
    assert list((tmp_path / "run" / "previous").rglob("report.html"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": [128]}, "128 is larger than fake's 64"),
        ({"precisions": ["int9"]}, "known precisions: float32"),
        ({"tasks": ["no-such-task"]}, "no-such-task"),
        ({"tasks": []}, "no task given"),
        ({"precisions": []}, "precision"),
        ({"dims": []}, "dim"),
        ({"seed": -1}, "seed is -1; give a whole number from 0"),
    ],
)
def test_wrong_words_are_usage_errors(tmp_path, small_tasks, options, message):
    """Each impossible option is one message that names the value and what would work."""
    tasks = options.pop("tasks", small_tasks)
    with pytest.raises(UsageError, match=message):
        evaluate(fake_checkpoint(64), tasks, tmp_path, **options)


def test_unwritable_out_is_a_storage_error(tmp_path, small_tasks):
    """A folder that cannot be made is named before anything is encoded."""
    (tmp_path / "run").write_text("a file in the way")
    encoder = FakeEncoder(64)
    with pytest.raises(StorageError, match="run"):
        evaluate(with_encoder(encoder), small_tasks, tmp_path)
    assert encoder.calls == 0


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 99}', '{"schema_version": 1}', "[1]"])
def test_a_damaged_record_is_named(tmp_path, content):
    """A record that cannot be read is one message with the file's name."""
    (tmp_path / "record.json").write_text(content)
    with pytest.raises(RunFileError, match=r"record\.json"):
        evalsuite.load_run(tmp_path)


def test_missing_run_is_named(tmp_path):
    """A folder without a record is one message."""
    with pytest.raises(RunFileError, match="give the folder a run was written to"):
        evalsuite.load_run(tmp_path / "nowhere")


def test_questions_a_run_cannot_answer_list_what_it_has(finished_run):
    """Unknown task, variant, metric: each error lists the names that would work."""
    with pytest.raises(UsageError, match="harbour, pairs"):
        finished_run.per_query("x", "16/int8", "ndcg@10")
    with pytest.raises(UsageError, match="16/binary"):
        finished_run.per_query("harbour", "32/int8", "ndcg@10")
    with pytest.raises(UsageError, match="ndcg@10"):
        finished_run.per_query("harbour", "16/int8", "ndcg@7")


def test_provenance_is_complete(finished_run):
    """The record says with what, where, when and how long."""
    provenance = finished_run.record.provenance
    assert {"evalsuite", "python", "torch", "sentence-transformers"} <= set(provenance.versions)
    assert {"load", "encode", "score", "spread", "ann", "total"} == set(provenance.seconds)
    assert "document id descending" in provenance.tie_rule
    assert finished_run.record.checkpoints[0].fingerprint == fake_checkpoint(64).fingerprint
    assert finished_run.record.tasks[0].counts == {"documents": 60, "queries": 12, "judgements": 24}
