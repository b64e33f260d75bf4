"""Finding runs: each once, oldest first; what cannot be read is named."""

import pytest

from evalsuite.core.errors import RunFileError, UsageError
from evalsuite.history.find import find_runs
from tests.history.made_up import small_run, write


@pytest.fixture
def folder(tmp_path):
    """Three runs at different depths; the folders' names do not sort by time."""
    write(small_run("new", created="2025-03-01T00:00:00Z"), tmp_path / "a")
    write(small_run("old", created="2025-01-01T00:00:00Z"), tmp_path / "deep" / "er" / "b")
    write(small_run("middle", created="2025-02-01T00:00:00Z"), tmp_path / "c")
    return tmp_path


def labels(found):
    """The checkpoint of each run."""
    return [run.record.checkpoints[0].label for run in found.runs]


def test_runs_at_any_depth_come_oldest_first(folder):
    """Time decides, not the name of the folder."""
    assert labels(find_runs([folder])) == ["old", "middle", "new"]


def test_a_run_found_twice_counts_once(folder):
    """A folder, a folder in it and the record itself are one run."""
    found = find_runs([folder, folder / "a", folder / "a" / "record.json", folder / "c" / ".." / "a"])
    assert labels(found) == ["old", "middle", "new"]


def test_runs_set_aside_are_part_of_history(tmp_path):
    """What the same folder held before is in `previous/`, and is found."""
    write(small_run("one"), tmp_path / "run")
    write(small_run("two", created="2025-02-01T00:00:00Z"), tmp_path / "run")
    assert labels(find_runs([tmp_path])) == ["one", "two"]


def test_a_broken_run_is_named_and_left_out(folder):
    """The others are read."""
    (folder / "c" / "record.json").write_text("{", encoding="utf-8")
    found = find_runs([folder])
    assert labels(found) == ["old", "new"]
    (problem,) = found.problems
    assert str(folder / "c" / "record.json") in problem


def test_paths_without_a_run_are_all_named(folder):
    """Every mistake at once, and the next step."""
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match=r"empty: no run in it; .*nowhere: no such file or folder; name"):
        find_runs([folder, folder / "empty", folder / "nowhere"])
    with pytest.raises(UsageError, match="no folder given"):
        find_runs([])


def test_nothing_but_broken_runs_is_an_error(tmp_path):
    """An empty history would look like a project without runs."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "record.json").write_text("[]", encoding="utf-8")
    with pytest.raises(RunFileError, match=r"(?s)no run can be read:.*a/record\.json.*b/record\.json"):
        find_runs([tmp_path])
