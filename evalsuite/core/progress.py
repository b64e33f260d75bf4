"""Progress: what long work reports while it runs. The command line draws it; a library call stays silent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Progress(Protocol):
    """Receiver of progress reports."""

    def start(self, stage: str, items: int, work: float) -> None:
        """Begin a stage.

        Args:
            stage: What is being done, for a person to read.
            items: Things to do, such as texts.
            work: Total cost in any unit proportional to time, such as characters.
        """
        ...

    def advance(self, items: int, work: float) -> None:
        """Report things done since the last report, and their cost."""
        ...

    def finish(self) -> None:
        """End the stage begun last."""
        ...

    def note(self, message: str) -> None:
        """Tell the person something worth knowing now."""
        ...


class Silent:
    """Progress that nobody watches."""

    def start(self, stage: str, items: int, work: float) -> None:
        """Ignore the stage."""

    def advance(self, items: int, work: float) -> None:
        """Ignore the report."""

    def finish(self) -> None:
        """Ignore the end."""

    def note(self, message: str) -> None:
        """Ignore the message."""


class NotesOnly(Silent):
    """Progress of work inside a stage that counts the same things: its messages are told, its counts are not.

    Args:
        progress: Who is told.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def note(self, message: str) -> None:
        """Pass the message on."""
        self._progress.note(message)


@contextlib.contextmanager
def stage(progress: Progress, name: str, work: int) -> Iterator[None]:
    """Report a stage whose things to do are its work, and end it whatever happens."""
    progress.start(name, work, work)
    try:
        yield
    finally:
        progress.finish()
