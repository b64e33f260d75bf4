from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evalsuite.models.encoder import SentenceTransformerEncoder
from evalsuite.models.loading import load_pipeline
from evalsuite.models.opening import open_checkpoint

TEXTS = ["the quick brown fox", "a river", ""]


@pytest.fixture(scope="module")
def model(gemma: Path):
    return load_pipeline(gemma, dtype="float32", device="cpu", trust_remote_code=False)


@pytest.fixture
def encoder(model) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(model, batch_size=2, dim=64)


def test_the_prompt_goes_in_front_of_the_text(encoder):
    """A prompt handed in is the same as the prompt written into the text."""
    np.testing.assert_allclose(
        encoder.encode(["a river"], "task: "), encoder.encode(["task: a river"], ""), atol=1e-6
    )


def test_a_default_prompt_is_not_applied_behind_our_back(encoder, model, monkeypatch):
    """No prompt means no prompt, even if the model has a default one."""
    without = encoder.encode(TEXTS, "")
    monkeypatch.setattr(model, "default_prompt_name", "query")
    np.testing.assert_array_equal(encoder.encode(TEXTS, ""), without)
    assert not np.allclose(model.encode(TEXTS), without)


def test_vectors_are_full_width_whatever_the_model_truncates_to(encoder, model, monkeypatch):
    """The model's own truncate_dim is ignored, and still there afterwards."""
    monkeypatch.setattr(model, "truncate_dim", 16)
    assert encoder.encode(TEXTS, "").shape == (3, 64)
    assert model.truncate_dim == 16


def test_pooling_may_leave_the_prompt_out(encoder, model, monkeypatch):
    """A pooling layer with include_prompt=False is honoured."""
    included = encoder.encode(["a river"], "task: search | ")
    monkeypatch.setattr(model[1], "include_prompt", False)
    left_out = encoder.encode(["a river"], "task: search | ")
    np.testing.assert_array_equal(left_out, model.encode(["a river"], prompt="task: search | "))
    assert not np.allclose(left_out, included)


def test_no_texts_are_an_empty_array(encoder):
    """Nothing in, nothing out, with the right width and dtype."""
    empty = encoder.encode([], "query: ")
    assert (empty.shape, empty.dtype) == ((0, 64), np.float32)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_vectors_are_float32_in_every_dtype(gemma, dtype):
    """A bfloat16 model computes in bfloat16, head included, and hands out float32."""
    encoder = open_checkpoint(gemma, dtype=dtype).encoder()
    assert {str(weight.dtype) for weight in encoder.model.parameters()} == {f"torch.{dtype}"}
    vectors = encoder.encode(TEXTS, "")
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=5e-3)
