"""Content fingerprints: two models share one exactly if everything that decides their vectors is equal.

Counted are weights, tokenizer, module configurations, prompts, maximum length and dtype. Where a folder lies,
what it is called, its README, a trainer's state and library versions written into configurations are not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.core.errors import CheckpointError
from evalsuite.models.folder import ModelFolder, read_model_folder
from evalsuite.models.prompts import PromptBook

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

_CHUNK = 1 << 20
_RAW = ("*.safetensors", "vocab.txt", "vocab.json", "merges.txt", "*.model", "tokenizer.json", "*.py")
"""Hashed byte by byte: large, or with an order that matters."""

_NOT_COUNTED = {
    "data_config.json",
    "generation_config.json",
    "trainer_state.json",
    "training_args.json",
    "all_results.json",
    "eval_results.json",
    "train_results.json",
}
_NOISE = {
    "__version__",
    "_name_or_path",
    "dtype",
    "is_local",
    "local_files_only",
    "name_or_path",
    "special_tokens_map_file",
    "tokenizer_file",
    "torch_dtype",
    "transformers_version",
    "use_cache",
}
"""Keys that say where a model came from or how it was stored; the dtype it runs in is counted apart."""

_SETTINGS_APART = {"default_prompt_name", "prompts", "similarity_fn_name", "truncate_dim"}
"""Of config_sentence_transformers.json: prompts are counted apart, the others never touch a vector here."""


def folder_fingerprint(
    folder: Path | ModelFolder, *, prompts: PromptBook, max_seq_length: int | None, dtype: str
) -> str:
    """Hash every file of a model folder that decides vectors, and the settings it is used with.

    Args:
        folder: A sentence-transformers or transformers folder.
        prompts: The prompts in use.
        max_seq_length: Longest input in tokens.
        dtype: Number format the model runs in.

    Returns:
        sha256 as 64 hex characters.

    Raises:
        CheckpointError: If the folder is not a model's or a file cannot be read.
    """
    layout = folder if isinstance(folder, ModelFolder) else read_model_folder(folder)
    digest = _settings_digest(prompts, max_seq_length, dtype)
    for path in _counted_files(layout):
        _add(digest, path.relative_to(layout.path).as_posix(), _file_digest(path))
    return digest.hexdigest()


def module_fingerprint(
    model: SentenceTransformer, *, prompts: PromptBook, max_seq_length: int | None, dtype: str
) -> str:
    """Hash a loaded pipeline: tensors, tokenizer, module configurations, and the settings it is used with.

    It differs from the fingerprint of the folder the model was loaded from: memory and files are told apart.

    Returns:
        sha256 as 64 hex characters.
    """
    digest = _settings_digest(prompts, max_seq_length, dtype)
    for index, module in enumerate(model):
        described = module.get_config_dict() if hasattr(module, "get_config_dict") else {}
        backbone = module.config.to_dict() if hasattr(getattr(module, "config", None), "to_dict") else {}
        config = {"type": type(module).__name__, "config": described, "backbone": backbone}
        _add(digest, f"module {index}", _json_digest(config))
    for name, tensor in sorted(model.state_dict().items()):
        _add(digest, f"{name} {tensor.dtype} {tuple(tensor.shape)}", _tensor_digest(tensor))
    _add(digest, "tokenizer", _json_digest(_tokenizer_state(model.tokenizer)))
    return digest.hexdigest()


def _settings_digest(prompts: PromptBook, max_seq_length: int | None, dtype: str) -> hashlib._Hash:
    """Start a hash with what is not in any file."""
    settings = {
        "prompts": dict(prompts.prompts),
        "default_prompt": prompts.default_name,
        "max_seq_length": max_seq_length,
        "dtype": dtype,
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode())


def _add(digest: hashlib._Hash, name: str, content: bytes) -> None:
    """Add a named part; lengths go in front so that no two lists of parts look alike."""
    encoded = name.encode()
    digest.update(len(encoded).to_bytes(8, "big") + encoded + content)


def _counted_files(layout: ModelFolder) -> Iterator[Path]:
    """Yield the files that decide vectors, in the order of their paths."""
    folders = {layout.path, *(module.folder for module in layout.modules)}
    patterns = ("*.json", *_RAW)
    found = {path for folder in folders for pattern in patterns for path in folder.glob(pattern)}
    for path in sorted(found, key=lambda path: path.relative_to(layout.path).as_posix()):
        if path.is_file() and path.name not in _NOT_COUNTED:
            yield path


def _file_digest(path: Path) -> bytes:
    """Hash one file, JSON configurations by content and everything else by bytes.

    Raises:
        CheckpointError: If it cannot be read.
    """
    try:
        if path.suffix == ".json" and not any(path.match(pattern) for pattern in _RAW):
            content = json.loads(path.read_text(encoding="utf-8"))
            if path.name == "config_sentence_transformers.json":
                content = {key: value for key, value in content.items() if key not in _SETTINGS_APART}
            return _json_digest(content)
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.digest()
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be read ({error}); the model folder is damaged, copy it again"
        raise CheckpointError(message) from error


def _json_digest(content: object) -> bytes:
    """Hash a JSON value without its noise, whatever the order of its keys."""
    text = json.dumps(_without_noise(content), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).digest()


def _without_noise(content: object) -> object:
    if isinstance(content, Mapping):
        return {str(key): _without_noise(value) for key, value in content.items() if key not in _NOISE}
    return [_without_noise(item) for item in content] if isinstance(content, list | tuple) else content


def _tensor_digest(tensor: Tensor) -> bytes:
    """Hash a tensor's bytes, whatever its dtype and device."""
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.sha256(flat.numpy().data).digest()


def _tokenizer_state(tokenizer: Any) -> object:
    """Return what decides a tokenizer's output; truncation and padding change with every call and do not."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if hasattr(backend, "to_str"):
        state = json.loads(backend.to_str())
        return {key: value for key, value in state.items() if key not in ("truncation", "padding")}
    return dict(tokenizer.get_vocab()) if hasattr(tokenizer, "get_vocab") else str(type(tokenizer))
