"""The whole grid from one encode: every level, scoring, control and protocol."""

import dataclasses

import numpy as np
import pytest

import evalsuite
from evalsuite.core.errors import UsageError
from evalsuite.core.variant import Variant
from evalsuite.models.fake import FakeEncoder, fake_checkpoint
from evalsuite.sweep import scan as scanning
from evalsuite.sweep import search as searching
from evalsuite.vectors.quantizers import known_precisions
from tests.conftest import write_beir

WORDS = [f"w{i}" for i in range(120)]


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """A corpus large enough to train small codebooks on: 600 documents, 20 queries."""
    rng = np.random.default_rng(3)
    documents = {f"d{i:03d}": " ".join(rng.choice(WORDS, 12)) for i in range(600)}
    queries = {f"q{i:02d}": " ".join(documents[f"d{i * 30:03d}"].split()[:6]) for i in range(20)}
    qrels = {f"q{i:02d}": {f"d{i * 30:03d}": 2, f"d{(i * 30 + 1) % 600:03d}": 1} for i in range(20)}
    return write_beir(tmp_path_factory.mktemp("grid") / "grid", documents, queries, qrels)


def evaluate(task, folder, precisions, **options):
    options = {"dims": [64, 32], "cache_dir": folder / "cache", **options}
    return evalsuite.evaluate(fake_checkpoint(64), task, precisions=precisions, out=folder / "run", **options)


def main_values(run):
    frame = run.to_frame()
    return frame[frame["main"]].set_index("variant")


def test_every_level_is_scored_both_ways_from_one_encode(task, tmp_path):
    """All known levels, symmetric and asymmetric, at two dims: one encode of every text, no failed cell."""
    encoder = FakeEncoder(64)
    checkpoint = dataclasses.replace(fake_checkpoint(64), load=lambda: encoder)
    levels = [name + mode for name in known_precisions() for mode in ("", "+asymmetric")]
    run = evalsuite.evaluate(
        checkpoint, task, dims=[64, 32], precisions=levels, out=tmp_path / "run", cache_dir=tmp_path / "c"
    )
    assert [cell.outcome.reason for cell in run.failures] == []
    assert encoder.texts_encoded == 620
    frame = main_values(run)
    assert len(frame) == 2 * len(levels)
    assert (frame["bytes_per_vector"] <= 4 * frame["dim"]).all()
    for name in ("float16", "bfloat16", "int8", "int8_affine", "sq8"):
        assert frame.loc[f"64/{name}", "value"] == pytest.approx(frame.loc["64/float32", "value"], abs=0.03)
        assert frame.loc[f"64/{name}", "overlap_10"] > 0.9


def test_fidelity_of_float32_is_perfect(task, tmp_path):
    """float32 agrees with itself entirely; coarser codes agree less."""
    frame = main_values(evaluate(task, tmp_path, ["float32", "int8", "binary"]))
    full = frame.loc["64/float32"]
    assert (full["overlap_10"], full["overlap_100"], full["mean_cosine"]) == (1, 1, 1)
    assert full["rank_correlation"] == pytest.approx(1)
    assert full["noise_ratio"] == pytest.approx(0, abs=1e-3)
    for measure in ("sqnr_db", "mean_cosine", "overlap_10", "overlap_100", "rank_correlation"):
        assert frame.loc["64/int8", measure] > frame.loc["64/binary", measure]
    assert frame.loc["64/int8", "noise_ratio"] < frame.loc["64/binary", "noise_ratio"]


def test_rescoring_every_document_is_the_float_ranking(task, tmp_path):
    """With as many candidates as documents, every metric of every query equals float32's exactly."""
    run = evaluate(
        task, tmp_path, ["float32", "binary", "binary+rescore60", "binary+rescore60:int8", "int8+asymmetric"]
    )
    for metric in ("ndcg@10", "map@1000", "mrr@1000", "recall@20"):
        for dim in (64, 32):
            full = run.per_query("grid", f"{dim}/float32", metric)
            rescored = run.per_query("grid", f"{dim}/binary+rescore60", metric)
            assert full.equals(rescored.rename(metric))
            copies = run.per_query("grid", f"{dim}/binary+rescore60:int8", metric)
            asymmetric = run.per_query("grid", f"{dim}/int8+asymmetric", metric)
            np.testing.assert_allclose(copies, asymmetric, atol=1e-12)


