"""Kill -9 in the middle of encoding with workers: the next run has the same vectors, and repeats little."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from evalsuite.core.progress import Silent
from evalsuite.embeddings.crew import Crew
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.space import text_key
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.fake import FakeBlueprint, FakeEncoder, fake_checkpoint

DIM, WORKERS, SHARD = 8, 2, 32
TEXTS = [f"text {i} of the corpus" for i in range(16 * SHARD)]
INPUTS = [Prompted("p: ", text) for text in TEXTS]
KEYS = [text_key("p: ", text) for text in TEXTS]


def checkpoint(crew):
    """The fake checkpoint, encoded by workers."""
    return dataclasses.replace(fake_checkpoint(DIM), load=crew.start)


@pytest.fixture
def crew():
    """Two workers that take their time."""
    made = Crew([FakeBlueprint(DIM, pause=0.001)] * WORKERS, threads=1, dim=DIM)
    yield made
    made.close()


def kept(store):
    """How many of the texts the store has."""
    space = store.space(fake_checkpoint(DIM).fingerprint, "fake")
    space.refresh()
    return len(TEXTS) - len(space.missing(KEYS))


def assert_right(encoded):
    np.testing.assert_array_equal(encoded.vectors.all(), FakeEncoder(DIM).encode(TEXTS, "p: "))


class Killing(Silent):
    """Kills one worker when so many texts are done, and adds up what it is told."""

    def __init__(self, crew, after):
        self.crew, self.after, self.net, self.gross = crew, after, 0, 0

    def advance(self, texts, work):
        """See `Progress.advance`."""
        self.net += texts
        self.gross += max(texts, 0)
        if self.after and self.gross >= self.after:
            self.after = 0
            os.kill(self.crew.pids[0], signal.SIGKILL)


def test_a_worker_is_killed(crew, tmp_path):
    """The run goes on with a new worker, ends with the right vectors, and repeats one shard at most."""
    progress = Killing(crew, after=5 * SHARD)
    store = EmbeddingStore(tmp_path)
    encoded = encode_once(checkpoint(crew), INPUTS, store, progress)
    assert progress.after == 0
    assert progress.net == len(TEXTS)
    assert progress.gross <= len(TEXTS) + SHARD
    assert kept(store) == len(TEXTS)
    assert_right(encoded)


DRIVER = """
    import sys
    from pathlib import Path
    from evalsuite.core.progress import Silent
    from evalsuite.embeddings.crew import Crew
    from evalsuite.embeddings.encode import encode_once
    from evalsuite.embeddings.store import EmbeddingStore
    from evalsuite.models.fake import FakeBlueprint
    from tests.embeddings.test_kills import DIM, INPUTS, WORKERS, checkpoint

    class Telling(Silent):
        def advance(self, texts, work):
            print(texts, flush=True)

    crew = Crew([FakeBlueprint(DIM, pause=0.003)] * WORKERS, threads=1, dim=DIM)
    encode_once(checkpoint(crew), INPUTS, EmbeddingStore(Path(sys.argv[1])), Telling())
"""


def test_the_driver_is_killed(crew, tmp_path):
    """Finished shards are kept: what was lost is at most the shard in each worker's hands."""
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DRIVER), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    done = 0
    while done < 6 * SHARD:
        done += int(driver.stdout.readline())
    driver.kill()
    rest, _ = driver.communicate()
    assert driver.returncode == -signal.SIGKILL
    done += sum(map(int, rest.split()))
    store = EmbeddingStore(tmp_path)
    before = kept(store)
    assert 0 < before < len(TEXTS)
    assert done - before <= WORKERS * SHARD
    encoded = encode_once(checkpoint(crew), INPUTS, store, Silent())
    assert encoded.encoded == len(TEXTS) - before
    assert_right(encoded)


def test_shards_are_as_large_as_these_tests_assume(tmp_path):
    """Work for two workers is cut into jobs of `SHARD` texts; else the bounds above would mean little."""
    sizes = []

    class Listening(Crew):
        def stream(self, jobs, *others):
            for job, vectors in super().stream(jobs, *others):
                sizes.append(len(job.texts))
                yield job, vectors

    listening = Listening([FakeBlueprint(DIM)] * WORKERS, threads=1, dim=DIM)
    encode_once(checkpoint(listening), INPUTS, EmbeddingStore(tmp_path), Silent())
    listening.close()
    assert set(sizes) == {SHARD}
