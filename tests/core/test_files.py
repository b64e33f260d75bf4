"""Atomic writes: the old content or the new, and a clear error."""

import errno
import os

import pytest

from evalsuite.core.errors import StorageError, TaskDataError
from evalsuite.core.files import atomic_file, write_text


def test_a_crash_while_writing_keeps_the_old_content(tmp_path):
    """An exception in the middle leaves the old file and no stray one."""
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def interrupted():
        with atomic_file(path) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made(tmp_path):
    """Missing folders on the way are made."""
    write_text(tmp_path / "a" / "b" / "c.txt", "é")
    assert (tmp_path / "a" / "b" / "c.txt").read_text(encoding="utf-8") == "é"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EACCES, "cannot be written"),
        (errno.EROFS, "cannot be written"),
    ],
)
def test_a_sick_disk_is_one_clear_error(tmp_path, monkeypatch, number, words):
    """A full or read-only disk is a StorageError that names the file; the old content stays."""
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def sick(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", sick)
    with pytest.raises(StorageError, match=rf"a\.txt: .*{words}"):
        write_text(path, "new")
    assert path.read_text() == "old"


@pytest.mark.parametrize("below", ["a.txt", "deeper/a.txt"])
def test_a_file_in_a_folders_place_is_told(tmp_path, below):
    """It is no `File exists` of something the person did not ask to make."""
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match=r"out.*: a file is where a folder is needed; choose another"):
        write_text(tmp_path / "out" / below, "new")
    assert (tmp_path / "out").read_text() == "a file"


def test_all_problems_are_in_one_message():
    """A data error counts and lists every problem."""
    error = TaskDataError("folder", ["first", "second"])
    assert str(error) == "folder: 2 problems\n  - first\n  - second"
