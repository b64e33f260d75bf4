"""`engine="ray"`: the files and numbers of a local run, and what is left after a kill."""

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import evalsuite
from evalsuite.cluster.crew import RayCrew
from evalsuite.core.progress import Silent
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.space import Space
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.fake import FakeBlueprint, fake_checkpoint
from tests.conftest import write_beir

OPTIONS = {"dims": [16, 8], "precisions": ["float32", "int8", "binary"], "device": "cpu"}


def shards(folder):
    """Checksum of every file of vectors and every index in a store."""
    found = [*folder.glob("spaces/*/*.npy"), *folder.glob("spaces/*/*.json")]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in found
        if file.name != "space.json"
    }


def cells(run):
    """Outcomes without their times."""
    return [
        (cell.task, cell.variant, cell.outcome.model_copy(update={"seconds": 0.0}))
        for cell in run.record.cells
    ]


def statistics(run):
    """Every value of the spread, in a list."""
    return [value.value for entry in run.record.spread for _, value in sorted(entry.values.items())]


@pytest.fixture
def cluster(ray, pool):
    """Ray with all of its cores free."""
    pool.close()
    return ray


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_on_ray_is_the_local_run(cluster, tiny, small_tasks, tmp_path, workers):
    """Same shard files, same cells, same per-query values, same spread; the record says what ran."""
    runs = {
        engine: evalsuite.evaluate(
            tiny, small_tasks, out=tmp_path / engine, cache_dir=tmp_path / f"store-{engine}",
            engine=engine, workers=workers, **OPTIONS,
        )
        for engine in ("local", "ray")
    }  # fmt: skip
    local, there = runs["local"], runs["ray"]
    assert shards(tmp_path / "store-local") == shards(tmp_path / "store-ray") != {}
    assert cells(local) == cells(there)
    np.testing.assert_allclose(statistics(there), statistics(local), rtol=1e-10)
    task = there.record.tasks[0].name
    assert local.per_query(task, "8/binary", "ndcg@10").equals(there.per_query(task, "8/binary", "ndcg@10"))
    made = there.record.provenance
    assert there.record.asked.engine == "ray"
    assert (
        made.engine
        == f"ray {cluster.__version__}: {workers} worker(s) of {2 // workers} thread(s), 1 node(s)"
    )
    assert local.record.provenance.engine == "local"
    assert made.device == "cpu"
    assert made.encodings[0].encoded == made.encodings[0].texts > 60


def test_a_model_in_memory_encodes_here(cluster, small_tasks, tmp_path):
    """What cannot be opened from files is encoded by the driver, which is said; the rest runs on Ray."""

    class Notes(Silent):
        def __init__(self):
            self.heard = []

        def note(self, message):
            self.heard.append(message)

    notes = Notes()
    run = evalsuite.evaluate(
        fake_checkpoint(16), small_tasks, out=tmp_path / "run", engine="ray", progress=notes, **OPTIONS
    )
    assert run.failures == ()
    assert any("not a model folder" in note for note in notes.heard)


def big_task(folder, count=2400):
    """A corpus of several shards."""
    documents = {f"d{i:04d}": f"harbour {i} " + "rope tide anchor " * (3 + i % 9) for i in range(count)}
    queries = {f"q{i}": f"harbour {i * 7} rope" for i in range(5)}
    return write_beir(folder, documents, queries, {f"q{i}": {f"d{i * 7:04d}": 1} for i in range(5)})


DRIVER = """
    import sys
    import evalsuite
    from evalsuite.core.progress import Silent

    class Told(Silent):
        def advance(self, items, work):
            print("advanced", flush=True)

    model, task, out, cache = sys.argv[1:]
    run = evalsuite.evaluate(
        model, task, dims=[16], precisions=["float32", "binary"], out=out, cache_dir=cache,
        engine="ray", workers=2, device="cpu", progress=Told(),
    )
    print("encoded", run.record.provenance.encodings[0].encoded)
"""


def driver(*arguments):
    """Start a run in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(DRIVER), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "RAY_ADDRESS": ""})


@pytest.mark.slow
def test_a_killed_driver_leaves_whole_shards(cluster, tiny, tmp_path):
    """After kill -9 of the driver the next run encodes what is left, and has the same numbers."""
    task = big_task(tmp_path / "big")
    arguments = (tiny, task, tmp_path / "run", tmp_path / "store")
    first = driver(*arguments)
    spaces = tmp_path / "store" / "spaces"
    limit = time.monotonic() + 120
    while time.monotonic() < limit and len(list(spaces.glob("*/*.npy"))) < 3:
        time.sleep(0.005)
    first.kill()
    first.wait()
    first.stdout.close()
    (folder,) = spaces.iterdir()
    kept = sum(len(shard.keys) for shard in Space(folder).shards() if shard.intact())
    again = driver(*arguments)
    words, _ = again.communicate(timeout=300)
    assert again.returncode == 0
    encoded = int(words.split()[-1])
    assert 0 < kept < 2405
    assert kept + encoded == 2405
    plain = evalsuite.evaluate(
        tiny, task, out=tmp_path / "plain", cache_dir=tmp_path / "plain-store", workers=2,
        dims=[16], precisions=["float32", "binary"], device="cpu",
    )  # fmt: skip
    found = json.loads((tmp_path / "run" / "record.json").read_text())
    values = [cell["outcome"]["metrics"]["ndcg@10"]["value"] for cell in found["cells"]]
    expected = [cell.outcome.metrics["ndcg@10"].value for cell in plain.record.cells]
    assert values == pytest.approx(expected, abs=1e-6)


def test_a_worker_killed_in_the_middle_changes_nothing(pool, tmp_path):
    """After kill -9 of an actor the encode ends by itself, with the shards of an undisturbed one."""

    class Kills(Silent):
        def __init__(self):
            self.done, self.killed = 0, 0

        def advance(self, items, work):
            self.done += items
            if items > 0 and not self.killed:
                self.killed = pool.pids[0]
                os.kill(self.killed, signal.SIGKILL)

    crew = RayCrew(pool, FakeBlueprint(dim=8, pause=0.0005), dim=8, label="fake")
    checkpoint = dataclasses.replace(fake_checkpoint(8), load=crew.start)
    inputs = [Prompted("", f"harbour {i} " + "rope tide " * (i % 9)) for i in range(600)]
    progress = Kills()
    found = encode_once(checkpoint, inputs, EmbeddingStore(tmp_path / "store"), progress)
    undisturbed = encode_once(checkpoint, inputs, EmbeddingStore(tmp_path / "other"), Silent())
    assert progress.killed
    assert progress.done == found.encoded == 600
    np.testing.assert_array_equal(found.vectors.all(), undisturbed.vectors.all())
    assert shards(tmp_path / "store") == shards(tmp_path / "other")
    assert len(shards(tmp_path / "store")) > 2 * 2
