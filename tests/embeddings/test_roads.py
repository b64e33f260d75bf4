"""Roads: other ways to encode fill the same spaces with the same vectors, and are held to the default."""

import numpy as np
import pytest

from evalsuite.core.progress import Silent
from evalsuite.embeddings import roads
from evalsuite.embeddings.crew import Crew
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.roads import RoadAsk, choose_road, describe, fidelity
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.build import build_embeddinggemma
from evalsuite.models.fake import fake_checkpoint
from evalsuite.models.opening import open_checkpoint

INPUTS = [Prompted("p: ", f"text {i} on ropes and sails, " * (1 + i % 5)) for i in range(40)]


class Notes(Silent):
    """Keeps what a person is told."""

    def __init__(self):
        self.notes = []

    def note(self, message):
        """See `Progress.note`."""
        self.notes.append(message)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small model in a folder."""
    return open_checkpoint(build_embeddinggemma(tmp_path_factory.mktemp("model") / "tiny"), device="cpu")


def sample(count):
    return INPUTS[:count]


def test_the_default_road_is_the_checkpoint_itself(checkpoint, tmp_path):
    """One process in float32 asks for nothing and records nothing."""
    store = EmbeddingStore(tmp_path)
    assert choose_road(checkpoint, RoadAsk(), sample, store, Silent()) == (checkpoint, None)


def test_workers_fill_the_default_road_s_space(checkpoint, tmp_path):
    """Vectors of two workers are those of one process, and are found there; how true they are is recorded."""
    store, notes = EmbeddingStore(tmp_path / "one"), Notes()
    taken, entry = choose_road(checkpoint, RoadAsk(2), sample, store, notes)
    assert isinstance(taken.encoder(), Crew)
    assert taken.fingerprint == checkpoint.fingerprint
    ours = encode_once(taken, INPUTS, store, Silent())
    taken.release()
    plain = encode_once(checkpoint, INPUTS, EmbeddingStore(tmp_path / "two"), Silent())
    np.testing.assert_allclose(ours.vectors.all(), plain.vectors.all(), atol=2e-6)
    assert encode_once(checkpoint, INPUTS, store, Silent()).encoded == 0
    assert (entry.workers, entry.dtype, entry.chosen) == (2, "float32", "asked")
    assert [trial.workers for trial in entry.trials] == [0, 2]
    assert entry.fidelity.mean_cosine == pytest.approx(1, abs=1e-6)
    assert notes.notes[-1] == describe(checkpoint.label, entry)

    def never(count):
        pytest.fail("what was measured is remembered")

    _, again = choose_road(checkpoint, RoadAsk(2), never, store, Silent())
    assert again == entry


def test_a_model_that_is_no_folder_stays_where_it_is(tmp_path):
    """There is nothing to make a second encoder from; the user is told."""
    notes, fake = Notes(), fake_checkpoint()
    assert choose_road(fake, RoadAsk("auto"), sample, EmbeddingStore(tmp_path), notes) == (fake, None)
    assert "this process alone encodes" in notes.notes[0]


def vectors(noise):
    generator = np.random.default_rng(0)
    exact = generator.standard_normal((50, 16)).astype(np.float32)
    return exact, exact + np.float32(noise) * generator.standard_normal((50, 16)).astype(np.float32)


def plan(dtype):
    return roads._Plan(dtype, 1, (None,), 2048, roads.HERE)


@pytest.mark.parametrize(
    ("seconds", "noise", "chosen"),
    [
        ((10.0, 8.0, 5.0), 0.001, 1),
        ((10.0, 8.0, 7.6), 0.001, 0),
        ((10.0, 8.0, 5.0), 0.2, 0),
        ((10.0, 12.0, 9.5), 0.001, None),
        ((10.0, 12.0, 8.0), 0.001, 1),
        ((10.0, 12.0, 11.0), 0.001, None),
    ],
    ids=["faster", "hardly faster", "untrue", "all slow", "only bfloat16", "default"],
)
def test_the_fastest_true_road_is_chosen(seconds, noise, chosen):
    """bfloat16 must be a tenth faster than float32 and true; nothing slower than the default is taken."""
    exact, other = vectors(noise)
    default, first, second = seconds
    timed = [roads._Timed(exact, first), roads._Timed(other, second)]
    found = roads._best([plan("float32"), plan("bfloat16")], timed, roads._Timed(exact, default))
    assert found == chosen


def test_fidelity_by_hand():
    """Two texts at a right angle, one of them turned by 60 degrees on the other road."""
    default = np.array([[1, 0], [0, 2]], dtype=np.float32)
    turned = np.array([[0.5, np.sqrt(0.75)], [0, 1]], dtype=np.float32)
    found = fidelity(default, turned)
    assert (found.texts, found.min_cosine) == (2, pytest.approx(0.5))
    assert found.mean_cosine == pytest.approx(0.75)
    assert found.score_difference == pytest.approx(np.sqrt(0.75))
