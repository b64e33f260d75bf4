"""What can go wrong, as a tree.

::

    EvalsuiteError
     ├── UserError               the person at the keyboard can fix it: one message, no traceback, exit code 2
     │    ├── UsageError         an option, a name or a path is not what it should be
     │    ├── TaskDataError      a task's files are malformed; lists every mistake at once
     │    ├── CheckpointError    a model cannot be opened, or not safely
     │    ├── RunFileError       a run on disk is missing, damaged or of another schema
     │    └── StorageError       a disk is full, read-only or damaged
     └── EncodingError           the model returned vectors that cannot be scored (NaN, zero, wrong shape)
"""

from __future__ import annotations

from collections.abc import Sequence


class EvalsuiteError(Exception):
    """Base of everything evalsuite raises on purpose."""


class UserError(EvalsuiteError):
    """Something the user can fix: names the thing, the value and the next step."""


class UsageError(UserError):
    """An option, a name or a path is not what it should be."""


class TaskDataError(UserError):
    """A task's files are malformed.

    Args:
        where: The folder, file or card that was read.
        problems: Every mistake found, one sentence each, with file and line number where there is one.
    """

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        self.where = where
        self.problems = tuple(problems)
        count = len(self.problems)
        heading = f"{where}: {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n".join([heading, *(f"  - {problem}" for problem in self.problems)]))


class CheckpointError(UserError):
    """A model cannot be opened, or cannot be opened safely."""


class RunFileError(UserError):
    """A run on disk is missing, damaged or of another schema."""


class StorageError(UserError):
    """A disk is full, read-only or damaged."""


class EncodingError(EvalsuiteError):
    """The model returned vectors that cannot be scored."""


def known_names(names: Sequence[str]) -> str:
    """Format the names that would have worked, for the end of an error message."""
    return ", ".join(names) if names else "none"