def test_rescoring_reorders_its_candidates_only(task, tmp_path):
    """Recall at the number of candidates is that of the codes; the order above it improves."""
    run = evaluate(task, tmp_path, ["binary", "binary+rescore2"])
    frame = main_values(run)
    assert run.per_query("grid", "32/binary+rescore2", "recall@20").equals(
        run.per_query("grid", "32/binary", "recall@20")
    )
    assert frame.loc["32/binary+rescore2", "value"] > frame.loc["32/binary", "value"]
    assert frame.loc["32/binary+rescore2", "bytes_per_vector"] == 4 + 4 * 32


def test_controls_are_scored_beside_the_prefix(task, tmp_path):
    """PCA and random dims are variants of their own, below the full width only."""
    run = evaluate(task, tmp_path, ["float32", "int8"], projections=["prefix", "pca", "random"])
    frame = main_values(run)
    spaces = {"64", "32", "pca32", "random32"}
    assert {f"{space}/{level}" for space in spaces for level in ("float32", "int8")} == set(frame.index)
    assert frame.loc["pca32/float32", "value"] > frame.loc["random32/float32", "value"]
    assert set(frame["projection"]) == {"prefix", "pca", "random"}


def test_protocols_are_labelled_and_differ(task, tmp_path):
    """Other tools' scoring runs beside our own under its own name."""
    levels = [
        "int8_affine",
        "int8+mteb",
        "binary+mteb",
        "int8+sbert",
        "binary+sbert",
        "int8+hakari",
        "int8+hakari_rescore",
    ]
    frame = main_values(evaluate(task, tmp_path, ["float32", "binary", *levels]))
    assert set(frame["status"]) == {"scored"}
    assert frame.loc["64/binary+sbert", "value"] == pytest.approx(frame.loc["64/binary", "value"])
    assert frame.loc["64/int8+sbert", "value"] != pytest.approx(frame.loc["64/int8_affine", "value"])
    assert frame.loc["64/int8+hakari_rescore", "value"] == pytest.approx(frame.loc["64/float32", "value"])


def test_a_named_calibration_set_changes_fitted_levels_only(task, small_tasks, tmp_path):
    """Ranges fitted elsewhere clip the corpus; levels without a fit do not move; the record says so."""
    own = evaluate(task, tmp_path / "a", ["int8", "int8_affine"])
    other = evaluate(task, tmp_path / "b", ["int8", "int8_affine"], calibration=small_tasks[0])
    assert main_values(own).loc["64/int8_affine", "clip_share"] == 0
    assert main_values(other).loc["64/int8_affine", "clip_share"] > 0
    assert own.per_query("grid", "64/int8", "ndcg@10").equals(other.per_query("grid", "64/int8", "ndcg@10"))
    assert "harbour" in other.record.provenance.calibration


def test_blocks_and_passes_do_not_change_results(task, tmp_path, monkeypatch):
    """Small blocks and few queries a pass give the same numbers as one pass over one block."""
    levels = ["float32", "int8", "int8_affine+asymmetric", "binary", "binary+rescore4", "int8+sbert"]
    whole = evaluate(task, tmp_path / "whole", levels)
    monkeypatch.setattr(scanning, "BLOCK_DOCUMENTS", 256)
    monkeypatch.setattr(searching, "KEPT_ENTRIES", 600 * 12 * 7)
    parts = evaluate(task, tmp_path / "parts", levels)
    left, right = (run.to_frame().drop(columns="seconds") for run in (whole, parts))
    for column in left.columns:
        if left[column].dtype.kind == "f":
            np.testing.assert_allclose(right[column], left[column], atol=2e-5, err_msg=column)
        else:
            assert left[column].equals(right[column]), column


