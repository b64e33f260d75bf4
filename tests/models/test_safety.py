from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalsuite.core.errors import CheckpointError
from evalsuite.models.folder import read_model_folder
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.safety import check_safety


def check(folder: Path, *, trust: bool = False) -> None:
    check_safety(read_model_folder(folder), trust_remote_code=trust)


def edit_module(folder: Path, index: int, **changes: str) -> None:
    listing = folder / "modules.json"
    modules = json.loads(listing.read_text())
    modules[index].update(changes)
    listing.write_text(json.dumps(modules))


def test_the_built_models_are_safe(gemma, gemma2):
    """The companion of the refusals below: a clean folder passes."""
    check(gemma)
    check(gemma2)


def test_a_foreign_module_is_refused_unless_trusted(copy):
    """A class from outside sentence-transformers runs code."""
    edit_module(copy, 4, type="my_code.Normalize")
    with pytest.raises(CheckpointError, match=r"module 4 is 'my_code.Normalize'.*--trust-remote-code"):
        open_checkpoint(copy)
    check(copy, trust=True)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_an_auto_map_is_refused_unless_trusted(copy, edit, file):
    """So does a configuration that points to code."""
    edit(copy / file, lambda config: config.update(auto_map={"AutoModel": "modeling.Model"}))
    with pytest.raises(CheckpointError, match=rf"{file}: `auto_map` points to"):
        open_checkpoint(copy)
    check(copy, trust=True)


@pytest.mark.parametrize(
    ("weights", "pickle"),
    [
        ("model.safetensors", "pytorch_model.bin"),
        ("2_Dense/model.safetensors", "2_Dense/pytorch_model.bin"),
        ("3_Dense/model.safetensors", "3_Dense/weights.ckpt"),
    ],
)
@pytest.mark.parametrize("trust", [False, True])
def test_pickled_weights_are_refused_even_if_trusted(copy, weights, pickle, trust):
    """Pickle is never opened; the message names the file and the way out."""
    (copy / weights).rename(copy / pickle)
    with pytest.raises(CheckpointError, match=f"{pickle}.*safe_serialization=True"):
        check(copy, trust=trust)


def test_a_trainers_state_beside_the_weights_is_no_matter(copy):
    """Pickles that are not the weights are not opened, so they are allowed."""
    for name in ("optimizer.pt", "training_args.bin", "pytorch_model.bin"):
        (copy / name).write_bytes(b"\x80")
    check(copy)


def test_missing_weights_are_named(copy):
    """A module without weights would be random."""
    (copy / "3_Dense" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"3_Dense: no model.safetensors for module 3 \(Dense\)"):
        check(copy)


def test_an_adapter_is_refused(copy):
    """An adapter's base model is elsewhere and could change unseen."""
    (copy / "adapter_config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="merge it first"):
        check(copy)


def test_a_missing_shard_is_named(copy):
    """An index must have all its shards."""
    (copy / "model.safetensors").rename(copy / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    with pytest.raises(CheckpointError, match=r"missing: model-00002-of-00002.safetensors"):
        check(copy)


@pytest.mark.parametrize("file", ["model.safetensors", "3_Dense/model.safetensors"])
@pytest.mark.parametrize("change", [-1, 1])
def test_weights_of_another_size_than_their_header_says_are_refused_at_opening(copy, file, change):
    """A copy that was cut short is found before anything is loaded; both sizes are told."""
    path = copy / file
    size = path.stat().st_size
    path.write_bytes((path.read_bytes() + b"\0")[: size + change])
    with pytest.raises(CheckpointError, match=rf"{file}: expected {size} bytes .*, found {size + change};"):
        open_checkpoint(copy)


@pytest.mark.parametrize("kept", [0, 7, 8, 20])
def test_weights_cut_short_within_the_header_are_refused(copy, kept):
    """Even without a whole header there is a size to expect: at least that of the header."""
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=rf"expected [0-9]+ bytes .*, found {kept}; .* cut short"):
        check(copy)


@pytest.mark.parametrize(
    "content",
    [
        b"version https://git-lfs.github.com/spec/v1",
        (4).to_bytes(8, "little") + b"[1]{",
        (4).to_bytes(8, "little") + b"[12]",
        (9).to_bytes(8, "little") + b'{"a": {}}',
    ],
)
def test_what_is_no_safetensors_file_is_refused(copy, content):
    """A pointer left by git, or a header that is not one."""
    (copy / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model.safetensors: has no readable safetensors header"):
        check(copy)


def test_a_shard_cut_short_is_named(copy):
    """Shards are measured like single files."""
    shard = copy / "model-00001-of-00001.safetensors"
    shard.write_bytes((copy / "model.safetensors").read_bytes()[:-1])
    (copy / "model.safetensors").unlink()
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard.name}}))
    with pytest.raises(CheckpointError, match=rf"{shard.name}: expected .* cut short"):
        check(copy)


@pytest.mark.parametrize("path", ["../other", "/etc", "C:\\weights"])
def test_a_module_outside_the_folder_is_refused(copy, path):
    """What lies outside is not part of the checkpoint."""
    edit_module(copy, 2, path=path)
    with pytest.raises(CheckpointError, match="outside the model folder"):
        read_model_folder(copy)


def test_a_routers_modules_are_checked_too(copy):
    """A router lists modules of its own, each of which is checked."""
    edit_module(copy, 4, type="sentence_transformers.base.modules.router.Router")
    (copy / "4_Normalize" / "router_config.json").write_text(
        json.dumps({"types": {"query_0": "evil.Module"}})
    )
    with pytest.raises(CheckpointError, match=r"'evil\.Module'"):
        check(copy)
