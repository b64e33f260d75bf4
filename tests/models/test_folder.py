from __future__ import annotations

import json

import pytest

from evalsuite.core.errors import CheckpointError
from evalsuite.models.folder import ModelFolder, ModuleEntry, pooling_modes, read_model_folder


def module(kind: str, **config: object) -> ModuleEntry:
    return ModuleEntry(0, None, f"sentence_transformers.models.{kind}", config)


def width(*modules: ModuleEntry) -> int | None:
    return ModelFolder(None, modules, plain=False, settings={}).dim()


def test_the_width_is_that_of_the_last_module_that_sets_one():
    """Dense wins over Pooling, Pooling over the transformer; Normalize keeps the width."""
    transformer = module("Transformer", hidden_size=10)
    pooling = module("Pooling", word_embedding_dimension=10, pooling_mode_mean_tokens=True)
    two = module("Pooling", embedding_dimension=10, pooling_mode=["mean", "max"])
    dense = module("Dense", in_features=10, out_features=7)
    assert width(transformer) == 10
    assert width(transformer, pooling, module("Normalize")) == 10
    assert width(transformer, two) == 20
    assert width(transformer, pooling, dense, module("Normalize")) == 7
    assert width(module("Transformer", model_type="embedding_gemma2_text", embedding_dim=96)) == 96


def test_an_unknown_module_leaves_the_width_open():
    """What the files do not tell is not guessed."""
    assert width(module("StaticEmbedding")) is None
    assert width(module("Transformer", hidden_size=10), module("Router"), module("Normalize")) is None


def test_older_pooling_flags_are_read():
    """The spelling before sentence-transformers 5 means the same."""
    flags = {
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_lasttoken": True,
    }
    assert pooling_modes(flags) == ("mean", "lasttoken")


def test_the_longest_input_is_the_smallest_limit(copy, edit):
    """The tokenizer's limit, capped by the positions, unless sentence-transformers' own is set."""
    assert read_model_folder(copy).max_seq_length() == 2048
    edit(copy / "tokenizer_config.json", lambda config: config.update(model_max_length=1e30))
    edit(copy / "config.json", lambda config: config.update(max_position_embeddings=512))
    assert read_model_folder(copy).max_seq_length() == 512
    edit(copy / "sentence_bert_config.json", lambda config: config.update(max_seq_length=100))
    assert read_model_folder(copy).max_seq_length() == 100


def test_declared_dims_are_found_wherever_they_are_written(copy, edit):
    """README block, backbone configuration, sentence-transformers configuration: the last wins."""
    assert read_model_folder(copy).declared_dims() == []
    (copy / "README.md").write_text('"loss": "X",\n    "matryoshka_dims": [\n 64,\n 32\n ],\n')
    assert read_model_folder(copy).declared_dims() == [64, 32]
    edit(copy / "config.json", lambda config: config.update(matryoshka_dimensions=[32, 16]))
    assert read_model_folder(copy).declared_dims() == [32, 16]
    edit(copy / "config_sentence_transformers.json", lambda config: config.update(matryoshka_dims=[64, 8]))
    assert read_model_folder(copy).declared_dims() == [64, 8]


def test_embeddinggemmas_shape_declares_its_dims(copy, edit):
    """A Gemma backbone of width 768 has the published Matryoshka dimensions."""
    edit(copy / "3_Dense" / "config.json", lambda config: config.update(out_features=768))
    assert read_model_folder(copy).declared_dims() == [768, 512, 256, 128]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", "{", "modules.json: is not valid JSON"),
        ("modules.json", "{}", "modules.json: expected a list of modules"),
        ("modules.json", '[{"path": ""}]', "module 0 has no `path` and `type`"),
        ("config.json", "[]", "config.json: expected a JSON object, found list"),
        ("1_Pooling/config.json", None, "config.json: cannot be read"),
        ("config_sentence_transformers.json", "nope", "is not valid JSON"),
    ],
)
def test_a_damaged_file_is_named(copy, file, content, message):
    """A missing or malformed JSON file is one clear error."""
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        read_model_folder(copy)


def test_a_folder_without_a_model_is_refused(tmp_path):
    """The message says what was looked for."""
    (tmp_path / "notes.json").write_text(json.dumps({}))
    with pytest.raises(CheckpointError, match=r"neither modules.json nor config.json"):
        read_model_folder(tmp_path)
