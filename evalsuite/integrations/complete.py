"""Which folders are checkpoints, and which of them a trainer has finished writing."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evalsuite.core.errors import CheckpointError
from evalsuite.models.folder import TRANSFORMER, ModelFolder, read_json, read_model_folder

TRAINER_STATE = "trainer_state.json"
_MODEL_FILES = ("modules.json", "config.json")
_SETTINGS = "config_sentence_transformers.json"
_WITH_WEIGHTS = (TRANSFORMER, "Dense")
_UNFINISHED = (".", "tmp-")
_STEP = re.compile(r"(?:checkpoint|ckpt|step|epoch|iter(?:ation)?)[-_=]?(\d+)", re.IGNORECASE)
_OF_TRAINER = re.compile(r"checkpoint-\d+")
_HEADER_BYTES = 8
_LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the safetensors library itself."""


def checkpoints_in(folder: Path) -> list[Path]:
    """List the folders directly below that look like checkpoints, by step, then by name.

    Hidden folders and those that a trainer still stages (`tmp-...`) are left out.
    """
    found = [
        path
        for path in folder.iterdir()
        if path.is_dir()
        and not path.name.startswith(_UNFINISHED)
        and (_STEP.search(path.name) or any((path / name).exists() for name in _MODEL_FILES))
    ]
    return sorted(
        found, key=lambda path: (_named_step(path.name) is None, _named_step(path.name) or 0, path.name)
    )


def step_of(checkpoint: Path) -> int | None:
    """Return a checkpoint's training step, by its name or else its trainer's state; None if unknown."""
    named = _named_step(checkpoint.name)
    if named is not None:
        return named
    try:
        step = read_json(checkpoint / TRAINER_STATE, required=False).get("global_step")
    except CheckpointError:
        return None
    return step if isinstance(step, int) else None


def unfinished(checkpoint: Path) -> str:
    """Say what a checkpoint still lacks, from its files alone; empty if nothing.

    Configurations must parse, every transformer and dense layer must have weights, every safetensors file
    must be as long as its header says, every shard of an index must be there, and a folder named as
    transformers names them must have the trainer's state, which is written last.
    """
    try:
        layout = read_model_folder(checkpoint)
        if _OF_TRAINER.fullmatch(checkpoint.name) or (checkpoint / TRAINER_STATE).exists():
            read_json(checkpoint / TRAINER_STATE)
        if layout.plain and (checkpoint / _SETTINGS).exists():
            # Without its list of modules a pipeline would be taken for a bare transformer.
            return f"{checkpoint / 'modules.json'}: missing"
        return next(_lacking(layout), "")
    except CheckpointError as error:
        return str(error)


def signature(folder: Path) -> str:
    """Hash the paths, sizes and times of all files below a folder; another content has another signature.

    Raises:
        OSError: If a file vanishes meanwhile.
    """
    seen = [
        f"{path.relative_to(folder).as_posix()} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()


@dataclass
class Settling:
    """Tells folders that nobody writes to any more: their signature stayed for some seconds.

    Attributes:
        seconds: How long it must stay.
        clock: Seconds that only go forward.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _seen: dict[Path, tuple[str, float]] = field(default_factory=dict)

    def is_settled(self, folder: Path, now: str) -> bool:
        """Tell whether a folder has had this signature for long enough; begins to count at the first look."""
        before, since = self._seen.get(folder, ("", 0.0))
        if before != now:
            self._seen[folder] = (now, self.clock())
            return self.seconds <= 0
        return self.clock() - since >= self.seconds


def _named_step(name: str) -> int | None:
    """Read the step off a folder's name."""
    match = _STEP.search(name)
    return None if match is None else int(match[1])


def _lacking(layout: ModelFolder) -> Iterator[str]:
    """Name the weights that are missing or not whole.

    Raises:
        CheckpointError: If an index of shards is damaged.
    """
    for module in layout.modules:
        for index in module.folder.glob("*.safetensors.index.json"):
            names = read_json(index).get("weight_map", {}).values()
            missing = (module.folder / name for name in sorted(set(names)))
            yield from (f"{path}: missing" for path in missing if not path.is_file())
        weights = sorted(module.folder.glob("*.safetensors"))
        if not weights and module.kind in _WITH_WEIGHTS:
            yield f"{module.folder}: no safetensors file"
        yield from (f"{path}: {problem}" for path in weights if (problem := _cut_short(path)))


def _cut_short(path: Path) -> str:
    """Say why a safetensors file is not whole; empty if it is.

    The file is 8 bytes with the length of the header, the header in JSON, and the tensors, whose last byte
    the header names (https://github.com/huggingface/safetensors#format).
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_HEADER_BYTES), "little")
            if not 0 < length <= min(size - _HEADER_BYTES, _LONGEST_HEADER):
                return f"cut short ({size} bytes)"
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"cannot be read ({error})"
    expected = _HEADER_BYTES + length + max(ends, default=0)
    return "" if size == expected else f"{size} bytes of {expected}"
