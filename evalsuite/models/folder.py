"""What a model folder says about itself, read from its JSON files alone: no weights, no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from evalsuite.core.errors import CheckpointError
from evalsuite.models.gemma import EMBEDDINGGEMMA_DIMS, has_embeddinggemma_backbone, text_config

TRANSFORMER = "Transformer"
_ROUTERS = ("Router", "Asym")
_KEEPS_WIDTH = ("Normalize", "Dropout", "LayerNorm")
_POOLING_FLAG = "pooling_mode_"
_README_DIMS = re.compile(r'"matryoshka_dims"\s*:\s*\[([0-9,\s]*)\]')
_DIMS_KEYS = ("matryoshka_dims", "matryoshka_dimensions")
_NO_LIMIT = 10**12
"""Tokenizers without a length limit store about 1e30."""


@dataclass(frozen=True)
class ModuleEntry:
    """One line of `modules.json`.

    Attributes:
        index: Position in the pipeline.
        folder: The module's own folder; the model's root for the first module of most models.
        type: Dotted name of its class.
        config: Its `config.json`; empty if it has none.
    """

    index: int
    folder: Path
    type: str
    config: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The bare class name, such as `Dense`."""
        return self.type.rpartition(".")[2]


@dataclass(frozen=True)
class ModelFolder:
    """A model folder's layout and configuration.

    Attributes:
        path: The folder.
        modules: The pipeline; for a plain transformers folder just its backbone.
        plain: Whether there is no `modules.json`; sentence-transformers then adds mean pooling.
        settings: `config_sentence_transformers.json`, empty if there is none.
    """

    path: Path
    modules: tuple[ModuleEntry, ...]
    plain: bool
    settings: Mapping[str, Any]

    @property
    def backbone(self) -> Mapping[str, Any]:
        """The transformer's `config.json`; empty if the pipeline has no transformer."""
        return next((module.config for module in self.modules if module.kind == TRANSFORMER), {})

    def dim(self) -> int | None:
        """Return the pipeline's output width, or None if the configuration files do not tell."""
        if any(module.kind in _ROUTERS for module in self.modules):
            return None
        for module in reversed(self.modules):
            if module.kind not in _KEEPS_WIDTH:
                return _output_width(module)
        return None

    def max_seq_length(self) -> int | None:
        """Return the longest input in tokens, read as sentence-transformers reads it; None if unlimited."""
        first = self.modules[0]
        for name in sorted(first.folder.glob("sentence_*_config.json")):
            limit = read_json(name).get("max_seq_length")
            if isinstance(limit, int):
                return limit
        tokenizer = read_json(first.folder / "tokenizer_config.json", required=False)
        positions = text_config(first.config).get("max_position_embeddings")
        limits = [
            int(limit)
            for limit in (tokenizer.get("model_max_length"), positions)
            if isinstance(limit, int | float) and 0 < limit < _NO_LIMIT
        ]
        return min(limits, default=None)

    def declared_dims(self) -> list[int]:
        """Return the Matryoshka dimensions the folder declares, in the order found; empty if none.

        Looked for in `config_sentence_transformers.json`, in the backbone's `config.json`, in the block that
        sentence-transformers writes into the README after training, and at last by EmbeddingGemma's shape.
        """
        for config in (self.settings, self.backbone):
            if dims := declared_in_config(config):
                return dims
        if dims := self._dims_in_readme():
            return dims
        return list(EMBEDDINGGEMMA_DIMS) if is_embeddinggemma_shape(self.backbone, self.dim()) else []

    def _dims_in_readme(self) -> list[int]:
        readme = self.path / "README.md"
        if not readme.is_file():
            return []
        match = _README_DIMS.search(readme.read_text(encoding="utf-8", errors="replace"))
        return [int(number) for number in re.findall(r"[0-9]+", match[1])] if match else []


def read_model_folder(path: Path) -> ModelFolder:
    """Read the layout of a sentence-transformers or plain transformers folder.

    Raises:
        CheckpointError: If it is neither, or a JSON file is missing or malformed.
    """
    settings = read_json(path / "config_sentence_transformers.json", required=False)
    listing = path / "modules.json"
    if listing.is_file():
        return ModelFolder(path, tuple(_read_entries(listing)), plain=False, settings=settings)
    if not (path / "config.json").is_file():
        message = (
            f"{path}: holds neither modules.json nor config.json, so it is not a model folder; "
            "give the folder that `model.save_pretrained` wrote"
        )
        raise CheckpointError(message)
    type_name = f"sentence_transformers.base.modules.transformer.{TRANSFORMER}"
    backbone = ModuleEntry(0, path, type_name, read_json(path / "config.json"))
    return ModelFolder(path, (backbone,), plain=True, settings=settings)


