from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from evalsuite.core.errors import CheckpointError
from evalsuite.models.fingerprint import folder_fingerprint, module_fingerprint
from evalsuite.models.loading import load_pipeline
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.prompts import PromptBook

BOOK = PromptBook({"query": "query: "}, "checkpoint")


def fingerprint(
    folder: Path, *, prompts: PromptBook = BOOK, length: int = 128, dtype: str = "float32"
) -> str:
    return folder_fingerprint(folder, prompts=prompts, max_seq_length=length, dtype=dtype)


def flip_last_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_it_is_64_hex_characters(gemma):
    """The fingerprint is a sha256."""
    assert len(bytes.fromhex(fingerprint(gemma))) == 32


@pytest.mark.parametrize("file", ["model.safetensors", "2_Dense/model.safetensors"])
def test_one_bit_of_a_weight_counts(copy, gemma, file):
    """A single flipped bit in the backbone or the head is another model."""
    flip_last_bit(copy / file)
    assert fingerprint(copy) != fingerprint(gemma)


def test_one_token_counts(copy, gemma, edit):
    """Another id for one token is another model."""

    def swap(tokenizer):
        vocabulary = tokenizer["model"]["vocab"]
        first, second = list(vocabulary)[400:402]
        vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]

    edit(copy / "tokenizer.json", swap)
    assert fingerprint(copy) != fingerprint(gemma)


def test_prompts_length_and_dtype_count(gemma):
    """What the model is used with is part of what it is."""
    variants = [
        fingerprint(gemma),
        fingerprint(gemma, prompts=PromptBook({"query": "query:"}, "checkpoint")),
        fingerprint(gemma, length=127),
        fingerprint(gemma, dtype="bfloat16"),
    ]
    assert len(set(variants)) == 4


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("1_Pooling/config.json", "pooling_mode", "cls"),
        ("config.json", "sliding_window", 16),
        ("2_Dense/config.json", "activation_function", "torch.nn.modules.activation.Tanh"),
    ],
)
def test_module_configurations_count(copy, gemma, edit, file, key, value):
    """Pooling, window and activation decide vectors."""
    edit(copy / file, lambda config: config.update({key: value}))
    assert fingerprint(copy) != fingerprint(gemma)


def test_a_module_taken_out_counts(copy, gemma):
    """The list of modules decides vectors."""
    modules = json.loads((copy / "modules.json").read_text())
    (copy / "modules.json").write_text(json.dumps(modules[:-1]))
    assert fingerprint(copy) != fingerprint(gemma)


def test_place_and_papers_do_not_count(copy, gemma, edit, tmp_path):
    """Moving, a new README, a trainer's state, older checkpoints inside, versions, key order: no matter."""
    (copy / "README.md").write_text("# Another story")
    (copy / "optimizer.pt").write_bytes(b"state")
    (copy / "trainer_state.json").write_text("{}")
    (copy / "checkpoint-500").mkdir()
    (copy / "checkpoint-500" / "model.safetensors").write_bytes(b"older")
    edit(copy / "config.json", lambda config: config.update(transformers_version="9.9", _name_or_path="x"))
    settings = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(dict(reversed(settings.items())), indent=4))
    moved = shutil.move(copy, tmp_path / "elsewhere")
    assert fingerprint(Path(moved)) == fingerprint(gemma)


def test_a_damaged_configuration_is_named(copy):
    """A file that cannot be read is an error that names it, not another fingerprint."""
    (copy / "4_Normalize" / "extra.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"extra.json: cannot be read"):
        fingerprint(copy)


def test_a_loaded_model_is_known_by_its_content(gemma, tmp_path):
    """Equal models in memory share a fingerprint, before and after use; one changed weight does not."""
    first, second = (
        load_pipeline(gemma, dtype="float32", device="cpu", trust_remote_code=False) for _ in range(2)
    )
    before = module_fingerprint(first, prompts=BOOK, max_seq_length=128, dtype="float32")
    first.encode(["padding and truncation", "leave traces in a tokenizer"])
    assert module_fingerprint(first, prompts=BOOK, max_seq_length=128, dtype="float32") == before
    assert module_fingerprint(second, prompts=BOOK, max_seq_length=128, dtype="float32") == before
    assert module_fingerprint(second, prompts=BOOK, max_seq_length=64, dtype="float32") != before
    second[2].linear.weight.data[0, 0] += 1e-3
    assert module_fingerprint(second, prompts=BOOK, max_seq_length=128, dtype="float32") != before


def test_two_folders_of_one_name_are_told_apart(copy, gemma, tmp_path):
    """`a/model` and `b/model` with other weights never share a fingerprint."""
    one, two = tmp_path / "a" / "model", tmp_path / "b" / "model"
    shutil.copytree(gemma, one)
    shutil.copytree(gemma, two)
    flip_last_bit(two / "model.safetensors")
    opened = [open_checkpoint(folder) for folder in (one, two)]
    assert [checkpoint.label for checkpoint in opened] == ["a/model", "b/model"]
    assert opened[0].fingerprint != opened[1].fingerprint
