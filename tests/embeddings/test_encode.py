"""Encode once: unique texts, resume, damaged shards, two runs at once, vectors that cannot be scored."""

import dataclasses
import errno
import json
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.core.errors import EncodingError, StorageError
from evalsuite.core.progress import Silent
from evalsuite.embeddings import encode
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.fake import FakeEncoder, fake_checkpoint


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path / "store")


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of ten texts, so that a few texts make several."""
    monkeypatch.setattr(encode, "SHARD_TEXTS", 10)
    monkeypatch.setattr(encode, "BATCH", 1)


def inputs(count, prompt=""):
    return [Prompted(prompt, f"text number {i} " + "word " * (i % 7)) for i in range(count)]


def with_encoder(encoder):
    """The plain fake checkpoint, same identity, behind another encoder."""
    return dataclasses.replace(fake_checkpoint(16), load=lambda: encoder)


def run(checkpoint, texts, store):
    return encode_once(checkpoint, texts, store, Silent())


@pytest.mark.usefixtures("small_shards")
def test_every_text_is_encoded_once(store):
    """Duplicates within a call, and texts of an earlier call, never reach the model again."""
    encoder = FakeEncoder(dim=16)
    checkpoint = with_encoder(encoder)
    first = run(checkpoint, inputs(25) + inputs(25), store)
    second = run(checkpoint, inputs(30), store)
    assert (first.unique, first.encoded) == (25, 25)
    assert (second.unique, second.encoded) == (30, 5)
    assert encoder.texts_encoded == 30


@pytest.mark.usefixtures("small_shards")
def test_vectors_come_back_in_the_order_asked(store):
    """Whatever order texts are encoded in, each vector belongs to its text."""
    checkpoint = fake_checkpoint(16)
    texts = inputs(37)
    vectors = run(checkpoint, texts, store).vectors
    expected = checkpoint.encoder().encode([each.text for each in texts], "")
    np.testing.assert_array_equal(vectors.all(), expected)
    np.testing.assert_array_equal(vectors.block(5, 9), expected[5:9])
    np.testing.assert_array_equal(vectors.slice(30, 37).block(2, 99), expected[32:])


def test_prompt_is_part_of_the_identity(store):
    """The same text under two prompts is two inputs, with two vectors."""
    checkpoint = fake_checkpoint(16)
    both = run(
        checkpoint, [Prompted("query: ", "a b"), Prompted("", "a b"), Prompted("", "query: a b")], store
    )
    assert both.unique == 3


def test_checkpoints_do_not_share_vectors(store):
    """Two checkpoints of the same label and other content each get their own vectors."""
    one, two = fake_checkpoint(16, label="model", seed=1), fake_checkpoint(16, label="model", seed=2)
    first, second = run(one, inputs(5), store), run(two, inputs(5), store)
    assert second.encoded == 5
    assert not np.allclose(first.vectors.all(), second.vectors.all())


@pytest.mark.usefixtures("small_shards")
def test_damaged_shard_is_encoded_again(store, caplog):
    """A flipped byte is found by the checksum, reported, and only that shard's texts are encoded again."""
    checkpoint = fake_checkpoint(16)
    before = run(checkpoint, inputs(25), store).vectors.all().copy()
    damaged = sorted(store.root.rglob("*.npy"))[0]
    texts = len(json.loads(damaged.with_suffix(".json").read_text())["keys"])
    content = bytearray(damaged.read_bytes())
    content[-3] ^= 1
    damaged.write_bytes(content)
    after = run(checkpoint, inputs(25), store)
    assert after.encoded == texts
    assert "checksum differs" in caplog.text
    np.testing.assert_array_equal(after.vectors.all(), before)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("damage", ["vectors gone", "index torn"])
def test_half_a_shard_is_no_shard(store, damage):
    """A shard that lost its vectors or its index is encoded again."""
    checkpoint = fake_checkpoint(16)
    run(checkpoint, inputs(10), store)
    (vectors,) = store.root.rglob("*.npy")
    if damage == "vectors gone":
        vectors.unlink()
    else:
        vectors.with_suffix(".json").write_text('{"format": 1, "keys": [')
    assert run(checkpoint, inputs(10), store).encoded == 10


