"""Watch: evaluates the checkpoints of a training as a trainer writes them, each once, in the order of steps.

::

    OUT/watch.json            what was done; a watch that is started again goes on from there
    OUT/metrics.jsonl         the numbers of each step
    OUT/CHECKPOINT/           a run a checkpoint, with its verdict
    OUT/over-checkpoints.svg  quality and spread over steps, once there are three; also as .png
    OUT/report.html           all steps side by side, written after each look that found a new one
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from evalsuite.api.question import AnyPath, Question
from evalsuite.core.errors import EvalsuiteError, StorageError, UsageError
from evalsuite.core.files import storage_errors, write_bytes, write_text
from evalsuite.core.progress import Progress, Silent
from evalsuite.core.run import Run
from evalsuite.core.verdict import Verdict
from evalsuite.integrations.complete import Settling, checkpoints_in, signature, step_of, unfinished
from evalsuite.integrations.flat import EXIT_CODE, MEAN, flat_metrics
from evalsuite.integrations.loggers import METRICS_FILE, JsonLinesLogger, Logger, Loggers, open_loggers
from evalsuite.integrations.memory import Memory, Remembered
from evalsuite.integrations.step_gate import StepGate

OUT = "evalsuite"
"""Default folder of the results, within the folder that is watched."""
LOCK = ".watch.lock"
SETTLE = 5.0
"""Seconds for which the files of a checkpoint must not change."""


@dataclass(frozen=True)
class Watched:
    """What became of one checkpoint.

    Attributes:
        name: Name of its folder.
        step: Its step.
        run: Its run; None if it could not be evaluated.
        verdict: What the gate said; None without a gate, or for the first step.
        problem: Why it could not be evaluated; empty if it was.
    """

    name: str
    step: int
    run: Run | None = None
    verdict: Verdict | None = None
    problem: str = ""


@dataclass(frozen=True)
class Settings:
    """How a watch works.

    Attributes:
        out: Folder of the results; by default `evalsuite` within the folder that is watched.
        log: Loggers beside `metrics.jsonl`.
        settling: When a checkpoint counts as written.
        cache_dir: Folder of the embedding store.
        progress: Told about the work.
    """

    out: AnyPath | None = None
    log: Sequence[str | Logger] = ()
    settling: Settling = field(default_factory=lambda: Settling(SETTLE))
    cache_dir: AnyPath | None = None
    progress: Progress = field(default_factory=Silent)


class Watch:
    """Evaluates the checkpoints below a folder; use it in a `with` block, one at a time an `out`.

    Attributes:
        folder: The folder.
        out: Folder of the results.
        waiting: Checkpoints that the last look left alone, and what they lack.
        recalled: What an earlier watch of the same folder evaluated, judged anew when this one began.

    Args:
        folder: The folder that a trainer writes its checkpoints to.
        question: Tasks, dimensions and precisions.
        gate: Judges each step.
        settings: Where results go, and how it is worked.

    Raises:
        UserError: If there is no such folder, or the question or a logger cannot be used.
    """

    def __init__(
        self,
        folder: AnyPath,
        question: Question | None = None,
        gate: StepGate | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            message = (
                f"{self.folder}: no such folder; give the one that the trainer writes its checkpoints to"
            )
            raise UsageError(message)
        self._question = question or Question()
        self._question.check()
        self._gate = gate
        self._settings = settings or Settings()
        self.out = self.folder / OUT if self._settings.out is None else Path(self._settings.out)
        self.waiting: dict[str, str] = {}
        self.recalled: list[Watched] = []
        self._settles = False
        self._page_is_old = True
        lines = JsonLinesLogger(self.out / METRICS_FILE)
        self._loggers = Loggers([lines, open_loggers(self._settings.log)])
        self._lock = FileLock(self.out / LOCK)
        self._memory = Memory(self.out, self._question.digest)

    def __enter__(self) -> Self:
        """Take the folder of the results, and recall what was done.

        Raises:
            StorageError: If another watch has it, or it cannot be written to.
            RunFileError: If what was done cannot be read.
        """
        with storage_errors(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                message = f"{self.out}: another watch is writing here; choose another --out"
                raise StorageError(message) from None
        try:
            self._recall()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the folder go, and close the loggers."""
        self._loggers.close()
        self._lock.release()

    def look(self) -> Iterator[Watched]:
        """Evaluate the checkpoints that are complete and new, one after the other.

        Afterwards `waiting` says which others there are, and what they lack.
        """
        self.waiting, self._settles = {}, False
        yield from self._new()
        if self._page_is_old:
            write_page(self._memory.runs(), self.out)
            self._page_is_old = False

    def _new(self) -> Iterator[Watched]:
        """Evaluate what is complete and new."""
        for path in checkpoints_in(self.folder):
            if path.resolve() == self.out.resolve():
                continue
            try:
                files = signature(path)
                lacks = unfinished(path)
            except OSError:
                # The trainer deletes old checkpoints while we look.
                continue
            if self._memory.knows(path.name, files):
                continue
            if not self._settings.settling.is_settled(path, files):
                self.waiting[path.name] = lacks or "just written"
                self._settles = True
            elif lacks:
                self.waiting[path.name] = lacks
            else:
                yield self._take(path, files)

    def follow(
        self, every: float, *, once: bool = False, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[Watched]:
        """Look again and again.

        Args:
            every: Seconds between two looks; other than that while a checkpoint has yet to settle.
            once: Stop after what is there now: a second look at most, for what had to settle.
            sleep: Waits.
        """
        looks = 0
        while True:
            yield from self.look()
            looks += 1
            if once and (looks > 1 or not self._settles):
                return
            sleep(self._settings.settling.seconds if self._settles else every)

    def _recall(self) -> None:
        """Read what was done, and judge it again: a step that regressed does not pass by starting anew."""
        self._memory.load()
        for name, entry in self._memory.known():
            if not entry.problem:
                run = Run.load(self.out / name)
                self.recalled.append(Watched(name, entry.step, run, self._judged(run)))
            elif (self.folder / name).exists():
                self.recalled.append(Watched(name, entry.step, problem=entry.problem))

    def _judged(self, run: Run) -> Verdict | None:
        """Judge a step; None without a gate, and for the first step."""
        return None if self._gate is None else self._gate.judge(run, flat_metrics(run)[MEAN])

    def _take(self, path: Path, files: str) -> Watched:
        """Evaluate one checkpoint, and remember what became of it."""
        step = step_of(path)
        step = self._memory.last_step() + 1 if step is None else step
        watched = self._evaluate(path, step)
        if watched.run is None and not path.exists():
            return Watched(path.name, step, problem=f"{path}: was deleted before it could be evaluated")
        self._memory.add(path.name, Remembered(files, self._question.digest, step, watched.problem))
        if watched.run is not None:
            draw(self._memory.runs(), self.out)
            self._page_is_old = True
        return watched

    def _evaluate(self, path: Path, step: int) -> Watched:
        """Evaluate, judge and log one checkpoint; what is wrong with it does not end the watch."""
        try:
            run = self._question.ask(
                path,
                self.out / path.name,
                cache_dir=self._settings.cache_dir,
                progress=self._settings.progress,
                command=f"evalsuite watch {self.folder}",
            )
        except StorageError:
            raise
        except EvalsuiteError as error:
            return Watched(path.name, step, problem=str(error))
        flat, verdict = flat_metrics(run), self._judged(run)
        if verdict is not None:
            flat[EXIT_CODE] = float(verdict.exit_code)
        self._loggers.log(step, flat)
        return Watched(path.name, step, run, verdict)


def draw(runs: Sequence[Run], out: Path) -> tuple[Path, ...]:
    """Draw quality and spread over the steps of some runs.

    Args:
        runs: Runs of one training.
        out: Folder for the SVG and the PNG.

    Returns:
        The files; none if there are too few runs for a line.

    Raises:
        StorageError: If they cannot be written.
    """
    from evalsuite.reporting.over_checkpoints import draw_over_checkpoints
    from evalsuite.reporting.svg import png_bytes
    from evalsuite.reporting.view import build_view

    files: list[Path] = []
    for drawing in draw_over_checkpoints(build_view(runs)) if runs else ():
        vector, raster = out / "over-checkpoints.svg", out / "over-checkpoints.png"
        write_text(vector, drawing.svg)
        write_bytes(raster, png_bytes(drawing.figure))
        files += [vector, raster]
    return tuple(files)


def write_page(runs: Sequence[Run], out: Path) -> Path | None:
    """Write `report.html` of the runs of one training, side by side.

    Args:
        runs: Runs of one training, by step.
        out: Folder for the page.

    Returns:
        The page; None without a run.

    Raises:
        StorageError: If it cannot be written.
    """
    from evalsuite.reporting.write import write_report

    return write_report(runs, out, formats=("html",)).html if runs else None
