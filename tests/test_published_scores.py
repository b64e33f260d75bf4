"""Known scores of a real encoder on real data: the whole chain is right to a few hundredths of a point."""

import pytest

import evalsuite
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


def points(run, metric):
    """Scores x100 by variant."""
    frame = run.to_frame()
    rows = frame[frame["metric"] == metric]
    return dict(zip(rows["variant"], rows["value"] * 100, strict=True))


def test_stsb(encoder, shared_data, tmp_path):
    """STSb test, float32, full width: cosine Spearman 82.03; shorter and coarser vectors lose."""
    run = evalsuite.evaluate(encoder, [shared_data / "sts" / "stsb"], dims=DIMS, out=tmp_path / "run")
    scores = points(run, "cosine_spearman")
    assert scores["384/float32"] == pytest.approx(82.03, abs=0.02)
    assert scores["384/int8"] == pytest.approx(scores["384/float32"], abs=0.1)
    assert scores["64/float32"] < scores["384/float32"] - 1
    assert scores["64/binary"] < scores["64/float32"] - 2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_scifact(encoder, shared_data, tmp_path):
    """SciFact, float32, full width: nDCG@10 64.51; shorter and coarser vectors lose."""
    run = evalsuite.evaluate(
        encoder, [shared_data / "retrieval" / "scifact"], dims=DIMS, out=tmp_path / "run"
    )
    scores = points(run, "ndcg@10")
    assert scores["384/float32"] == pytest.approx(64.51, abs=0.15)
    assert scores["384/int8"] == pytest.approx(scores["384/float32"], abs=0.5)
    assert scores["128/float32"] < scores["384/float32"] - 2
    assert scores["384/binary"] < scores["384/float32"] - 3
    assert scores["64/binary"] < 30


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
