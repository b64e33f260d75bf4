from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from evalsuite.core.errors import CheckpointError, UsageError
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.prompts import EMBEDDINGGEMMA_PROMPTS


def test_a_folder_tells_its_facts_without_being_loaded(gemma):
    """Width, length, prompts and dtype are read from the files."""
    checkpoint = open_checkpoint(str(gemma), dtype="bfloat16")
    assert (checkpoint.label, checkpoint.source, checkpoint.revision) == ("tiny-gemma", str(gemma), None)
    assert (checkpoint.dim, checkpoint.max_seq_length, checkpoint.dtype) == (64, 2048, "bfloat16")
    assert checkpoint.prompts.prompts == EMBEDDINGGEMMA_PROMPTS
    assert checkpoint.prompts.origin == "checkpoint"
    assert checkpoint.warnings == ()


def modules_after_opening(folder: Path, device: str | None = None) -> set[str]:
    code = (
        "import sys; from evalsuite.models.opening import open_checkpoint; "
        f"open_checkpoint({str(folder)!r}, device={device!r}); print(*sys.modules)"
    )
    return set(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
    )


@pytest.mark.parametrize("device", [None, "cpu"])
def test_opening_does_not_import_torch(gemma, device):
    """A run whose vectors are stored already stays light."""
    imported = modules_after_opening(gemma, device)
    assert not {"torch", "transformers", "sentence_transformers", "huggingface_hub"} & imported
    assert {"evalsuite.models.checkpoint", "numpy"} <= imported  # the check sees what was imported


def test_loading_is_silent(gemma, capfd, caplog):
    """No bars and no log lines on the terminal, whatever the libraries like to say."""
    open_checkpoint(gemma).encoder()
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_the_model_is_loaded_once(gemma):
    """Several threads and a relabelled copy share one model."""
    checkpoint = open_checkpoint(gemma)
    with ThreadPoolExecutor(4) as threads:
        encoders = set(threads.map(lambda _: checkpoint.encoder(), range(4)))
    assert encoders == {checkpoint.relabel("other").encoder()}


def test_a_checkpoint_passes_through(gemma):
    """Opening twice is opening once."""
    checkpoint = open_checkpoint(gemma)
    assert open_checkpoint(checkpoint) is checkpoint


def test_a_loaded_model_is_taken_as_it_is(gemma):
    """A SentenceTransformer in memory keeps its weights, dtype and prompts."""
    model = open_checkpoint(gemma, dtype="bfloat16").encoder().model
    checkpoint = open_checkpoint(model)
    assert (checkpoint.label, checkpoint.source) == ("tiny-gemma", "in memory: tiny-gemma")
    assert (checkpoint.dtype, checkpoint.dim, checkpoint.max_seq_length) == ("bfloat16", 64, 2048)
    assert checkpoint.prompts.prompts == EMBEDDINGGEMMA_PROMPTS
    assert checkpoint.folder is None
    assert checkpoint.encoder().model is model


@pytest.mark.parametrize("asked", ["float32", "float16"])
def test_a_dtype_a_loaded_model_does_not_follow_is_a_warning(gemma, asked):
    """A model in memory keeps its dtype; the user is told, and nothing is refused."""
    model = open_checkpoint(gemma, dtype="bfloat16").encoder().model
    checkpoint = open_checkpoint(model, dtype=asked)
    assert checkpoint.dtype == "bfloat16"
    assert checkpoint.warnings == (f"the loaded model runs in bfloat16; dtype {asked} is not applied",)
    assert open_checkpoint(model, dtype="bfloat16").warnings == ()


def test_a_device_a_loaded_model_does_not_follow_is_a_warning(gemma, monkeypatch):
    """It stays where it is; the device it is on already is no matter."""
    monkeypatch.setattr("evalsuite.models.opening.check_device", lambda _: None)
    model = open_checkpoint(gemma, device="cpu").encoder().model
    told = open_checkpoint(model, device="cuda:0").warnings
    assert told == ("the loaded model is on cpu; device cuda:0 is not applied",)
    assert open_checkpoint(model, device="cpu:0").warnings == ()


def test_a_device_that_cannot_be_used_is_refused_at_opening(gemma):
    """Before anything is loaded or encoded."""
    with pytest.raises(UsageError, match="unknown device 'nonsense'"):
        open_checkpoint(gemma, device="nonsense")
    with pytest.raises(UsageError, match="device cuda:99 is not available; available here: cpu"):
        open_checkpoint(gemma, device="cuda:99")


def test_unknown_dtypes_are_refused(gemma):
    """The message lists the known ones."""
    with pytest.raises(UsageError, match="unknown dtype 'int8'; known dtypes: float32, bfloat16, float16"):
        open_checkpoint(gemma, dtype="int8")


def test_a_batch_holds_at_least_one_text(gemma):
    """A batch size of zero is a slip of the user's."""
    with pytest.raises(UsageError, match="batch size is 0"):
        open_checkpoint(gemma, batch_size=0)


