"""Drawing progress: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from evalsuite.cli.console import stderr
from evalsuite.core.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

PLAIN_SECONDS = 10.0
"""Least time between two plain lines."""


def choose_progress(*, quiet: bool) -> Progress:
    """Return bars on a terminal, lines elsewhere, nothing when quiet."""
    if quiet:
        return Silent()
    return BarProgress() if stderr().is_terminal else PlainProgress()


def time_left(elapsed: float, done: float, total: float) -> str:
    """Estimate the remaining time from the cost done so far, such as `2:05`; `?` before anything is done."""
    if done <= 0:
        return "?"
    return clock(elapsed * (total - done) / done)


def clock(seconds: float) -> str:
    """Write seconds as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class PlainProgress:
    """One line at the start and the end of each stage, and one now and then between."""

    def __init__(self) -> None:
        self._stage = ""
        self._items = self._done = 0
        self._work = self._spent = 0.0
        self._began = self._spoke = 0.0

    def start(self, stage: str, items: int, work: float) -> None:
        """Announce the stage."""
        self._stage, self._items, self._work = stage, items, work
        self._done, self._spent = 0, 0.0
        self._began = self._spoke = time.monotonic()
        self._say(f"{stage}: {items} to do")

    def advance(self, items: int, work: float) -> None:
        """Count, and speak if the last line is old."""
        self._done += items
        self._spent += work
        now = time.monotonic()
        if now - self._spoke >= PLAIN_SECONDS and self._done < self._items:
            self._spoke = now
            elapsed = now - self._began
            left = time_left(elapsed, self._spent, self._work)
            rate = f"{self._done / elapsed:.1f}/s"
            self._say(f"{self._stage}: {self._done}/{self._items}, {rate}, {left} left")

    def finish(self) -> None:
        """Announce the end."""
        elapsed = time.monotonic() - self._began
        self._say(f"{self._stage}: {self._done}/{self._items} in {clock(elapsed)}")

    def note(self, message: str) -> None:
        """Print the message."""
        self._say(message)

    def _say(self, message: str) -> None:
        stderr().print(message, markup=False, soft_wrap=True)


class BarProgress:
    """A live bar a stage."""

    def __init__(self) -> None:
        self._bars: Bars | None = None

    def start(self, stage: str, items: int, work: float) -> None:
        """Show a bar whose length is work and whose count is items."""
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[done]}/{task.fields[items]}"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=stderr(),
        )
        self._bars.add_task(stage, total=work, done=0, items=items, rate="")
        self._bars.start()

    def advance(self, items: int, work: float) -> None:
        """Move the bar."""
        if self._bars is None:
            return
        task = self._bars.tasks[0]
        done = task.fields["done"] + items
        rate = f"{done / task.elapsed:.1f}/s" if task.elapsed else ""
        self._bars.update(task.id, advance=work, done=done, rate=rate)

    def finish(self) -> None:
        """Take the bar down, leaving its last state."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def note(self, message: str) -> None:
        """Print the message above the bar."""
        stderr().print(message, markup=False, soft_wrap=True)
