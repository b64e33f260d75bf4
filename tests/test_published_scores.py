"""Known scores of a real encoder on real data: the whole chain is right to a few hundredths of a point."""

import csv
import json

import pandas as pd
import pytest

import evalsuite
from evalsuite import MtebOptions
from evalsuite.core.errors import CheckpointError
from evalsuite.models.hub import bundled_encoder

DIMS = [384, 256, 128, 64]


@pytest.fixture(scope="module")
def encoder():
    """all-MiniLM-L6-v2, from the extra `demo`."""
    try:
        return bundled_encoder()
    except CheckpointError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for all tests here: what one of them has encoded, the others find."""
    return tmp_path_factory.mktemp("published-store")


def points(run, metric):
    """Scores x100 by variant."""
    frame = run.to_frame()
    rows = frame[frame["metric"] == metric]
    return dict(zip(rows["variant"], rows["value"] * 100, strict=True))


def test_stsb(encoder, shared_data, store, tmp_path):
    """STSb test, float32, full width: cosine Spearman 82.03; shorter and coarser vectors lose."""
    run = evalsuite.evaluate(
        encoder, [shared_data / "sts" / "stsb"], dims=DIMS, out=tmp_path / "run", cache_dir=store
    )
    scores = points(run, "cosine_spearman")
    assert scores["384/float32"] == pytest.approx(82.03, abs=0.02)
    assert scores["384/int8"] == pytest.approx(scores["384/float32"], abs=0.1)
    assert scores["64/float32"] < scores["384/float32"] - 1
    assert scores["64/binary"] < scores["64/float32"] - 2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_scifact(encoder, shared_data, store, tmp_path):
    """SciFact, float32, full width: nDCG@10 64.51; shorter and coarser vectors lose."""
    folder = shared_data / "retrieval" / "scifact"
    run = evalsuite.evaluate(encoder, [folder], dims=DIMS, out=tmp_path / "run", cache_dir=store)
    scores = points(run, "ndcg@10")
    assert scores["384/float32"] == pytest.approx(64.51, abs=0.15)
    assert scores["384/int8"] == pytest.approx(scores["384/float32"], abs=0.5)
    assert scores["128/float32"] < scores["384/float32"] - 2
    assert scores["384/binary"] < scores["384/float32"] - 3
    assert scores["64/binary"] < 30


def lay_out_scifact(source, folder):
    """Write SciFact as it lies on the hub, so that mteb's own loader reads it."""
    folder.mkdir()
    for name in ("corpus", "queries"):
        text = (source / f"{name}.jsonl").read_text(encoding="utf-8")
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    with (source / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
        names = ("query-id", "corpus-id", "score")
        rows = [dict(zip(names, row, strict=True)) for row in list(csv.reader(file, delimiter="\t"))[1:]]
    lines = [json.dumps({**row, "score": int(row["score"])}) for row in rows]
    (folder / "qrels.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = {"corpus": ("corpus", "corpus"), "queries": ("queries", "queries"), "default": ("test", "qrels")}
    configs = [
        f"- config_name: {config}\n  data_files: [{{split: {split}, path: {name}.jsonl}}]\n"
        for config, (split, name) in files.items()
    ]
    (folder / "README.md").write_text("---\nconfigs:\n" + "".join(configs) + "---\n", encoding="utf-8")
    return folder


def side_by_side(encoder, reference, store, folder):
    """Evaluate a task of MTEB on both roads and put them into one table: (checkpoint, variant) to points."""
    grid = {"dims": DIMS, "precisions": ["float32", "int8", "binary"], "cache_dir": store}
    runs = [
        evalsuite.evaluate(encoder, reference, out=folder / road, mteb=MtebOptions(road=road), **grid)
        for road in ("native", "mteb")
    ]
    assert not [cell for run in runs for cell in run.failures]
    assert runs[1].record.provenance.encodings[0].encoded == 0
    files = evalsuite.report(runs, folder / "report")
    table = pd.read_csv(files.csv)
    main = table[table["main"]]
    return dict(zip(zip(main["checkpoint"], main["variant"], strict=True), main["value"] * 100, strict=True))


def assert_roads_agree(scores, expected, within, binary_within):
    """Both roads have the known score, and agree with each other at every variant."""
    labels = {checkpoint for checkpoint, _ in scores}
    assert labels == {"all-MiniLM-L6-v2", "all-MiniLM-L6-v2 (mteb road)"}
    for label in labels:
        assert scores[label, "384/float32"] == pytest.approx(expected, abs=within)
    for (label, variant), value in scores.items():
        other = scores["all-MiniLM-L6-v2", variant]
        allowed = binary_within if variant.endswith("binary") else 1e-3
        assert value == pytest.approx(other, abs=allowed), (label, variant)


def test_stsbenchmark_of_mteb_on_both_roads(encoder, shared_data, store, tmp_path):
    """The real mteb task STSBenchmark: 82.03 by mteb's evaluator and by our own, side by side.

    Equal cosines of binary codes share their rank on our road, and fall apart by float32 rounding on mteb's.
    """
    reference = f"STSBenchmark={shared_data / 'sts' / 'stsb'}"
    scores = side_by_side(encoder, reference, store, tmp_path)
    assert_roads_agree(scores, 82.03, 0.02, binary_within=0.15)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_scifact_of_mteb_on_both_roads(encoder, shared_data, store, tmp_path):
    """The real mteb task SciFact: 64.51 by mteb's evaluator and by our own, side by side."""
    folder = lay_out_scifact(shared_data / "retrieval" / "scifact", tmp_path / "SciFact")
    scores = side_by_side(encoder, f"SciFact={folder}", store, tmp_path)
    assert_roads_agree(scores, 64.51, 0.15, binary_within=1e-3)


@pytest.fixture(scope="module")
def near_miss(encoder, tmp_path_factory):
    """The bundled retrieval task at coarse levels, scored both ways."""
    folder = tmp_path_factory.mktemp("near-miss")
    coarse = ["int4", "ternary", "binary", "binary_centred", "turboquant_1bit", "turboquant_2bit"]
    levels = ["float32", "int8", *coarse, *(f"{level}+asymmetric" for level in coarse), "binary+rescore4"]
    return evalsuite.evaluate(
        encoder,
        "near-miss",
        dims=[384, 128, 64],
        precisions=levels,
        out=folder / "run",
        cache_dir=folder / "store",
    )


def test_bundled_retrieval_is_hard_and_shows_loss(near_miss):
    """near-miss: between 60 and 90 at full width, far lower at 64/binary."""
    scores = points(near_miss, "ndcg@10")
    assert 60 < scores["384/float32"] < 90
    assert scores["64/binary"] < scores["384/float32"] - 20


def test_a_float_query_helps_coarse_codes(near_miss):
    """On real vectors, asymmetric scoring is at least as good as symmetric, on average."""
    frame = near_miss.to_frame()
    main = frame[frame["main"]].set_index("variant")
    asymmetric = [variant for variant in main.index if variant.endswith("+asymmetric")]
    symmetric = [variant.removesuffix("+asymmetric") for variant in asymmetric]
    for column in ("value", "overlap_10", "overlap_100"):
        assert main.loc[asymmetric, column].mean() >= main.loc[symmetric, column].mean()


def test_rescoring_restores_what_binary_loses(near_miss):
    """Forty candidates by signs, reordered with float32 copies, stand between binary and float32."""
    scores = points(near_miss, "ndcg@10")
    for dim in (384, 128):
        assert scores[f"{dim}/binary"] < scores[f"{dim}/binary+rescore4"] <= scores[f"{dim}/float32"] + 0.5
