"""What mteb's model classes need to know of a task: its metadata, by name, or a stand-in by type."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any

from evalsuite.models.prompts import Role

_SUBTYPES = {
    "QuestionAnswering": "Question answering",
    "FactChecking": "Claim verification",
    "CodeRetrieval": "Code retrieval",
}
"""Types that task cards know and mteb files under Retrieval, with its name for them."""


def prompt_type(role: Role) -> Any:
    """Return mteb's `PromptType` of a role; None for both sides of a comparison."""
    from mteb.types import PromptType

    return None if role == "symmetric" else PromptType(role)


@functools.cache
def task_metadata(role: Role, task_type: str, task_name: str) -> Any:
    """Return mteb's `TaskMetadata` of a task.

    Args:
        role: Decides between Retrieval and STS for a type mteb does not have.
        task_type: Type of the task.
        task_name: A task of mteb's registry, or of any class that was imported. A task of another type under
            the same name is another task.

    Returns:
        The metadata, or for a task mteb does not know a stand-in that has the type's own instruction.
    """
    metadata = find_metadata(task_name)
    if metadata is not None and metadata.type == task_type:
        return metadata
    return _stand_in(role, task_type, task_name)


def find_metadata(task_name: str) -> Any:
    """Return mteb's `TaskMetadata` of a task of its registry or an imported class; None if there is none."""
    import mteb

    with warnings.catch_warnings():
        # A task that was renamed, or is in beta, is still that task.
        warnings.simplefilter("ignore")
        try:
            return mteb.get_task(task_name).metadata
        except (KeyError, ValueError):
            return _imported(task_name)


def _imported(task_name: str) -> Any:
    """Return the metadata of a task class outside the registry, such as a mock task, or None."""
    return next((each.metadata for each in _task_classes() if each.metadata.name == task_name), None)


def _task_classes() -> Iterator[Any]:
    """Yield every imported task class that has metadata."""
    from mteb.abstasks import AbsTask

    waiting: list[Any] = [AbsTask]
    while waiting:
        found = waiting.pop().__subclasses__()
        waiting += found
        yield from (each for each in found if getattr(each, "metadata", None) is not None)


def _stand_in(role: Role, task_type: str, task_name: str) -> Any:
    """Describe a task of evalsuite's own in mteb's terms."""
    from mteb.abstasks.task_metadata import TaskMetadata

    known = {each.metadata.type: getattr(each, "abstask_prompt", "") for each in _task_classes()}
    fallback = "STS" if role == "symmetric" else "Retrieval"
    kind = task_type if task_type in known else fallback
    return TaskMetadata.model_construct(
        name=task_name,
        type=kind,
        prompt=known.get(kind) or None,
        task_subtypes=[_SUBTYPES[task_type]] if task_type in _SUBTYPES else [],
        eval_langs=["eng-Latn"],
        modalities=["text"],
    )