class StopsAfter(FakeEncoder):
    """An encoder whose process dies after some calls."""

    def __init__(self, calls, dim):
        super().__init__(dim=dim)
        self.left = calls

    def encode(self, texts, prompt):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return super().encode(texts, prompt)


@pytest.mark.usefixtures("small_shards")
@given(stop=st.integers(0, 5))
@settings(max_examples=6)
def test_an_interrupted_run_resumes_at_the_first_missing_shard(tmp_path_factory, stop):
    """After a stop at any shard, the second run encodes what is missing, in the same shards."""
    store = EmbeddingStore(tmp_path_factory.mktemp("store"))
    whole = fake_checkpoint(16)
    expected = run(whole, inputs(45), EmbeddingStore(tmp_path_factory.mktemp("whole"))).vectors.all()
    broken = with_encoder(StopsAfter(stop, 16))
    done = 0
    try:
        done = run(broken, inputs(45), store).encoded
    except KeyboardInterrupt:
        done = min(10 * stop, 45)
    resumed = run(fake_checkpoint(16), inputs(45), store)
    assert resumed.encoded == 45 - done
    np.testing.assert_array_equal(resumed.vectors.all(), expected)
    assert len(list(store.root.rglob("*.npy"))) == 5


@pytest.mark.usefixtures("small_shards")
def test_two_runs_at_once_share_the_work(store):
    """The second run waits for the first, says so, and encodes nothing that is already there."""
    encoder = FakeEncoder(dim=16)
    started, go_on = threading.Event(), threading.Event()

    class Slow(FakeEncoder):
        def encode(self, texts, prompt):
            started.set()
            go_on.wait(10)
            return super().encode(texts, prompt)

    class Notes(Silent):
        heard = ""

        def note(self, message):
            self.heard += message
            go_on.set()

    slow = with_encoder(Slow(dim=16))
    first = threading.Thread(target=run, args=(slow, inputs(25), store))
    first.start()
    started.wait(10)
    notes = Notes()
    second = encode_once(with_encoder(encoder), inputs(25), store, notes)
    first.join()
    assert (second.encoded, encoder.texts_encoded) == (0, 0)
    assert "another run is encoding" in notes.heard


class Returns(FakeEncoder):
    """An encoder that returns a given value for texts that contain `bad`."""

    def __init__(self, value):
        super().__init__(dim=16)
        self.value = value

    def encode(self, texts, prompt):
        vectors = super().encode(texts, prompt)
        vectors[["bad" in text for text in texts]] = self.value
        return vectors


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (np.inf, "infinity"), (0.0, "all-zero")])
def test_unusable_vectors_name_the_text(store, value, kind):
    """NaN, infinite and all-zero vectors stop the encoding and name the text."""
    checkpoint = fake_checkpoint(16, encoder=Returns(value))
    with pytest.raises(EncodingError, match=rf"{kind}.*'a bad text'"):
        run(checkpoint, [Prompted("", "fine"), Prompted("", "a bad text")], store)


def test_wrong_width_is_named(store):
    """An encoder that returns another width than the checkpoint declares is refused."""
    checkpoint = fake_checkpoint(16, encoder=FakeEncoder(dim=8))
    with pytest.raises(EncodingError, match=r"shape \(3, 8\) for 3 texts of width 16"):
        run(checkpoint, inputs(3), store)


def test_a_raising_model_is_named(store):
    """What the model raises becomes an error that names the model and the reason."""

    class Raises(FakeEncoder):
        def encode(self, texts, prompt):
            message = "index out of range in self"
            raise IndexError(message)

    with pytest.raises(EncodingError, match=r"fake failed while encoding: IndexError: index out of range"):
        run(fake_checkpoint(16, encoder=Raises(dim=16)), inputs(3), store)


