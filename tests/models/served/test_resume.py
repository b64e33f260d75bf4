"""Kill -9 of the server and of the run: the next run gives the same numbers, repeating only open shards."""

import dataclasses
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from evalsuite.core.errors import EncodingError
from evalsuite.core.progress import Silent
from evalsuite.embeddings import encode
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.space import text_key
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.fake import FakeEncoder
from evalsuite.models.served.client import ServedOptions
from evalsuite.models.served.open import open_served
from evalsuite.models.served.patience import Patience
from tests.models.served.server import DIM

SHARD = 8
TEXTS = [f"text {i} of the corpus" for i in range(10 * SHARD)]
INPUTS = [Prompted("", text) for text in TEXTS]
QUICK = ServedOptions(batch_size=2, concurrency=2, patience=Patience(retries=2, first_wait=0.01))

DRIVER = """
import sys
from pathlib import Path
from evalsuite.core.progress import Silent
from evalsuite.embeddings import encode
from evalsuite.embeddings.store import EmbeddingStore
from tests.models.served.test_resume import INPUTS, QUICK, SHARD, open_served

encode.SHARD_TEXTS = encode.GROUP_TEXTS = SHARD
encode.encode_once(open_served(sys.argv[1], QUICK), INPUTS, EmbeddingStore(Path(sys.argv[2])), Silent())
"""


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    """Ten shards of eight texts."""
    monkeypatch.setattr(encode, "SHARD_TEXTS", SHARD)
    monkeypatch.setattr(encode, "GROUP_TEXTS", SHARD)


def start(*words):
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)


def wait_for(true, process):
    """Wait until something is true, as long as the process lives."""
    while not true():
        assert process.poll() is None, "the process ended before it could be killed"
        time.sleep(0.005)


def kill(process):
    """Kill -9."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def kept(store, checkpoint):
    """How many of the texts have a vector in the store."""
    space = store.space(checkpoint.fingerprint, checkpoint.label)
    space.refresh()
    return len(TEXTS) - len(space.missing([text_key("", text) for text in TEXTS]))


def assert_right(encoded):
    np.testing.assert_allclose(encoded.vectors.all(), FakeEncoder(DIM).encode(TEXTS, ""), atol=1e-6)


def test_the_run_is_killed(serve, tmp_path):
    """Only the shard that was under way is asked for again; the vectors are those of an undisturbed run."""
    store, over = EmbeddingStore(tmp_path), threading.Event()

    def stall(handler, texts):
        over.wait()
        handler.close_connection = True

    def always(texts):
        asked = [text for text in server.texts if text in TEXTS]
        return stall if len(asked) > 3 * SHARD and not over.is_set() else None

    server = serve(always=always)
    checkpoint = open_served(server.source, QUICK)
    run = start("-c", DRIVER, server.source, str(tmp_path))
    wait_for(lambda: kept(store, checkpoint) == 3 * SHARD, run)
    kill(run)
    over.set()
    server.forget()
    encoded = encode_once(checkpoint, INPUTS, store, Silent())
    assert encoded.encoded == 7 * SHARD
    assert len([text for text in server.texts if text in TEXTS]) == encoded.encoded
    assert_right(encoded)


def test_the_server_is_killed(tmp_path):
    """The run ends in one error and keeps its shards; the next one, with the server back, does the rest."""
    module = ("-m", "tests.models.served.server")
    server = start(*module, "0")
    port = int(server.stdout.readline())
    store = EmbeddingStore(tmp_path)
    checkpoint = open_served(f"openai:fake@http://127.0.0.1:{port}", QUICK)
    encoder = _Killing(checkpoint.encoder(), server, after=4)
    with pytest.raises(EncodingError, match=r"fake at .*finished shards are kept"):
        encode_once(dataclasses.replace(checkpoint, load=lambda: encoder), INPUTS, store, Silent())
    assert kept(store, checkpoint) == 4 * SHARD
    server = start(*module, str(port))
    assert int(server.stdout.readline()) == port
    encoded = encode_once(open_served(checkpoint.source, QUICK), INPUTS, store, Silent())
    kill(server)
    assert encoded.encoded == 6 * SHARD
    assert_right(encoded)


class _Killing:
    """Encodes as another does, and kills the server before the call after so many."""

    def __init__(self, encoder, server, after):
        self.encoder, self.server, self.left = encoder, server, after
        self.batch_size = encoder.batch_size

    def encode(self, texts, prompt):
        """Encode texts; see `Encoder.encode`."""
        if self.left == 0:
            kill(self.server)
        self.left -= 1
        return self.encoder.encode(texts, prompt)
