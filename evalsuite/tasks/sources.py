"""From a card to its task: find the data, read it, compare its fingerprint, put the card's word on it."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.beir import read_beir
from evalsuite.tasks.card import TaskCard, load_card
from evalsuite.tasks.stdlib_docs import read_stdlib_docs
from evalsuite.tasks.sts import read_sts
from evalsuite.tasks.task import NativeTask


def load_task(card_file: Path, *, split: str | None = None, name: str | None = None) -> NativeTask:
    """Read the task a card describes.

    Args:
        card_file: The card.
        split: Use this split instead of the card's. The checksum is that of the card's split, so it is
            compared only when this is the same one.
        name: What to call the task instead of what the card says.

    Raises:
        TaskDataError: Lists every mistake of the card or of the data, or names the two checksums.
        UsageError: If the split is not there; lists those that are.
    """
    card = load_card(card_file)
    task = dataclasses.replace(
        _read(card, card_file, split or card.source.split or None),
        name=name or card.name,
        main_metric=card.metric,
        task_type=card.task_type,
    )
    if card.source.kind != "python-stdlib":
        task = dataclasses.replace(task, source=describe_source(card))
    expected = card.source.checksum
    if expected and split in (None, card.source.split):
        _compare(card_file, expected, task.fingerprint)
    return task


def describe_source(card: TaskCard) -> str:
    """Say in a few words where a card's data is: `bundled texts/near-miss (revision 1)`."""
    revision = f" (revision {card.source.revision})" if card.source.revision else ""
    return f"{card.source.kind} {card.source.path}".strip() + revision


def _read(card: TaskCard, card_file: Path, split: str | None) -> NativeTask:
    """Read a card's data, without the card's name and metric."""
    if card.source.kind == "python-stdlib":
        if split not in (None, "test"):
            raise TaskDataError(str(card_file), [f"python-stdlib has no splits; leave :{split} away"])
        return read_stdlib_docs(card.name)
    path = _data_path(card, card_file)
    if card.kind == "retrieval":
        return read_beir(path, split=split, name=card.name)
    return read_sts(path, split=split, name=card.name)


def _data_path(card: TaskCard, card_file: Path) -> Path:
    """Fill in `~` and variables of a card's path and take it relative to the card's folder.

    Raises:
        TaskDataError: If a variable is not set, or there is nothing of that kind at the path.
    """
    text = os.path.expandvars(card.source.path)
    unset = re.findall(r"\$\w+|\$\{\w+\}", text)
    if unset:
        problem = f"source.path: {', '.join(unset)} is not set; set it to the folder that holds the data"
        raise TaskDataError(str(card_file), [problem])
    path = card_file.parent / Path(text).expanduser()
    kinds = {"folder": (path.is_dir(), "folder"), "file": (path.is_file(), "file")}
    there, what = kinds.get(card.source.kind, (path.exists(), "file or folder"))
    if not there:
        raise TaskDataError(str(card_file), [f"source.path: no such {what}: {path}"])
    return path


def _compare(card_file: Path, expected: str, found: str) -> None:
    """Refuse data that is not what the card vouches for."""
    if expected != found:
        problem = (
            f"source.checksum: the card expects {expected}, the data has {found}; restore the data, "
            "or change the card when the new data is meant (its scores are not comparable with the old ones)"
        )
        raise TaskDataError(str(card_file), [problem])
