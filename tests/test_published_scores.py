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


def test_bundled_retrieval_is_hard_and_shows_loss(encoder, tmp_path):
    """near-miss: between 60 and 90 at full width, far lower at 64/binary."""
    run = evalsuite.evaluate(encoder, ["near-miss"], dims=[384, 64], out=tmp_path / "run")
    scores = points(run, "ndcg@10")
    assert 60 < scores["384/float32"] < 90
    assert scores["64/binary"] < scores["384/float32"] - 20
