from __future__ import annotations

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.models.fake import FakeEncoder, fake_checkpoint


@given(st.lists(st.text(), max_size=5))
def test_vectors_have_unit_length_and_do_not_depend_on_company(texts):
    """Every text, even an empty one, has a unit vector that is the same alone and among others."""
    vectors = FakeEncoder(32).encode(texts, "")
    assert vectors.shape == (len(texts), 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for row, text in enumerate(texts):
        np.testing.assert_array_equal(FakeEncoder(32).encode([text], "")[0], vectors[row])


def test_prefixes_are_informative():
    """Texts that share words are closer than strangers, already in the first quarter of the dimensions."""
    near, far = "the red fox ran away", "prices rose in march"
    vectors = FakeEncoder(64).encode(["the red fox slept", near, far], "")[:, :16]
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1


def test_calls_and_texts_are_counted():
    """The counters let a test prove that nothing is encoded twice."""
    encoder = FakeEncoder(8)
    encoder.encode(["a", "b"], "")
    encoder.encode(["c"], "query: ")
    assert (encoder.calls, encoder.texts_encoded) == (2, 3)


def test_the_fingerprint_depends_on_every_parameter_but_the_label():
    """Two fakes share results exactly if their vectors are the same."""
    base = fake_checkpoint().fingerprint
    assert len(base) == 64
    assert fake_checkpoint(label="other").fingerprint == base
    others = [fake_checkpoint(32), fake_checkpoint(seed=1), fake_checkpoint(matryoshka_dims=(64, 32))]
    assert len({base, *(other.fingerprint for other in others)}) == 4


def test_relabelling_keeps_everything_else():
    """A copy under another name shares fingerprint and encoder."""
    original = fake_checkpoint(encoder=FakeEncoder(16), dim=16)
    renamed = original.relabel("mine")
    assert (original.label, renamed.label) == ("fake", "mine")
    assert renamed.encoder() is original.encoder()
    assert renamed.fingerprint == original.fingerprint


def test_the_fake_needs_no_torch():
    """A process that encodes with the fake never imports torch."""
    code = (
        "import sys; from evalsuite.models.fake import fake_checkpoint; "
        "fake_checkpoint().encoder().encode(['a'], ''); "
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
