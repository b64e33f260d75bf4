"""Promises of `evalsuite run --mteb-results`."""

import pytest
import typer

import evalsuite
from evalsuite.cli.run import say_mteb_results, show
from evalsuite.core.errors import StorageError
from evalsuite.core.record import Failed
from evalsuite.core.run import Run
from evalsuite.models.fake import FakeEncoder
from tests.sweep.mteb_tasks import checkpoint_of


@pytest.fixture
def broken_run(finished_run):
    """A run of which the first two cells failed for one reason."""
    cells = list(finished_run.record.cells)
    cells[:2] = [cell.model_copy(update={"outcome": Failed(reason="it broke")}) for cell in cells[:2]]
    return Run(finished_run.record.model_copy(update={"cells": tuple(cells)}), finished_run.folder)


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


def test_the_reasons_of_failures_are_said_where_no_table_says_them(broken_run, capsys):
    """Quiet, as JSON, or many tasks: stderr has one line a task and reason, and the exit code is 1."""
    cell = broken_run.failures[0]
    for options in ({"quiet": True, "as_json": False}, {"quiet": False, "as_json": True}):
        with pytest.raises(typer.Exit) as caught:
            show(broken_run, None, **options)
        assert caught.value.exit_code == 1
        line = f"warning: {cell.checkpoint} on {cell.task}: 2 cells failed: it broke\n"
        assert capsys.readouterr().err.endswith(line)
    with pytest.raises(typer.Exit):
        show(broken_run, None, quiet=False, as_json=False)
    captured = capsys.readouterr()
    assert "it broke" in captured.out
    assert "it broke" not in captured.err


def test_a_folder_that_cannot_be_made_stops_before_encoding(small_tasks, tmp_path):
    """Nothing is encoded for results that could not be written."""
    (tmp_path / "taken").write_text("a file")
    encoder = FakeEncoder(64)
    with pytest.raises(StorageError):
        evalsuite.evaluate(
            checkpoint_of(encoder), small_tasks, out=tmp_path / "run", mteb_results=tmp_path / "taken" / "in"
        )
    assert encoder.calls == 0
