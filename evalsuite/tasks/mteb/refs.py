"""MtebRef: a task of MTEB that was asked for, found but not read yet."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.tasks.card import TaskCard
from evalsuite.tasks.mteb.task import MtebTask, hub_place
from evalsuite.tasks.refs import TaskDescription


@dataclass(frozen=True)
class MtebRef:
    """A task of MTEB that was asked for, found but not read yet.

    Attributes:
        name: What the task is called in tables and files.
        abstask: mteb's task; shared, never changed.
        subsets: The subsets to use.
        languages: The explicit language filter that gave the subsets.
        splits: The splits to use; empty means the task's own.
        folder: Folder with the data in place of the hub.
        origin: The benchmark it was found in; `mteb` for a task given by its own name.
    """

    name: str
    abstask: Any
    subsets: tuple[str, ...]
    languages: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    folder: Path | None = None
    origin: str = "mteb"

    @property
    def card(self) -> TaskCard | None:
        """None: MTEB's tasks have no card of ours."""
        return None

    @property
    def identity(self) -> Hashable:
        """What makes two refs the same task, whatever they are called."""
        used = self.splits or tuple(self.abstask.eval_splits)
        kind = type(self.abstask)
        return kind, self.abstask.metadata.name, used, frozenset(self.subsets), self.folder

    @property
    def qualified(self) -> str:
        """The name with the benchmark in front, for telling apart two tasks of one name."""
        return f"{self.origin}/{self.name}"

    @property
    def place(self) -> str:
        """Where the data is, for messages."""
        return str(self.folder or hub_place(self.abstask.metadata))

    def load(self) -> MtebTask:
        """Make the task; its data is read when its own `load` is called."""
        return MtebTask(
            self.abstask,
            name=self.name,
            splits=self.splits or None,
            subsets=self.subsets,
            languages=self.languages,
            folder=self.folder,
        )

    def describe(self) -> TaskDescription:
        """Say what the task is without reading its texts."""
        licence = str(self.abstask.metadata.license or "not stated")
        return TaskDescription(self.name, "mteb", self.place, licence)
