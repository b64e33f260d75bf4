"""Refuse, from the files alone and before anything is loaded, what could run foreign code."""

from __future__ import annotations

from pathlib import Path

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
            code (unless trusted), if weights exist only as pickle, are missing, or belong to an adapter.
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
        CheckpointError: If its weights are pickled, incomplete, missing or an adapter's.
    """
    if (module.folder / "adapter_config.json").is_file():
        message = (
            f"{module.folder}: holds an adapter, whose base model is elsewhere; merge it first "
            "(`merge_and_unload()`) and save the whole model"
        )
        raise CheckpointError(message)
    if (module.folder / _WEIGHTS).is_file():
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
    """Check that every shard the index names is there.

    Raises:
        CheckpointError: If one is missing, or the index is malformed.
    """
    index = folder / _SHARDS
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        message = f"{index}: has no `weight_map`; the file is damaged, copy it again"
        raise CheckpointError(message)
    missing = sorted({str(name) for name in weight_map.values() if not (folder / str(name)).is_file()})
    if missing:
        message = f"{folder}: weight shards are missing: {', '.join(missing)}; copy the folder again"
        raise CheckpointError(message)


def pickled_weights(folder: Path) -> list[Path]:
    """Return the weight files in a module's folder that are pickles; a trainer's state is not weights."""
    found = {path for pattern in _PICKLES for path in folder.glob(pattern)}
    return sorted(path for path in found if not path.name.startswith(_TRAINER_STATE))
