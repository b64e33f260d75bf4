"""Crew: worker processes behind the seam. They encode jobs side by side, and one that dies is replaced.

Workers are programs of their own that talk over pipes, so a script that calls the library needs no guard
around its main part, and nothing is pickled. They end when the driver does, however it ends.
"""

from __future__ import annotations

import selectors
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import CheckpointError, EncodingError
from evalsuite.embeddings.process import Job, Worker
from evalsuite.models.blueprint import Makes

Floats = npt.NDArray[np.float32]

MOST_DEATHS = 2
"""A job that so many workers died over is given up."""


class Crew:
    """Worker processes that encode as one encoder.

    Args:
        blueprints: What each worker makes its encoder from; they differ in the device at most.
        threads: Threads of each worker; 0 leaves it to torch.
        dim: Width of the vectors.
        label: Name of the model, for messages.

    Attributes:
        label: As given.
        threads: As given.
        dim: As given.
        device: Devices of the workers; empty before the first start.
        weight_report: What rounding did to the weights, as JSON values; None if they are as loaded.
        batch: 0: texts of similar length share batches.
    """

    batch = 0

    def __init__(
        self, blueprints: Sequence[Makes], *, threads: int, dim: int, label: str = "the model"
    ) -> None:
        self.blueprints = list(blueprints)
        self.label = label
        self.threads = threads
        self.dim = dim
        self.device = ""
        self.weight_report: dict[str, Any] | None = None
        self._workers: list[Worker | None] = [None] * len(self.blueprints)

    def __len__(self) -> int:
        return len(self.blueprints)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that were started."""
        return [worker.process.pid for worker in self._workers if worker is not None]

    def start(self) -> Crew:
        """Start the workers that are not running, side by side, and wait until they have loaded the model.

        Raises:
            CheckpointError: If the model cannot be loaded in a worker.
        """
        started = [place for place, worker in enumerate(self._workers) if worker is None]
        for place in started:
            self._workers[place] = Worker(self.blueprints[place], self.threads)
        devices = [self._greet(place) for place in started]
        self.device = self.device or ", ".join(dict.fromkeys(devices))
        return self

    def close(self) -> None:
        """End all workers. Jobs in their hands are lost."""
        for place, worker in enumerate(self._workers):
            if worker is not None:
                worker.end()
                self._workers[place] = None

    def encode(self, texts: Sequence[str], prompt: str) -> Floats:
        """Encode texts with one worker; see `Encoder.encode`."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        ((_, vectors),) = self.stream([Job(prompt, texts)])
        return vectors

    def stream(
        self,
        jobs: Iterable[Job],
        told: Callable[[Job, int, int], None] | None = None,
        check: Callable[[Job, Floats], None] | None = None,
    ) -> Iterator[tuple[Job, Floats]]:
        """Encode jobs side by side; yield each when it is done, in whatever order.

        A job whose worker died is given to a new one. After a failure nothing new is begun, what is in other
        workers' hands is still finished and yielded, and then the failure is raised.

        Args:
            jobs: What to encode.
            told: Called with a job and the range of its texts done since the last call; with `stop` below
                `start` when a worker died and its texts must be done again.
            check: Called with a finished job; what it raises is a failure.

        Raises:
            EncodingError: If a model raises, `check` does, or workers die over the same job.
            CheckpointError: If a new worker cannot load the model.
        """
        shift = _Shift(self, deque(jobs), told, check)
        try:
            yield from shift.run()
        finally:
            for place, worker in enumerate(self._workers):
                if worker is not None and worker.job is not None:
                    worker.end()
                    self._workers[place] = None

    def running(self) -> list[Worker]:
        """Return the workers that are running."""
        return [worker for worker in self._workers if worker is not None]

    def bury(self, worker: Worker) -> str:
        """Remove a worker that died; returns its last words."""
        words = worker.last_words()
        worker.end()
        self._workers[self._workers.index(worker)] = None
        return words

    def _greet(self, place: int) -> str:
        """Wait until a worker is ready; returns its device."""
        worker = self._workers[place]
        answer = None if worker is None else worker.hear()
        if worker is None or answer is None or answer[0]["kind"] == "error":
            message = answer[0]["message"] if answer else "" if worker is None else worker.last_words()
            self.close()
            raise CheckpointError(message)
        self.weight_report = answer[0]["weight_report"]
        return str(answer[0]["device"])


class _Shift:
    """One call of `Crew.stream`: which jobs wait, and what went wrong."""

    def __init__(
        self,
        crew: Crew,
        waiting: deque[Job],
        told: Callable[[Job, int, int], None] | None,
        check: Callable[[Job, Floats], None] | None,
    ) -> None:
        self._crew = crew
        self._waiting = waiting
        self._told = told or _nothing
        self._check = check or _nothing
        self._deaths: Counter[int] = Counter()
        self._failure: EncodingError | None = None

    def run(self) -> Iterator[tuple[Job, Floats]]:
        """Keep every worker busy until nothing is left."""
        while busy := self._hand_out():
            with selectors.DefaultSelector() as selector:
                for worker in busy:
                    selector.register(worker.answers, selectors.EVENT_READ, worker)
                ready = [key.data for key, _ in selector.select()]
            finished = [pair for worker in ready if (pair := self._listen(worker)) is not None]
            self._hand_out()
            yield from finished
        if self._failure is not None:
            raise self._failure

    def _hand_out(self) -> list[Worker]:
        """Give waiting jobs to idle workers; returns all that have one."""
        wanted = bool(self._waiting) and self._failure is None
        workers = (self._crew.start() if wanted else self._crew).running()
        for worker in workers:
            if worker.job is None and self._waiting and self._failure is None:
                worker.take(self._waiting.popleft())
        return [worker for worker in workers if worker.job is not None]

    def _listen(self, worker: Worker) -> tuple[Job, Floats] | None:
        """Take one message of a busy worker in; returns the job if it is done."""
        job, answer = worker.job, worker.hear()
        if job is None:
            return None
        if answer is None:
            self._mourn(worker, job)
            return None
        head, body = answer
        if head["kind"] == "progress":
            self._told(job, worker.told, worker.told + head["texts"])
            worker.told += head["texts"]
            return None
        worker.job = None
        try:
            if head["kind"] == "error":
                message = f"{self._crew.label} failed while encoding: {head['message']}"
                raise EncodingError(message)
            vectors = np.frombuffer(body, dtype="<f4").reshape(head["shape"]).astype(np.float32)
            self._check(job, vectors)
        except EncodingError as failure:
            self._failure = self._failure or failure
            return None
        return job, vectors

    def _mourn(self, worker: Worker, job: Job) -> None:
        """Replace a worker that died, and have its job done again."""
        self._told(job, worker.told, 0)
        words = self._crew.bury(worker)
        self._deaths[id(job)] += 1
        if self._deaths[id(job)] < MOST_DEATHS:
            self._waiting.appendleft(job)
        elif self._failure is None:
            message = (
                f"{self._crew.label}: {words}; {MOST_DEATHS} workers ended over the same "
                f"{len(job.texts)} texts, the first being {job.texts[0][:80]!r}; if memory ran out, use "
                "fewer --workers"
            )
            self._failure = EncodingError(message)


def _nothing(*_: object) -> None:
    """Take what is told, and do nothing."""
