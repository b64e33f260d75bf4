"""Comparing with a checkpoint: what is asked, and in which order."""

import pytest

from evalsuite import api
from evalsuite.core.errors import UsageError
from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS


def test_mistakes_of_a_policy_show_before_a_checkpoint_is_evaluated(finished_run, tmp_path):
    """A wrong policy is refused at once, not after minutes of encoding."""
    (tmp_path / "gate.toml").write_text("alpha = 7\n", encoding="utf-8")
    for given in (tmp_path / "gate.toml", str(tmp_path / "gate.toml")):
        with pytest.raises(UsageError, match=r"gate\.toml: 1 problem"):
            api.compare(finished_run, "openai:http://localhost:9/never-asked", given)


def test_a_checkpoint_is_encoded_into_the_store_that_is_named(finished_run, tmp_path, monkeypatch):
    """Vectors go to `cache_dir`, and the run of the checkpoint is kept among the runs."""
    monkeypatch.chdir(tmp_path)
    model = build_embeddinggemma(tmp_path / "tiny", dims=(64,), corpus=WORDS)
    verdict = api.compare(finished_run, model, cache_dir=tmp_path / "store")
    assert verdict.candidate.label == "tiny"
    assert any((tmp_path / "store").rglob("*"))
    assert (tmp_path / verdict.candidate.source / "record.json").exists()
