"""Splits: which part of a folder's data is used, and what that makes the task's name."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.core.errors import UsageError, known_names

DEFAULT_SPLIT = "test"

_DEVELOPMENT = ("dev", "validation", "val", "valid")

SPLIT_WORDS = ("test", "train", *_DEVELOPMENT)
"""File names (without ending) that name a split rather than a task."""


def default_split(available: Sequence[str]) -> str | None:
    """Choose the split used when none is asked for: `test`, else the only one, else None."""
    if DEFAULT_SPLIT in available:
        return DEFAULT_SPLIT
    return available[0] if len(available) == 1 else None


def choose_split(available: Sequence[str], wanted: str | None, where: str) -> str:
    """Choose a split of a folder; `dev`, `validation`, `val` and `valid` mean the same.

    Args:
        available: The splits the folder has.
        wanted: The split asked for; None asks for the default.
        where: The folder, for the message.

    Raises:
        UsageError: If the split is not there, or none was asked for and there is no default.
    """
    known = known_names(sorted(available))
    if wanted is None:
        chosen = default_split(available)
        if chosen is None:
            message = (
                f"{where} has no 'test' split; name one, as in {where}:{min(available)}; splits: {known}"
            )
            raise UsageError(message)
        return chosen
    same = (wanted, *_DEVELOPMENT) if wanted in _DEVELOPMENT else (wanted,)
    for split in same:
        if split in available:
            return split
    message = f"{where} has no split {wanted!r}; splits: {known}"
    raise UsageError(message)


def name_with_split(name: str, split: str, available: Sequence[str]) -> str:
    """Append `:split` to a task's name unless the split is the default one."""
    return name if split == default_split(available) else f"{name}:{split}"
