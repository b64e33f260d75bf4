"""Writing checkpoints: a base's files, a head behind them, and a model card."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.core.errors import CheckpointError
from evalsuite.core.files import storage_errors, write_bytes, write_text
from evalsuite.models.folder import read_model_folder

if TYPE_CHECKING:
    from torch import Tensor

CARD = "README.md"
SETTINGS = "config_sentence_transformers.json"
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.py")
"""Files of a model folder that travel: no pickles, no exports, no README of the base."""

_DENSE = "sentence_transformers.models.Dense"
_NORMALIZE = "sentence_transformers.models.Normalize"
_IDENTITY = "torch.nn.modules.linear.Identity"


@dataclass(frozen=True)
class Notes:
    """What a checkpoint says about itself.

    Attributes:
        dims: Matryoshka dimensions to declare.
        files: Name to content of text files, such as the model card.
    """

    dims: Sequence[int]
    files: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Declare the dimensions in a checkpoint's settings and lay the files beside it."""
        file = folder / SETTINGS
        settings = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        declared = {**settings, "matryoshka_dims": sorted(self.dims, reverse=True)}
        write_text(file, json.dumps(declared, indent=1))
        for name, content in self.files.items():
            write_text(folder / name, content)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Make a folder that appears under its name only once it is complete.

    Yields:
        A scratch folder to fill, on the same file system.

    Raises:
        StorageError: If it cannot be written.
    """
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".writing-") as scratch:
            filled = Path(scratch) / "model"
            filled.mkdir()
            yield filled
            filled.replace(folder)


def write_head(folder: Path, layers: Sequence[Tensor], start: int) -> list[dict[str, Any]]:
    """Write linear layers without bias or activation, and the normalisation behind them.

    Args:
        folder: The model's folder.
        layers: (out, in) weights, in the order they are applied.
        start: Index of the first layer in the pipeline.

    Returns:
        The entries of `modules.json` that belong to them.
    """
    from safetensors.torch import save

    entries = []
    for index, weight in enumerate(layers, start=start):
        name = f"{index}_Dense"
        config = {
            "in_features": weight.shape[1],
            "out_features": weight.shape[0],
            "bias": False,
            "activation_function": _IDENTITY,
        }
        write_text(folder / name / "config.json", json.dumps(config, indent=1))
        tensor = weight.detach().cpu().float().contiguous()
        write_bytes(folder / name / "model.safetensors", save({"linear.weight": tensor}))
        entries.append({"idx": index, "name": str(index), "path": name, "type": _DENSE})
    last = start + len(layers)
    name = f"{last}_Normalize"
    write_text(folder / name / "config.json", "{}")
    entries.append({"idx": last, "name": str(last), "path": name, "type": _NORMALIZE})
    return entries


def headless_modules(base: Path) -> list[dict[str, Any]]:
    """Return the entries of a base's `modules.json` without the normalisation at its end.

    A head without bias does not see lengths, so normalising before it changes nothing.

    Raises:
        CheckpointError: If the base is no sentence-transformers folder.
    """
    if read_model_folder(base).plain:
        message = (
            f"{base}: has no modules.json, so its pooling is not known; save it with sentence-transformers"
        )
        raise CheckpointError(message)
    modules: list[dict[str, Any]] = json.loads((base / "modules.json").read_text(encoding="utf-8"))
    while modules and str(modules[-1]["type"]).endswith(".Normalize"):
        modules.pop()
    return modules


def write_with_head(folder: Path, base: Path, layers: Sequence[Tensor], notes: Notes) -> None:
    """Write a checkpoint: a base's files, linear layers behind its pooling, normalisation.

    Large files are hard links where that is possible, so many heads on one base take the room of one. They
    link to the copy in a sibling folder, never to the base itself.

    Args:
        folder: Where to; it must not exist.
        base: The base's folder.
        layers: (out, in) weights of the head.
        notes: What else to write.

    Raises:
        CheckpointError: If the base is no sentence-transformers folder.
        StorageError: If the folder cannot be written.
    """
    modules = headless_modules(base)
    kept = {base, *(base / str(module["path"]) for module in modules)}
    with new_folder(folder) as scratch:
        for source in sorted(kept):
            for file in sorted(path for pattern in _WANTED for path in source.glob(pattern)):
                _bring(file, scratch / file.relative_to(base), folder)
        modules += write_head(scratch, layers, len(modules))
        write_text(scratch / "modules.json", json.dumps(modules, indent=1))
        notes.write(scratch)


def head_layers(folder: Path, base: Path) -> list[Tensor]:
    """Read the linear layers that a checkpoint has behind its base, in the order they are applied.

    Raises:
        CheckpointError: If what stands behind the base is not linear layers without bias or activation.
    """
    from safetensors.torch import load_file

    layers = []
    for module in read_model_folder(folder).modules[len(headless_modules(base)) : -1]:
        plain = module.kind == "Dense" and module.config.get("activation_function") == _IDENTITY
        if not plain or module.config.get("bias"):
            message = (
                f"{module.folder}: no linear layer without bias and activation; open the whole checkpoint"
            )
            raise CheckpointError(message)
        layers.append(load_file(module.folder / "model.safetensors")["linear.weight"])
    return layers


def _bring(file: Path, target: Path, folder: Path) -> None:
    """Link a large file from a sibling checkpoint that has the same, else copy it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".safetensors":
        for sibling in sorted(folder.parent.glob(f"*/{target.name}")):
            if not sibling.samefile(file) and filecmp.cmp(sibling, file, shallow=False):
                try:
                    os.link(sibling, target)
                except OSError:
                    break  # A file system without links: a copy does as well.
                return
    shutil.copyfile(file, target)
