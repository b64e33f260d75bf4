"""The store: listing, verifying and pruning."""

import os
import time

import pytest

from evalsuite.core.errors import StorageError
from evalsuite.core.progress import Silent
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.space import text_key
from evalsuite.embeddings.store import CACHE_VARIABLE, EmbeddingStore, default_root
from evalsuite.models.fake import fake_checkpoint


@pytest.fixture
def store(tmp_path):
    """A store with two checkpoints, of 3 and 5 texts."""
    store = EmbeddingStore(tmp_path / "store")
    for label, count in (("small", 3), ("large", 5)):
        texts = [Prompted("", f"text {i}") for i in range(count)]
        encode_once(fake_checkpoint(8, label=label, seed=count), texts, store, Silent())
    return store


def test_list_describes_every_checkpoint(store):
    """Each space tells its label, number of texts and size on disk."""
    assert {("small", 3), ("large", 5)} == {(info.label, info.texts) for info in store.spaces()}
    assert all(info.bytes > 3 * 8 * 4 for info in store.spaces())


def test_verify_finds_exactly_the_damaged_shard(store):
    """Verification names the damaged shard, passes the others and changes nothing."""
    assert [intact for _, intact in store.verify()] == [True, True]
    damaged = sorted(store.root.rglob("*.npy"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert [damaged] == [shard.vectors for shard, intact in store.verify() if not intact]
    assert damaged.exists()


def test_verify_survives_an_index_of_other_things(store):
    """Keys that are no texts are damage to be named, not a crash."""
    index = sorted(file for file in store.root.rglob("*.json") if file.name != "space.json")[0]
    index.write_text('{"format": 1, "checksum": "x", "keys": [1, null]}')
    assert [index] == [shard.index for shard, intact in store.verify() if not intact]


def test_prune_by_label(store):
    """Only the named checkpoint goes."""
    assert [info.label for info in store.prune(identity="small")] == ["small"]
    assert [info.label for info in store.spaces()] == ["large"]


def test_prune_by_age(store):
    """Only what was not used for long enough goes."""
    old = next(info for info in store.spaces() if info.label == "small")
    long_ago = time.time() - 10 * 86_400
    os.utime(store.root / "spaces" / old.identity / "space.json", (long_ago, long_ago))
    assert [info.label for info in store.prune(older_than_days=5)] == ["small"]


def test_prune_leaves_no_folder_behind(store):
    """Pruning everything leaves an empty store."""
    store.prune()
    assert store.spaces() == []
    assert list((store.root / "spaces").iterdir()) == []


def test_damaged_manifest_is_named(store):
    """A manifest that cannot be read is an error that names the file."""
    manifest = next(store.root.rglob("space.json"))
    manifest.write_text("{")
    with pytest.raises(StorageError, match=r"space\.json"):
        store.spaces()


def test_root_follows_the_environment(monkeypatch, tmp_path):
    """EVALSUITE_CACHE wins over XDG_CACHE_HOME, which wins over the home folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    assert tmp_path / "evalsuite" == default_root()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "mine"))
    assert tmp_path / "mine" == default_root()


def test_keys_do_not_run_together():
    """Moving a character between prompt and text changes the key."""
    assert len({text_key("a", "bc"), text_key("ab", "c"), text_key("", "abc")}) == 3
