"""Collecting every mistake of a task's files, so that a person fixes them in one go."""

from __future__ import annotations

from pathlib import Path

from evalsuite.core.errors import TaskDataError

SHOWN = 50
"""How many mistakes one error prints; the rest is counted."""


class TaskFilesError(TaskDataError):
    """A task's files are malformed; prints `SHOWN` mistakes at most and counts the rest.

    Args:
        where: The folder or file that was read.
        problems: The mistakes that are shown.
        total: How many mistakes there are.
    """

    def __init__(self, where: str, problems: list[str], total: int) -> None:
        hidden = total - len(problems)
        super().__init__(where, [*problems, f"... and {hidden:,} more"] if hidden else problems)
        self.total = total

    def __str__(self) -> str:
        heading = f"{self.where}: {self.total:,} problem{'s' if self.total != 1 else ''}"
        return "\n".join([heading, *(f"  - {problem}" for problem in self.problems)])


class Problems:
    """The mistakes found so far, grouped by file.

    Memory stays small however broken the files are: each file keeps `SHOWN` texts and a count.

    Args:
        root: The folder or file being read; file names in messages are relative to it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, text: str, *, file: Path | None = None, line: int | None = None) -> None:
        """Note a mistake, with the file and the line (from 1) it is on where there is one."""
        label = self.label(file) if file else ""
        place = f"{label}:{line}: " if line is not None else f"{label}: " if label else ""
        texts = self._texts.setdefault(label, [])
        self._counts[label] = self._counts.get(label, 0) + 1
        if len(texts) < SHOWN:
            texts.append(place + text)

    def label(self, file: Path) -> str:
        """Name a file as messages do: relative to the folder being read."""
        if file == self._root:
            return file.name
        return file.relative_to(self._root).as_posix() if file.is_relative_to(self._root) else str(file)

    def of(self, file: Path) -> int:
        """Count the mistakes noted for one file."""
        return self._counts.get(self.label(file), 0)

    def raise_if_any(self) -> None:
        """Stop here when anything was noted.

        Raises:
            TaskFilesError: Lists the mistakes; when there are too many, every file shows its share.
        """
        total = sum(self._counts.values())
        if not total:
            return
        share = SHOWN if total <= SHOWN else max(1, SHOWN // len(self._texts))
        shown = [text for texts in self._texts.values() for text in texts[:share]]
        raise TaskFilesError(str(self._root), shown, total)
