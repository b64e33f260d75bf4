"""Promises of `evalsuite run --mteb-results`."""

import pytest

import evalsuite
from evalsuite.cli.run import say_mteb_results
from evalsuite.core.errors import StorageError
from evalsuite.models.fake import FakeEncoder
from tests.sweep.mteb_tasks import checkpoint_of


def test_what_has_no_place_in_mteb_is_said(finished_run, tmp_path, capsys):
    """The folder is named, and every task of evalsuite's own, on stderr, because mteb has no place for it."""
    say_mteb_results(finished_run, tmp_path / "results", quiet=False)
    out, err = capsys.readouterr()
    assert "mteb results: " in out
    assert "results" in out
    for task in finished_run.record.tasks:
        assert f"not among mteb's results: {task.name}: a task of evalsuite's own" in err
    say_mteb_results(finished_run, tmp_path / "results", quiet=True)
    assert capsys.readouterr().out == ""


def test_a_folder_that_cannot_be_made_stops_before_encoding(small_tasks, tmp_path):
    """Nothing is encoded for results that could not be written."""
    (tmp_path / "taken").write_text("a file")
    encoder = FakeEncoder(64)
    with pytest.raises(StorageError):
        evalsuite.evaluate(
            checkpoint_of(encoder), small_tasks, out=tmp_path / "run", mteb_results=tmp_path / "taken" / "in"
        )
    assert encoder.calls == 0
