"""Crew: worker processes that share jobs, die, fail, and end with their driver."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from evalsuite.core.errors import EncodingError
from evalsuite.embeddings.crew import Crew
from evalsuite.embeddings.process import Job
from evalsuite.models.fake import FakeBlueprint, FakeEncoder


def jobs(count, texts=70):
    return [
        Job("p: ", [f"job {i} text {k}" for k in range(texts)], [f"{i}.{k}" for k in range(texts)])
        for i in range(count)
    ]


@pytest.fixture
def crew():
    made = Crew([FakeBlueprint(dim=8, pause=0.0005)] * 2, threads=1, dim=8, label="fake")
    yield made
    made.close()


class Kills:
    """Counts progress, and kills the workers that the given texts were done by."""

    def __init__(self, crew, times):
        self.crew, self.times, self.done = crew, times, 0

    def __call__(self, job, start, stop):
        self.done += stop - start
        if self.times and stop > start and job.keys[0] == "0.0":
            self.times -= 1
            busy = [w for w in self.crew.running() if w.job is job]
            os.kill(busy[0].process.pid, signal.SIGKILL)


def test_workers_give_the_vectors_of_one_encoder(crew):
    """Every job comes back once, with the very vectors that one process makes."""
    encoder = FakeEncoder(8)
    found = {job.keys[0]: (job, vectors) for job, vectors in crew.stream(jobs(5))}
    assert len(found) == 5
    assert len(set(crew.pids)) == 2
    for job, vectors in found.values():
        np.testing.assert_array_equal(vectors, encoder.encode(job.texts, job.prompt))
    np.testing.assert_array_equal(crew.encode(["a b"], "q: "), encoder.encode(["a b"], "q: "))
    assert crew.encode([], "").shape == (0, 8)


def test_answers_that_arrive_together_are_all_heard():
    """Workers that answer faster than the driver listens, several messages at once, leave nothing unheard."""
    fast = Crew([FakeBlueprint(dim=8)] * 2, threads=1, dim=8, label="fake")
    found = []
    for job, _ in fast.stream(jobs(10)):
        time.sleep(0.1)
        found.append(job.keys[0])
    fast.close()
    assert sorted(found) == sorted(f"{i}.0" for i in range(10))


def test_a_killed_worker_is_replaced(crew):
    """After a kill -9 the job is done by a new worker, no other is repeated, and progress ends at the sum."""
    told = Kills(crew, 1)
    found = [job.keys[0] for job, _ in crew.stream(jobs(5), told)]
    assert sorted(found) == [f"{i}.0" for i in range(5)]
    assert told.done == 5 * 70


def test_a_job_that_kills_every_worker_is_given_up(crew):
    """A job over which workers die again and again is an error; the job in the other's hands is kept."""
    found = []

    def collect():
        for job, _ in crew.stream(jobs(2, 200), Kills(crew, 99)):
            found.append(job.keys[0])

    expected = r"fake: a worker process was killed by signal 9.*fewer --workers"
    with pytest.raises(EncodingError, match=expected):
        collect()
    assert found == ["1.0"]


def test_a_failed_check_lets_others_finish(crew):
    """When one job's vectors are refused, the job in the other worker's hands is still handed over."""

    def refuse_first(job, vectors):
        if job.keys[0] == "0.0":
            message = "refused"
            raise EncodingError(message)

    found = []

    def collect():
        for job, _ in crew.stream(jobs(20), check=refuse_first):
            found.append(job.keys[0])

    with pytest.raises(EncodingError, match="refused"):
        collect()
    assert "1.0" in found
    assert len(found) < 19


def test_a_stream_left_early_leaves_no_stale_answers(crew):
    """After the caller stopped listening, the next call gets its own vectors."""
    next(crew.stream(jobs(6)))
    np.testing.assert_array_equal(crew.encode(["x"], ""), FakeEncoder(8).encode(["x"], ""))


def test_closing_ends_the_processes(crew):
    """After `close` no worker is left."""
    crew.start()
    pids = crew.pids
    crew.close()
    assert crew.pids == []
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_end_with_a_killed_driver(tmp_path):
    """After kill -9 of the driver in the middle of a job, its workers end by themselves."""
    program = """
        from evalsuite.embeddings.crew import Crew
        from evalsuite.embeddings.process import Job
        from evalsuite.models.fake import FakeBlueprint

        crew = Crew([FakeBlueprint(dim=8, pause=0.002)] * 2, threads=1, dim=8).start()
        print(*crew.pids, flush=True)
        list(crew.stream([Job("", ["a"] * 5000), Job("", ["b"] * 5000)]))
    """
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    )
    pids = [int(word) for word in driver.stdout.readline().split()]
    driver.kill()
    driver.wait()
    driver.stdout.close()
    limit = time.monotonic() + 20
    while time.monotonic() < limit and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def alive(pid):
    """Tell whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
