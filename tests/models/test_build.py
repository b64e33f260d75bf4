from __future__ import annotations

import numpy as np
import pytest
import torch

from evalsuite.core.errors import UsageError
from evalsuite.models.build import build_embeddinggemma, build_embeddinggemma2
from evalsuite.models.opening import open_checkpoint

TEXTS = ["the quick brown fox", "lazy dog " * 30, "naïve café"]


@pytest.mark.parametrize("shape", ["gemma", "gemma2"])
def test_saving_and_loading_changes_nothing(shape, request, tmp_path):
    """A model loaded, saved and loaded again gives the very same vectors."""
    encoder = open_checkpoint(request.getfixturevalue(shape)).encoder()
    encoder.model.save_pretrained(str(tmp_path / "again"))
    again = open_checkpoint(tmp_path / "again").encoder()
    np.testing.assert_array_equal(again.encode(TEXTS, ""), encoder.encode(TEXTS, ""))


def test_the_pipelines_are_those_of_the_two_models(gemma, gemma2):
    """The first has its head behind the pooling, the second inside the transformer."""
    modules = [
        [type(module).__name__ for module in open_checkpoint(folder).encoder().model]
        for folder in (gemma, gemma2)
    ]
    assert modules[0] == ["Transformer", "Pooling", "Dense", "Dense", "Normalize"]
    assert modules[1] == ["Transformer", "Pooling", "Normalize"]


@pytest.mark.parametrize("build", [build_embeddinggemma, build_embeddinggemma2])
def test_the_seed_decides_the_weights_and_nothing_outside(build, tmp_path):
    """Same seed, same fingerprint; another seed, another; the global generator is left alone."""
    before = torch.random.get_rng_state()
    prints = [open_checkpoint(build(tmp_path / str(n), seed=s)).fingerprint for n, s in enumerate((1, 1, 2))]
    assert prints[0] == prints[1] != prints[2]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_sizes_and_corpus_are_as_asked(tmp_path):
    """Widths reach the configuration, and the corpus' words become tokens."""
    corpus = ["zyzzyva zyzzyva zyzzyva"] * 50
    checkpoint = open_checkpoint(build_embeddinggemma2(tmp_path / "m", embedding=48, layers=3, corpus=corpus))
    assert checkpoint.dim == 48
    model = checkpoint.encoder().model
    assert model[0].auto_model.config.num_hidden_layers == 3
    assert len(model.tokenizer.tokenize("zyzzyva zyzzyva")) < 4


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    """The builder never overwrites."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something already"):
        build_embeddinggemma(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
