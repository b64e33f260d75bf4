"""Memory: which checkpoints a watch has evaluated, kept in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from evalsuite.core.errors import RunFileError
from evalsuite.core.files import write_text
from evalsuite.core.run import RECORD_FILE, Run

MEMORY_FILE = "watch.json"
FORMAT = 1


@dataclass(frozen=True)
class Remembered:
    """What became of one checkpoint.

    Attributes:
        files: Signature of its files.
        question: Digest of the question.
        step: Its step.
        problem: Why it could not be evaluated; empty if it was.
    """

    files: str
    question: str
    step: int
    problem: str = ""


class Memory:
    """What a watch has done, as a file that is written whole after each checkpoint.

    Args:
        out: Folder of the results.
        question: Digest of the question that is asked now; what was remembered of another is done again.
    """

    def __init__(self, out: Path, question: str) -> None:
        self._out = out
        self._question = question
        self._entries: dict[str, Remembered] = {}

    def load(self) -> None:
        """Recall what was done.

        Raises:
            RunFileError: If the file is damaged.
        """
        file = self._out / MEMORY_FILE
        if not file.exists():
            return
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                message = f"{file}: format {content['format']!r}, this evalsuite reads {FORMAT}; move it away"
                raise RunFileError(message)
            self._entries = {name: Remembered(**entry) for name, entry in content["checkpoints"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"{file}: cannot be read ({error}); delete it to evaluate every checkpoint again"
            raise RunFileError(message) from error

    def knows(self, name: str, files: str) -> bool:
        """Tell whether a checkpoint with these files was asked this question; failing counts."""
        entry = self._entries.get(name)
        if entry is None or (entry.files, entry.question) != (files, self._question):
            return False
        return bool(entry.problem) or (self._out / name / RECORD_FILE).exists()

    def add(self, name: str, entry: Remembered) -> None:
        """Remember a checkpoint.

        Raises:
            StorageError: If it cannot be written.
        """
        self._entries[name] = entry
        entries = {name: asdict(entry) for name, entry in self._entries.items()}
        content = {"format": FORMAT, "checkpoints": entries}
        write_text(self._out / MEMORY_FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def known(self) -> list[tuple[str, Remembered]]:
        """Return the checkpoints that were asked this question, by step; those whose run is gone are not."""
        mine = [(name, entry) for name, entry in self._entries.items() if entry.question == self._question]
        there = [each for each in mine if each[1].problem or (self._out / each[0] / RECORD_FILE).exists()]
        return sorted(there, key=lambda each: (each[1].step, each[0]))

    def runs(self) -> list[Run]:
        """Open the runs of this question, by step.

        Raises:
            RunFileError: If one is damaged.
        """
        return [Run.load(self._out / name) for name, entry in self.known() if not entry.problem]

    def last_step(self) -> int:
        """Return the highest step; -1 before there is any."""
        return max((entry.step for entry in self._entries.values()), default=-1)
