"""One worker process as its driver sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from evalsuite.core.errors import EncodingError
from evalsuite.embeddings.frames import receive, send
from evalsuite.models.blueprint import Makes

GROUP_TEXTS = 64
"""Texts after which a worker tells its progress."""

_STDERR_CHARACTERS = 500


@dataclass(frozen=True)
class Job:
    """Texts of one prompt that are encoded by one worker: a shard in the making.

    Attributes:
        prompt: What goes before every text.
        texts: The texts.
        keys: What the caller knows them by.
        groups: Texts of each call to the model, for a team that keeps the batches of one process.
    """

    prompt: str
    texts: Sequence[str]
    keys: Sequence[str] = ()
    groups: Sequence[int] = ()


class Worker:
    """One process, and the job in its hands.

    Args:
        blueprint: What it makes its encoder from.
        threads: Threads it may use; 0 leaves that to torch.

    Attributes:
        process: The process.
        job: What it is encoding; None if it waits.
        told: Texts of the job that it said are done.
    """

    def __init__(self, blueprint: Makes, threads: int) -> None:
        package = str(Path(__file__).parents[2])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TOKENIZERS_PARALLELISM": "false"}
        if threads:
            environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        command = [sys.executable, "-m", "evalsuite.embeddings.worker"]
        self.process = subprocess.Popen(  # noqa: S603 - fixed words
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=environment,
            bufsize=0,  # what a buffer holds back, a selector does not see
        )
        self.job: Job | None = None
        self.told = 0
        head = {"kind": "open", "make": blueprint.make, "threads": threads, "blueprint": blueprint.to_dict()}
        self.tell(head)

    @property
    def questions(self) -> IO[bytes]:
        """The pipe into the process."""
        return _open_pipe(self.process.stdin)

    @property
    def answers(self) -> IO[bytes]:
        """The pipe out of the process."""
        return _open_pipe(self.process.stdout)

    def tell(self, head: dict[str, Any]) -> None:
        """Send a message; a worker that is gone is noticed when its answer is read."""
        try:
            send(self.questions, head)  # type: ignore[arg-type]
        except OSError:
            self.process.kill()

    def take(self, job: Job) -> None:
        """Begin a job."""
        self.job, self.told = job, 0
        self.tell({"kind": "encode", "prompt": job.prompt, "texts": list(job.texts), "group": GROUP_TEXTS})

    def hear(self) -> tuple[dict[str, Any], bytes] | None:
        """Wait for the next message; None if the process is gone."""
        return receive(self.answers)  # type: ignore[arg-type]

    def last_words(self) -> str:
        """Say how the process ended, with the end of what it wrote to stderr."""
        code = self.process.wait()
        self._complaints.seek(0)
        words = self._complaints.read().decode("utf-8", "replace").strip()[-_STDERR_CHARACTERS:]
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"a worker process {ended}{': ' + words if words else ''}"

    def end(self) -> None:
        """Kill the process and close its pipes."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._complaints):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # an unsent message of a process that is gone


def _open_pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that was asked for at the start of the process."""
    if pipe is None:
        message = "the worker was started without pipes"
        raise EncodingError(message)
    return pipe
