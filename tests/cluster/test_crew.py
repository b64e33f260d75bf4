"""RayCrew: a cluster's workers share jobs, die and fail as local worker processes do."""

import os
import signal

import numpy as np
import pytest

from evalsuite.cluster.crew import RayCrew
from evalsuite.core.errors import CheckpointError, EncodingError
from evalsuite.embeddings.process import Job
from evalsuite.embeddings.site import Team
from evalsuite.models.fake import FakeBlueprint, FakeEncoder

LOST = "00"
"""Name of an object that Ray lost."""


def jobs(count, texts=70):
    return [
        Job("p: ", [f"job {i} text {k}" for k in range(texts)], [f"{i}.{k}" for k in range(texts)])
        for i in range(count)
    ]


@pytest.fixture
def crew(pool):
    return RayCrew(pool, FakeBlueprint(dim=8, pause=0.0005), dim=8, label="fake")


class Kills:
    """Counts progress, and kills the workers that the first job's texts were done by."""

    def __init__(self, pool, times):
        self.pool, self.times, self.done = pool, times, 0

    def __call__(self, job, start, stop):
        self.done += stop - start
        if self.times and stop > start and job.keys[0] == "0.0":
            self.times -= 1
            os.kill(self.pool.busy_pid(job), signal.SIGKILL)


def test_workers_give_the_vectors_of_one_encoder(crew, pool):
    """Every job comes back once, with the very vectors that one process makes."""
    encoder = FakeEncoder(8)
    assert isinstance(crew, Team)
    assert crew.start().device == "unknown"
    found = {job.keys[0]: (job, vectors) for job, vectors in crew.stream(jobs(5))}
    assert len(found) == 5
    assert len(set(pool.pids)) == 2
    for job, vectors in found.values():
        np.testing.assert_array_equal(vectors, encoder.encode(job.texts, job.prompt))
    np.testing.assert_array_equal(crew.encode(["a b"], "q: "), encoder.encode(["a b"], "q: "))
    assert crew.encode([], "").shape == (0, 8)


def test_a_killed_worker_is_replaced(crew, pool):
    """After a kill -9 another worker does the job, no other job is repeated, and progress ends at the sum."""
    told = Kills(pool, 1)
    found = [job.keys[0] for job, _ in crew.stream(jobs(5), told)]
    assert told.times == 0
    assert sorted(found) == [f"{i}.0" for i in range(5)]
    assert told.done == 5 * 70


def test_vectors_lost_with_a_node_are_made_again(ray, crew):
    """A job whose vectors cannot be fetched is done again."""
    lost = []

    def lose_once(job, vectors):
        if not lost:
            lost.append(job.keys[0])
            raise ray.exceptions.ObjectLostError(LOST, None, "")

    found = [job.keys[0] for job, _ in crew.stream(jobs(3), check=lose_once)]
    assert len(lost) == 1
    assert sorted(found) == ["0.0", "1.0", "2.0"]


def test_a_job_that_kills_every_worker_is_given_up(crew, pool):
    """A job over which workers die again and again is an error; the job in the other's hands is kept."""
    found = []

    def collect():
        for job, _ in crew.start().stream(jobs(2, 200), Kills(pool, 99)):
            found.append(job.keys[0])

    expected = r"fake failed while encoding: 2 workers .* died.*fewer --workers"
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
        for job, _ in crew.start().stream(jobs(20), check=refuse_first):
            found.append(job.keys[0])

    with pytest.raises(EncodingError, match=r"^refused$"):
        collect()
    assert "1.0" in found
    assert len(found) < 19


def test_a_stream_left_early_leaves_no_stale_answers(crew):
    """After the caller stopped listening, the next call gets its own vectors."""
    next(crew.stream(jobs(6)))
    np.testing.assert_array_equal(crew.encode(["x"], ""), FakeEncoder(8).encode(["x"], ""))


class Broken(FakeBlueprint):
    """A blueprint that no encoder can be made from."""

    def to_dict(self):
        return {"width": 8}


def test_a_model_that_no_worker_can_open_is_one_message(pool):
    """What a worker says is named when the crew starts, under the model's name."""
    with pytest.raises(CheckpointError, match=r"^lost: TypeError: .*width"):
        RayCrew(pool, Broken(), dim=16, label="lost").start()