def read_json(path: Path, *, required: bool = True) -> dict[str, Any]:
    """Read a JSON object; a missing file is `{}` unless it is required.

    Raises:
        CheckpointError: If the file is missing though required, cannot be read, or is not a JSON object.
    """
    if not required and not path.exists():
        return {}
    content = _parse(path)
    if not isinstance(content, dict):
        message = f"{path}: expected a JSON object, found {type(content).__name__}; restore the file"
        raise CheckpointError(message)
    return content


def declared_in_config(config: Mapping[str, Any]) -> list[int]:
    """Return the Matryoshka dimensions a configuration lists; empty if it lists none."""
    for key in _DIMS_KEYS:
        dims = config.get(key)
        if isinstance(dims, list | tuple) and dims and all(isinstance(dim, int) and dim > 0 for dim in dims):
            return list(dims)
    return []


def is_embeddinggemma_shape(backbone: Mapping[str, Any], dim: int | None) -> bool:
    """Tell whether a pipeline has the backbone and the output width of an EmbeddingGemma."""
    return dim == EMBEDDINGGEMMA_DIMS[0] and has_embeddinggemma_backbone(backbone)


def _parse(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        CheckpointError: If it cannot be read or parsed.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); the model folder is incomplete, copy it again"
        raise CheckpointError(message) from error
    except ValueError as error:
        message = f"{path}: is not valid JSON ({error}); the file is damaged, copy it again"
        raise CheckpointError(message) from error


def _read_entries(listing: Path) -> list[ModuleEntry]:
    """Read `modules.json`, following routers into the pipelines they choose from.

    Raises:
        CheckpointError: If it is not a list of modules, or names a folder outside the model's.
    """
    content = _parse(listing)
    if not isinstance(content, list) or not content:
        message = f"{listing}: expected a list of modules; restore the file"
        raise CheckpointError(message)
    entries: list[ModuleEntry] = []
    for index, line in enumerate(content):
        if not isinstance(line, dict) or not all(isinstance(line.get(key), str) for key in ("path", "type")):
            message = f"{listing}: module {index} has no `path` and `type`; restore the file"
            raise CheckpointError(message)
        entry = _read_entry(listing, index, line["path"], line["type"])
        entries.append(entry)
        if entry.kind in _ROUTERS:
            router = entry.folder / "router_config.json"
            types = read_json(router, required=False).get("types") or {}
            root = entry.folder.relative_to(listing.parent)
            entries += [
                _read_entry(listing, index, (root / path).as_posix(), str(name))
                for path, name in types.items()
            ]
    return entries


def _read_entry(listing: Path, index: int, path: str, type_name: str) -> ModuleEntry:
    """Read one module's configuration.

    Raises:
        CheckpointError: If its folder lies outside the model's, or its `config.json` is malformed or missing
            though its kind needs one.
    """
    windows = PureWindowsPath(path)
    if PurePosixPath(path).is_absolute() or windows.anchor or ".." in windows.parts:
        message = f"{listing}: module {index} lies outside the model folder ({path!r}); refused"
        raise CheckpointError(message)
    folder = listing.parent / path
    kind = type_name.rpartition(".")[2]
    config = read_json(folder / "config.json", required=kind in (TRANSFORMER, "Pooling", "Dense"))
    return ModuleEntry(index, folder, type_name, config)


def _output_width(module: ModuleEntry) -> int | None:
    """Return the width of the vectors a module puts out, or None if its configuration does not tell."""
    config = module.config
    width: object = None
    if (
        module.kind == "Dense"
        and config.get("module_output_name", "sentence_embedding") == "sentence_embedding"
    ):
        width = config.get("out_features")
    elif module.kind == "Pooling":
        base = config.get("embedding_dimension", config.get("word_embedding_dimension"))
        width = base * len(pooling_modes(config)) if isinstance(base, int) else None
    elif module.kind == TRANSFORMER:
        text = text_config(config)
        width = text.get("embedding_dim", text.get("hidden_size"))
    return width if isinstance(width, int) else None


def pooling_modes(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the pooling modes of a Pooling configuration, in the present or the older spelling."""
    mode = config.get("pooling_mode")
    if isinstance(mode, str):
        return (mode,)
    if isinstance(mode, list | tuple) and mode:
        return tuple(str(name) for name in mode)
    older = tuple(
        key.removeprefix(_POOLING_FLAG).removesuffix("_tokens").removesuffix("_token")
        for key, on in config.items()
        if key.startswith(_POOLING_FLAG) and on is True
    )
    return older or ("mean",)
