"""Texts at hand: only of tasks that are still what they were."""

import pytest

from evalsuite.core.record import RunRecord
from evalsuite.core.run import Run
from evalsuite.reporting.page.texts import texts_at_hand
from evalsuite.tasks.sts import read_sts
from tests.reporting.made_up import cells_of, checkpoint_entry, make_run, task_entry


@pytest.fixture
def file(tmp_path):
    """Three pairs."""
    path = tmp_path / "pairs.tsv"
    path.write_text(
        "sentence1\tsentence2\tscore\na cat\ta dog\t2\nsun\tmoon\t3\none\ttwo\t1\n", encoding="utf-8"
    )
    return path


def run_of(file, **changes) -> Run:
    """A run that asked for the file."""
    task = read_sts(file)
    entry = task_entry(task.name, kind="sts").model_copy(update={"fingerprint": task.fingerprint, **changes})
    run = make_run([checkpoint_entry("m")], [entry], cells_of("m", entry, {"float32": {384: 80.0}}))
    asked = run.record.asked.model_copy(update={"tasks": (str(file),)})
    return Run(RunRecord(**{**dict(run.record), "asked": asked}), run.folder)


def test_an_unchanged_task_gives_its_texts(file):
    """Both sentences of a pair."""
    assert texts_at_hand([run_of(file)])["pairs"].asked["1"] == "a cat ↔ a dog"


def test_a_changed_or_lost_task_gives_none(file):
    """Other content, another kind, no file: ids must do, and nothing fails."""
    run = run_of(file)
    assert texts_at_hand([run_of(file, fingerprint="other")]) == {}
    assert texts_at_hand([run_of(file, kind="mteb")]) == {}
    file.write_text("broken", encoding="utf-8")
    assert texts_at_hand([run]) == {}
    file.unlink()
    assert texts_at_hand([run]) == {}


def test_a_large_task_is_read_only_on_request(file):
    """A report must not wait for millions of texts."""
    run = run_of(file, counts={"documents": 5_000_000})
    assert texts_at_hand([run]) == {}
    assert "pairs" in texts_at_hand([run], every=True)
