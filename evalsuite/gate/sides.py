"""What BASELINE and CANDIDATE may be: a run, a committed baseline, results of mteb, or a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.errors import UsageError, known_names
from evalsuite.core.run import Run
from evalsuite.gate.baseline import BASELINES_FOLDER, is_baseline, load_baseline

Source = Run | str | os.PathLike[str]

_MODEL_FILES = ("modules.json", "config.json", "model.safetensors", "config_sentence_transformers.json")


@dataclass(frozen=True)
class Openers:
    """How the two kinds of sources are opened that need other rooms.

    Attributes:
        load: Opens a folder that holds a run, or results of mteb.
        evaluate: Evaluates a checkpoint; on the other side's question, or the default one if that is None.
        is_model: Tells whether a word that is no path can name a checkpoint.
    """

    load: Callable[[Path], Run]
    evaluate: Callable[[str, Run | None], Run]
    is_model: Callable[[str], bool]


def open_sides(
    baseline: Source, candidate: Source, openers: Openers, baselines: Path = BASELINES_FOLDER
) -> tuple[Run, Run]:
    """Open both sides of a comparison; a checkpoint is evaluated on what the other side was asked.

    Args:
        baseline: What is compared with.
        candidate: What is judged.
        openers: How runs are loaded and checkpoints evaluated.
        baselines: Where committed baselines are kept.

    Raises:
        UsageError: If a word is neither a run, nor a baseline, nor can it be a checkpoint.
        UserError: If a run cannot be read or a checkpoint not be evaluated.
    """
    before = _open(baseline, openers, baselines)
    after = _open(candidate, openers, baselines)
    if before is None:
        before = openers.evaluate(os.fspath(_word(baseline)), after)
    if after is None:
        after = openers.evaluate(os.fspath(_word(candidate)), before)
    return before, after


def _word(source: Source) -> str | os.PathLike[str]:
    """Return a source that is not a run yet."""
    return str(source.folder) if isinstance(source, Run) else source


def _open(source: Source, openers: Openers, baselines: Path) -> Run | None:
    """Open a source; None if it is a checkpoint.

    Raises:
        UsageError: If there is no such thing.
    """
    if isinstance(source, Run):
        return source
    word, path = os.fspath(source), Path(source)
    if is_baseline(path):
        return load_baseline(path)
    if path.exists():
        checkpoint = path.is_dir() and any((path / name).exists() for name in _MODEL_FILES)
        return None if checkpoint else openers.load(path)
    if is_baseline(baselines / word):
        return load_baseline(baselines / word)
    if openers.is_model(word):
        return None
    known = (
        sorted(each.name for each in baselines.iterdir() if is_baseline(each)) if baselines.is_dir() else []
    )
    message = (
        f"{word!r} is no run, no baseline and no checkpoint; give a run's folder, a model's folder or name "
        f"(hub id ORG/NAME), or a baseline of {baselines}: {known_names(known)}"
    )
    raise UsageError(message)