def test_what_is_no_model_is_refused():
    """Anything but a path, a hub id or a pipeline is a slip."""
    with pytest.raises(UsageError, match="dict is not a model"):
        open_checkpoint({})


@pytest.mark.parametrize("shape", ["gemma", "gemma2"])
def test_float16_is_refused_for_gemma_encoders(shape, request):
    """Their activations overflow; the message says what to use."""
    with pytest.raises(CheckpointError, match=r"float16 overflows.*use bfloat16 or float32"):
        open_checkpoint(request.getfixturevalue(shape), dtype="float16")


def test_float16_is_refused_for_loaded_gemma_encoders_too(gemma):
    """A model in memory is no way around."""
    model = open_checkpoint(gemma).encoder().model.half()
    with pytest.raises(CheckpointError, match="float16 overflows"):
        open_checkpoint(model)


def test_a_loaded_model_in_an_odd_dtype_is_refused(gemma):
    """Only the known number formats are recorded."""
    with pytest.raises(CheckpointError, match="float64; convert it"):
        open_checkpoint(open_checkpoint(gemma).encoder().model.double())


def test_a_loaded_model_without_weights_is_refused():
    """Two such models, of other vectors, would share one fingerprint and so one store."""
    from sentence_transformers import SentenceTransformer

    with pytest.raises(CheckpointError, match="has no weights, so nothing would tell it from another"):
        open_checkpoint(SentenceTransformer(modules=[torch.nn.Identity()], device="cpu"))


def test_a_gemma_without_prompts_gets_the_catalogue(copy, edit):
    """The origin says that the prompts are not the checkpoint's own."""
    edit(copy / "config_sentence_transformers.json", lambda config: config.update(prompts={"query": ""}))
    assert open_checkpoint(copy).prompts.origin == "embeddinggemma catalogue"


def test_declared_dims_are_descending_and_possible(copy, edit):
    """The full width is added, and what exceeds it is dropped with a warning."""
    edit(copy / "config.json", lambda config: config.update(matryoshka_dims=[16, 128, 32]))
    checkpoint = open_checkpoint(copy)
    assert checkpoint.matryoshka_dims == (64, 32, 16)
    assert checkpoint.warnings == ("declared Matryoshka dimension 128 exceeds the model's width 64; ignored",)


def test_sharded_weights_load(copy, gemma):
    """Large checkpoints come in several safetensors files with an index."""
    weights = load_file(copy / "model.safetensors")
    names = sorted(weights)
    shards = {"model-1.safetensors": names[:5], "model-2.safetensors": names[5:]}
    for file, part in shards.items():
        save_file({name: weights[name] for name in part}, copy / file, metadata={"format": "pt"})
    weight_map = {name: file for file, part in shards.items() for name in part}
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    (copy / "model.safetensors").unlink()
    sharded = open_checkpoint(copy).encoder().encode(["a river"], "")
    np.testing.assert_array_equal(sharded, open_checkpoint(gemma).encoder().encode(["a river"], ""))


def test_a_missing_weight_is_refused(copy):
    """transformers would fill it with random numbers and only log it."""
    weights = load_file(copy / "model.safetensors")
    del weights["layers.0.mlp.up_proj.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"would be random: layers\.0\.mlp\.up_proj\.weight"):
        open_checkpoint(copy).encoder()


def test_damaged_weights_are_one_clear_error(copy):
    """What only the loading library can find does not end in a traceback."""
    weights = load_file(copy / "2_Dense" / "model.safetensors")
    save_file({"another.name": weights["linear.weight"]}, copy / "2_Dense" / "model.safetensors")
    with pytest.raises(CheckpointError, match="cannot be loaded by sentence-transformers"):
        open_checkpoint(copy).encoder()


def test_a_plain_transformers_folder_is_opened_with_a_warning(gemma, tmp_path):
    """sentence-transformers adds mean pooling; the user is told."""
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(gemma / name, plain)
    checkpoint = open_checkpoint(plain)
    assert any("adds mean pooling" in warning for warning in checkpoint.warnings)
    assert checkpoint.encoder().encode(["a river"], "").shape == (1, checkpoint.dim)


def test_a_width_the_files_do_not_tell_is_measured(tmp_path: Path):
    """Static embeddings have no configuration: the model is loaded to see."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1, "[UNK]": 2}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    static = StaticEmbedding(tokenizer, embedding_weights=torch.eye(3, 5).numpy())
    SentenceTransformer(modules=[static], device="cpu").save_pretrained(str(tmp_path / "static"))
    checkpoint = open_checkpoint(tmp_path / "static")
    assert checkpoint.dim == 5
    np.testing.assert_array_equal(checkpoint.encoder().encode(["b"], ""), torch.eye(3, 5)[1:2].numpy())
    assert len(open_checkpoint(checkpoint.encoder().model).fingerprint) == 64