def test_shared_prefixes_equal_the_naive_path(task, tmp_path):
    """float32 within 1e-6 and binary bit for bit: a dim alone scores as it does within a grid."""
    grid = evaluate(task, tmp_path / "grid", ["float32", "binary"], dims=[64, 48, 32, 17])
    for dim in (48, 17):
        alone = evaluate(task, tmp_path / str(dim), ["float32", "binary"], dims=[dim])
        for level, tolerance in (("float32", 1e-6), ("binary", 0.0)):
            for metric in ("ndcg@10", "map@1000", "recall@100"):
                np.testing.assert_allclose(
                    grid.per_query("grid", f"{dim}/{level}", metric),
                    alone.per_query("grid", f"{dim}/{level}", metric),
                    atol=tolerance,
                )


def test_a_level_that_does_not_fit_fails_its_cells_only(task, tmp_path):
    """A dimension that product codes cannot divide is a failed cell with the reason; the rest is scored."""
    frame = main_values(evaluate(task, tmp_path, ["float32", "pq_1bit"], dims=[64, 50]))
    assert frame.loc["50/pq_1bit", "status"] == "failed"
    assert "50" in frame.loc["50/pq_1bit", "reason"]
    assert set(frame.drop("50/pq_1bit")["status"]) == {"scored"}


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ("int9", "unknown precision 'int9'"),
        ("int8+fast", "not a precision"),
        ("binary+rescore0", "not a precision"),
        ("binary+rescore4:int9", "unknown precision 'int9'"),
        ("ternary+mteb", "mteb"),
    ],
)
def test_unknown_levels_are_usage_errors(task, tmp_path, precision, message):
    """A precision, scoring, copy or protocol that does not exist is named before anything is encoded."""
    with pytest.raises(UsageError, match=message):
        evaluate(task, tmp_path, [precision])


def test_pairs_take_every_scoring(small_tasks, tmp_path):
    """STS: codes against codes, query against codes, stored copies, and the protocols that define it."""
    levels = [
        "float32",
        "binary",
        "binary+asymmetric",
        "binary+rescore4",
        "int8+mteb",
        "int8+sbert",
        "int8+hakari",
    ]
    run = evaluate(small_tasks[1], tmp_path, levels)
    frame = main_values(run)
    assert frame.loc["64/binary+rescore4", "value"] == pytest.approx(frame.loc["64/float32", "value"])
    assert frame.loc["64/binary+rescore4", "bytes_per_vector"] == 8 + 256
    assert frame.loc["64/int8+hakari", "status"] == "failed"
    assert set(frame.loc[[f"64/{level}" for level in levels[:-1]], "status"]) == {"scored"}


def test_tracks_are_shared(task, tmp_path):
    """A rescored variant starts from the codes' own search: no second pass over the corpus."""
    variants = [Variant.parse(text) for text in ("32/binary", "32/binary+rescore4", "32/float32+asymmetric")]
    tracks = searching._tracks(variants)
    assert len(tracks) == 2


def test_device_products_equal_host_products(task, tmp_path, monkeypatch):
    """The road an accelerator takes gives the host's numbers; here it runs on torch's CPU device."""
    from evalsuite.sweep import lanes

    host = evaluate(task, tmp_path / "host", ["float32", "binary+rescore4"])
    monkeypatch.setattr(lanes, "accelerator", lambda: "cpu")
    device = evaluate(task, tmp_path / "device", ["float32", "binary+rescore4"])
    for variant in ("64/float32", "32/float32", "32/binary+rescore4"):
        for metric in ("ndcg@10", "map@1000"):
            left, right = (run.per_query("grid", variant, metric) for run in (host, device))
            np.testing.assert_allclose(left, right, atol=1e-6)
