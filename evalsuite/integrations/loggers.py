"""Loggers: where the numbers of each step go; JSON lines always, TensorBoard and wandb behind extras."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from evalsuite.core.errors import RunFileError, UsageError, known_names
from evalsuite.core.files import write_text

METRICS_FILE = "metrics.jsonl"


class Logger(Protocol):
    """Receives the numbers of each step."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the numbers of a step.

        Args:
            step: Step of the training.
            values: Number by name; NaN where something failed.
        """
        ...

    def close(self) -> None:
        """Write what is still held back; nothing is logged afterwards."""
        ...


class JsonLinesLogger:
    """A file with one JSON object a step, in the order of steps; NaN is null.

    A step that is logged again replaces its line: a resumed training does not double them.

    Args:
        path: The file; made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the numbers of a step; see `Logger.log`.

        Raises:
            RunFileError: If the file holds something else.
            StorageError: If it cannot be written.
        """
        lines = self._lines()
        known = {name: value if math.isfinite(value) else None for name, value in values.items()}
        lines[step] = json.dumps({"step": step, **known}, ensure_ascii=False)
        write_text(self.path, "".join(f"{lines[each]}\n" for each in sorted(lines)))

    def close(self) -> None:
        """Do nothing: every line is on the disk already."""

    def _lines(self) -> dict[int, str]:
        """Read the lines that are there, by step."""
        if not self.path.exists():
            return {}
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
            return {int(json.loads(line)["step"]): line for line in lines}
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{self.path}: not a log of steps ({error}); move it away to begin a new one"
            raise RunFileError(message) from error


class TensorBoardLogger:
    """TensorBoard event files.

    Args:
        folder: Folder for the event files.

    Raises:
        UsageError: If the extra is not installed.
    """

    def __init__(self, folder: Path) -> None:
        _need("tensorboard", f"tensorboard:{folder}")
        self._folder = folder
        self._writer: Any = None

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the numbers of a step; see `Logger.log`."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder))
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class WandbLogger:
    """A run of Weights & Biases, or the trainer's own if it is open; `WANDB_MODE=offline` needs no network.

    Names start with `evalsuite/`, and the step is a number of its own (`evalsuite/step`), so that the
    trainer's own steps and ours do not disturb each other.

    Args:
        project: Name of the project.

    Raises:
        UsageError: If the extra is not installed.
    """

    def __init__(self, project: str) -> None:
        _need("wandb", f"wandb:{project}")
        self._project = project
        self._run: Any = None
        self._own = False

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the numbers of a step; see `Logger.log`."""
        if self._run is None:
            self._open()
        self._run.log(
            {"evalsuite/step": step, **{f"evalsuite/{name}": value for name, value in values.items()}}
        )

    def close(self) -> None:
        """Finish the run, if it was begun here."""
        if self._own:
            self._run.finish()
        self._run, self._own = None, False

    def _open(self) -> None:
        import wandb

        self._own = wandb.run is None
        self._run = wandb.init(project=self._project, job_type="evalsuite") if self._own else wandb.run
        self._run.define_metric("evalsuite/step")
        self._run.define_metric("evalsuite/*", step_metric="evalsuite/step")


class Loggers:
    """Several loggers as one.

    Args:
        members: The loggers, told in this order.
    """

    def __init__(self, members: Sequence[Logger]) -> None:
        self._members = tuple(members)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Tell every logger."""
        for each in self._members:
            each.log(step, values)

    def close(self) -> None:
        """Close every logger."""
        for each in self._members:
            each.close()


def open_loggers(words: Sequence[str | Logger]) -> Loggers:
    """Make loggers from words such as `tensorboard:DIR`, `wandb:PROJECT`, `jsonl:FILE`.

    Args:
        words: Words, or loggers of your own.

    Raises:
        UsageError: If a word is not understood or its extra is not installed; names all of those.
    """
    made: list[Logger] = []
    mistakes: list[str] = []
    for word in words:
        try:
            made.append(_open(word) if isinstance(word, str) else word)
        except UsageError as error:
            mistakes.append(str(error))
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return Loggers(made)


def _open(word: str) -> Logger:
    """Make one logger from its word."""
    kind, _, where = word.partition(":")
    if kind not in _KINDS or not where:
        known = known_names([f"{name}:{what}" for name, (what, _) in _KINDS.items()])
        message = f"--log {word}: not a logger; give one of: {known}"
        raise UsageError(message)
    return _KINDS[kind][1](where)


def _json_lines(where: str) -> Logger:
    return JsonLinesLogger(Path(where))


def _tensorboard(where: str) -> Logger:
    return TensorBoardLogger(Path(where))


_KINDS: dict[str, tuple[str, Callable[[str], Logger]]] = {
    "jsonl": ("FILE", _json_lines),
    "tensorboard": ("DIR", _tensorboard),
    "wandb": ("PROJECT", WandbLogger),
}


def _need(package: str, word: str) -> None:
    """Make sure that an extra is installed.

    Raises:
        UsageError: If it is not; says how to install it.
    """
    found = importlib.util.find_spec(package)
    # wandb leaves a folder `wandb` behind, which Python takes for a package without a file.
    if found is None or found.origin is None:
        message = f'{word}: {package} is not installed; run: pip install "evalsuite[{package}]"'
        raise UsageError(message)
