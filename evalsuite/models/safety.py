"""Refuse, from the files alone and before anything is loaded, what could run foreign code or is cut short."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO

from evalsuite.core.errors import CheckpointError
from evalsuite.models.folder import TRANSFORMER, ModelFolder, ModuleEntry, read_json

_TRUSTED = "sentence_transformers."
_WITHOUT_WEIGHTS = (
    "Pooling",
    "Normalize",
    "Dropout",
    "Router",
    "Asym",
    "WordWeights",
    "BoW",
    "WhitespaceTokenizer",
)
_PICKLES = ("pytorch_model*.bin", "adapter_model.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_TRAINER_STATE = ("optimizer.", "scheduler.", "rng_state", "scaler.")
_WEIGHTS = "model.safetensors"
_SHARDS = "model.safetensors.index.json"
_LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000
"""In bytes; the safetensors library refuses longer ones."""

_NOTES = "__metadata__"
"""The one key of a header that is not a tensor."""

_MAY_POINT_TO_CODE = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
)
_TRUST_HINT = (
    "read that code, and if you trust it, pass --trust-remote-code (in Python: trust_remote_code=True)"
)


def check_safety(folder: ModelFolder, *, trust_remote_code: bool) -> None:
    """Check that a folder can be loaded without running code or unpickling anything.

    Args:
        folder: The model folder.
        trust_remote_code: Whether the user asked for the checkpoint's own code to be run.

    Raises:
        CheckpointError: If a module is not one of sentence-transformers' own or a configuration points to
            code (unless trusted), if weights exist only as pickle, are missing or cut short, or belong to an
            adapter.
    """
    for module in folder.modules:
        if not trust_remote_code:
            _check_code(folder, module)
        _check_weights(folder, module)


def _check_code(folder: ModelFolder, module: ModuleEntry) -> None:
    """Refuse a module whose class or configuration points to foreign code.

    Raises:
        CheckpointError: If it does.
    """
    if not module.type.startswith(_TRUSTED):
        message = (
            f"{folder.path}: module {module.index} is {module.type!r}, which is not part of "
            f"sentence-transformers; loading it runs the checkpoint's own code: {_TRUST_HINT}"
        )
        raise CheckpointError(message)
    for name in _MAY_POINT_TO_CODE:
        path = module.folder / name
        if "auto_map" in read_json(path, required=False):
            message = f"{path}: `auto_map` points to the checkpoint's own code: {_TRUST_HINT}"
            raise CheckpointError(message)


def _check_weights(folder: ModelFolder, module: ModuleEntry) -> None:
    """Refuse a module without safetensors weights, unless its kind has none.

    Raises:
        CheckpointError: If its weights are pickled, cut short, missing or an adapter's.
    """
    if (module.folder / "adapter_config.json").is_file():
        message = (
            f"{module.folder}: holds an adapter, whose base model is elsewhere; merge it first "
            "(`merge_and_unload()`) and save the whole model"
        )
        raise CheckpointError(message)
    if (module.folder / _WEIGHTS).is_file():
        _check_size(module.folder / _WEIGHTS)
        return
    # Only transformers knows how to put shards together; other modules look for the one file.
    if module.kind == TRANSFORMER and (module.folder / _SHARDS).is_file():
        _check_shards(module.folder)
        return
    if pickles := pickled_weights(module.folder):
        message = (
            f"{pickles[0]}: weights stored as pickle, which can run code when opened; convert them where you "
            "trust them: `model.save_pretrained(folder, safe_serialization=True)`"
        )
        raise CheckpointError(message)
    if module.kind not in _WITHOUT_WEIGHTS and module.type.startswith(_TRUSTED):
        message = (
            f"{module.folder}: no {_WEIGHTS} for module {module.index} ({module.kind}) of {folder.path}; "
            "the folder is incomplete, or the model was published only as pickle: save it again with "
            "`model.save_pretrained(folder, safe_serialization=True)`"
        )
        raise CheckpointError(message)


def _check_shards(folder: Path) -> None:
    """Check that every shard the index names is there, and whole.

    Raises:
        CheckpointError: If one is missing or cut short, or the index is malformed.
    """
    index = folder / _SHARDS
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        message = f"{index}: has no `weight_map`; the file is damaged, copy it again"
        raise CheckpointError(message)
    shards = sorted({str(name) for name in weight_map.values()})
    missing = [name for name in shards if not (folder / name).is_file()]
    if missing:
        message = f"{folder}: weight shards are missing: {', '.join(missing)}; copy the folder again"
        raise CheckpointError(message)
    for name in shards:
        _check_size(folder / name)


def _check_size(path: Path) -> None:
    """Check that a safetensors file is as long as its header says, without reading the weights.

    Raises:
        CheckpointError: If it is shorter or longer, has no readable header, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno()).st_size
            expected = _expected_size(file, found)
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); download or copy it again"
        raise CheckpointError(message) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        message = f"{path}: has no readable safetensors header ({error}); download or copy it again"
        raise CheckpointError(message) from error
    if found != expected:
        message = (
            f"{path}: expected {expected} bytes by its header, found {found}; the file is "
            f"{'cut short' if found < expected else 'too long'}: download or copy it again"
        )
        raise CheckpointError(message)


def _expected_size(file: BinaryIO, found: int) -> int:
    """Return a safetensors file's length by its header, or up to the header's end if it stops before that.

    The format is the length of the header in 8 bytes, the header in JSON, and the bytes of the tensors.

    Raises:
        ValueError: If the header is too long to be one, or not JSON.
    """
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if found < _LENGTH_BYTES:
        return _LENGTH_BYTES
    if length > _LONGEST_HEADER:
        message = f"{found} bytes that do not start like safetensors"
        raise ValueError(message)
    start = _LENGTH_BYTES + length
    if found < start:
        return start
    tensors = json.loads(file.read(length))
    ends = (entry["data_offsets"][1] for name, entry in tensors.items() if name != _NOTES)
    return start + max(map(int, ends), default=0)


def pickled_weights(folder: Path) -> list[Path]:
    """Return the weight files in a module's folder that are pickles; a trainer's state is not weights."""
    found = {path for pattern in _PICKLES for path in folder.glob(pattern)}
    return sorted(path for path in found if not path.name.startswith(_TRAINER_STATE))
