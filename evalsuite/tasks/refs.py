"""TaskRef: a task that was asked for, found but not read yet."""

from __future__ import annotations

import os
import sys
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeGuard

from evalsuite.core.errors import UsageError
from evalsuite.tasks.beir import LAYOUT as BEIR_LAYOUT
from evalsuite.tasks.beir import is_beir, read_beir
from evalsuite.tasks.card import Kind, TaskCard, load_card
from evalsuite.tasks.qrels import qrels_files
from evalsuite.tasks.sources import describe_source, load_task
from evalsuite.tasks.splits import SPLIT_WORDS, choose_split, name_with_split
from evalsuite.tasks.sts import LAYOUT as STS_LAYOUT
from evalsuite.tasks.sts import read_sts, sts_file, sts_files, sts_name
from evalsuite.tasks.tables import table_stem
from evalsuite.tasks.task import NativeTask

if TYPE_CHECKING:
    from mteb.abstasks import AbsTask

    Asked: TypeAlias = str | os.PathLike[str] | AbsTask


def is_abstask(value: object) -> TypeGuard[AbsTask]:
    """Tell whether a value is a task object of mteb's; where mteb was never imported, nothing is."""
    library = sys.modules.get("mteb.abstasks.abstask")
    return library is not None and isinstance(value, library.AbsTask)


def reference_text(asked: Asked) -> str:
    """Write down what was asked for: a task object by its name."""
    return str(asked.metadata.name) if is_abstask(asked) else os.fspath(asked)


@dataclass(frozen=True)
class TaskDescription:
    """What can be said of a task before its texts are read.

    Attributes:
        name: What the task is called.
        kind: `retrieval`, `sts` or `mteb`.
        source: Where the data is, in words.
        licence: Licence of the texts; `not stated` without a card.
    """

    name: str
    kind: Kind | Literal["mteb"]
    source: str
    licence: str


@dataclass(frozen=True)
class TaskRef:
    """A task that was asked for, found but not read yet.

    Attributes:
        name: What the task is called in tables and files.
        form: What `path` is: a `card`, a `beir` folder, or an `sts` file (or folder).
        path: Where it is.
        split: Which part of the data to use; None leaves it to the card or the data.
        home: The file or folder the name comes from.
    """

    name: str
    form: Literal["card", "beir", "sts"]
    path: Path
    split: str | None
    home: Path

    @property
    def card(self) -> TaskCard | None:
        """The task's card, read and checked; None for data given by its path.

        Raises:
            TaskDataError: If the card is malformed.
        """
        return load_card(self.path) if self.form == "card" else None

    @property
    def identity(self) -> Hashable:
        """What makes two refs the same task, whatever they are called."""
        return self.form, self.path.resolve(), self.split

    @property
    def qualified(self) -> str:
        """The name with the parent folder in front, for telling apart two tasks of one name."""
        return f"{self.home.resolve().parent.name}/{self.name}"

    @property
    def place(self) -> str:
        """Where the data is, for messages."""
        return str(self.path)

    def load(self) -> NativeTask:
        """Read and check the task's data.

        Raises:
            TaskDataError: Lists every mistake of the card or the data.
            UsageError: If the split is not there.
        """
        if self.form == "card":
            return load_task(self.path, split=self.split, name=self.name)
        if self.form == "beir":
            return read_beir(self.path, split=self.split, name=self.name)
        return read_sts(self.path, split=self.split, name=self.name)

    def describe(self) -> TaskDescription:
        """Say what the task is without reading its texts.

        Raises:
            TaskDataError: If the card is malformed.
        """
        card = self.card
        if card is not None:
            return TaskDescription(self.name, card.kind, describe_source(card), card.licence)
        kind: Kind = "retrieval" if self.form == "beir" else "sts"
        what = "BEIR folder" if self.form == "beir" else "STS file"
        return TaskDescription(self.name, kind, f"{what} {self.path}", "not stated")


def card_ref(path: Path, name: str, split: str | None) -> TaskRef:
    """Make the ref of a card; a split other than the card's becomes part of the name."""
    return TaskRef(f"{name}:{split}" if split else name, "card", path, split, path)


def path_ref(path: Path, split: str | None) -> TaskRef:
    """Make the ref of an existing file or folder; what it holds decides how it is read.

    Raises:
        UsageError: If it holds nothing that can be read as a task, or not the split asked for.
    """
    if path.is_dir():
        return _folder_ref(path, split)
    if table_stem(path) is None:
        message = f"{path} is neither a card (.toml), nor a folder, nor a table ({STS_LAYOUT})"
        raise UsageError(message)
    file, chosen = sts_file(path, split)
    home = path.parent if table_stem(path) in SPLIT_WORDS else path
    return TaskRef(sts_name(path, chosen), "sts", file, chosen, home)


def _folder_ref(folder: Path, split: str | None) -> TaskRef:
    """Make the ref of a folder; mistakes of its data wait until it is read, so `check` lists them all."""
    name = folder.resolve().name
    if is_beir(folder):
        splits = list(qrels_files(folder))
        chosen = choose_split(splits, split, str(folder)) if splits else split
        return TaskRef(
            name_with_split(name, chosen, splits) if chosen else name, "beir", folder, chosen, folder
        )
    files = sts_files(folder)
    if not files:
        message = (
            f"{folder} holds no task: neither a BEIR folder ({BEIR_LAYOUT}) nor one with a table a split "
            f"(test.tsv, ...; {STS_LAYOUT})"
        )
        raise UsageError(message)
    chosen = choose_split(list(files), split, str(folder))
    path = files[chosen][0] if len(files[chosen]) == 1 else folder
    return TaskRef(name_with_split(name, chosen, list(files)), "sts", path, chosen, folder)
