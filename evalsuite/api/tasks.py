"""Find and load tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.tasks.catalogue import resolve
from evalsuite.tasks.kinds import Task
from evalsuite.tasks.mteb import MtebOptions

if TYPE_CHECKING:
    from evalsuite.tasks.refs import Asked


def load_tasks(references: Sequence[Asked], options: MtebOptions | None = None) -> list[Task]:
    """Resolve names, suites and paths, and load every task; those of MTEB stay light until their turn.

    Args:
        references: Names, suites, paths, and task objects of mteb's.
        options: How MTEB's names are understood.

    Raises:
        UsageError: If a reference is unknown; names all that are.
        TaskDataError: If tasks' files are malformed; names every mistake of every task.
    """
    if not references:
        message = "no task given; name a task, a suite or a path"
        raise UsageError(message)
    loaded: list[Task] = []
    broken: list[TaskDataError] = []
    for reference in resolve(list(references), options):
        try:
            loaded.append(reference.load())
        except TaskDataError as error:
            broken.append(error)
    if len(broken) == 1:
        raise broken[0]
    if broken:
        problems = [f"{error.where}: {problem}" for error in broken for problem in error.problems]
        where = f"{len(broken)} tasks"
        raise TaskDataError(where, problems)
    return loaded