def test_unwritable_store_says_where(tmp_path):
    """A store that cannot be made is one clear error."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StorageError, match="file"):
        run(fake_checkpoint(16), inputs(3), EmbeddingStore(blocked / "store"))


@pytest.mark.usefixtures("small_shards")
def test_full_disk_keeps_finished_shards(store, monkeypatch):
    """When the disk fills up, the error says so, and earlier shards are used by the next run."""
    import os

    real, calls = os.fsync, []

    def fills_up(descriptor):
        calls.append(descriptor)
        if len(calls) > 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fills_up)
    with pytest.raises(StorageError, match="no space left on the disk"):
        run(fake_checkpoint(16), inputs(45), store)
    monkeypatch.setattr(os, "fsync", real)
    resumed = run(fake_checkpoint(16), inputs(45), store)
    assert 0 < resumed.encoded < 45
    assert not list(store.root.rglob("*.tmp"))


def test_a_write_that_breaks_off_says_why(store):
    """The reason is the system's own, not numpy's count of bytes; nothing half-written is left."""
    resource = pytest.importorskip("resource", reason="limits on files are of Unix systems")
    run(fake_checkpoint(16), inputs(1), store)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StorageError, match=r"\.npy: File too large"):
            run(fake_checkpoint(16), inputs(200), store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(store.root.rglob("*.tmp"))
    assert run(fake_checkpoint(16), inputs(200), store).encoded == 199


def test_a_store_that_cannot_be_written_to_is_read(store, monkeypatch):
    """A run whose texts are all there needs no more than to read them."""
    import os

    before = run(fake_checkpoint(16), inputs(5), store).vectors.all()

    def refused(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", refused)
    again = run(fake_checkpoint(16), inputs(5), store)
    assert again.encoded == 0
    np.testing.assert_array_equal(again.vectors.all(), before)


@pytest.mark.usefixtures("small_shards")
def test_swapped_keys_are_damage(store):
    """An index whose keys were changed is found out: vectors never change hands."""
    checkpoint = fake_checkpoint(16)
    before = run(checkpoint, inputs(10), store).vectors.all()
    (index,) = (file for file in store.root.rglob("*.json") if file.name != "space.json")
    content = json.loads(index.read_text())
    content["keys"].reverse()
    index.write_text(json.dumps(content))
    assert [intact for _, intact in store.verify()] == [False]
    after = run(checkpoint, inputs(10), store)
    assert after.encoded == 10
    np.testing.assert_array_equal(after.vectors.all(), before)


@pytest.mark.usefixtures("small_shards")
def test_looking_never_deletes(store):
    """Listing and verifying a store with a torn index report it and change nothing."""
    run(fake_checkpoint(16), inputs(25), store)
    torn = next(file for file in store.root.rglob("*.json") if file.name != "space.json")
    torn.write_text("{")
    files = sorted(store.root.rglob("*"))
    assert sorted(intact for _, intact in store.verify()) == [False, True, True]
    store.spaces()
    assert sorted(store.root.rglob("*")) == files


@pytest.mark.usefixtures("small_shards")
def test_many_shards_need_few_open_files(store):
    """Vectors of more shards than the process may open files are read all the same."""
    import resource

    checkpoint = fake_checkpoint(16)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        vectors = run(checkpoint, inputs(1500), store).vectors
        assert vectors.slice(0, 1500).all().shape == (1500, 16)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_progress_is_told_within_a_shard(store, monkeypatch):
    """A shard's texts reach the model in groups, and each group is reported."""
    monkeypatch.setattr(encode, "GROUP_TEXTS", 7)
    monkeypatch.setattr(encode, "BATCH", 1)

    class Counts(Silent):
        told = ()

        def advance(self, items, work):
            self.told = (*self.told, items)

    counts = Counts()
    encode_once(fake_checkpoint(16), inputs(30), store, counts)
    assert counts.told == (7, 7, 7, 7, 2)
    assert len(list(store.root.rglob("*.npy"))) == 1


@given(
    st.lists(st.text(max_size=60), min_size=1, max_size=80, unique=True),
    st.integers(1, 9),
    st.integers(1, 200),
)
def test_parts_hold_whole_batches(texts, batch, characters):
    """Every text is in exactly one part; all parts of a prompt but its last hold whole batches."""
    parts = list(encode._parts({text: Prompted("", text) for text in texts}, 16, characters, batch))
    assert sorted(key for part in parts for key in part) == sorted(texts)
    assert all(len(part) % batch == 0 for part in parts[:-1])
    lengths = [len(key) for part in parts for key in part]
    assert lengths == sorted(lengths, reverse=True)
