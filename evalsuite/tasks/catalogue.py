"""Catalogue: the folder of cards and suites, and how what a user asks for becomes tasks."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import os
import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, overload

from evalsuite.core.errors import TaskDataError, UsageError, known_names
from evalsuite.tasks.card import TaskCard, load_card
from evalsuite.tasks.refs import TaskRef, card_ref, is_abstask, path_ref
from evalsuite.tasks.suites import SUITES_FILE, read_suites

if TYPE_CHECKING:
    from mteb.abstasks import AbsTask

    from evalsuite.tasks.mteb.options import MtebOptions
    from evalsuite.tasks.mteb.refs import MtebRef
    from evalsuite.tasks.refs import Asked

_SPLIT = re.compile(r"(?P<base>.+):(?P<split>[\w.-]+)")


def tasks_folder() -> Path:
    """Find the folder of cards that belongs to this copy of evalsuite.

    Raises:
        UsageError: If there is none, because the package was copied without its data.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "bundled_tasks", package.parent / "tasks"):
        if (folder / SUITES_FILE).is_file():
            return folder
    message = (
        f"the bundled tasks are missing beside {package}; install evalsuite again, or work in its checkout"
    )
    raise UsageError(message)


class UnknownNameError(UsageError):
    """A name that stands for no task, suite, file or folder."""


class OtherNames(Protocol):
    """A second place where names are looked up, after the catalogue's own and paths."""

    def names(self) -> list[str]:
        """List the names known there, for suggestions."""

    def find(self, text: str) -> list[MtebRef]:
        """Find what a text stands for; empty when it is no name of that place."""

    def given(self, task: AbsTask) -> list[MtebRef]:
        """Find what a task object stands for."""


def resolve(refs: Sequence[Asked], options: MtebOptions | None = None) -> list[TaskRef | MtebRef]:
    """Find the tasks asked for: evalsuite's own and paths first, then mteb's tasks and benchmarks.

    Importing mteb takes seconds, so that happens only when a name is not found before.

    Args:
        refs: As for `Catalogue.resolve`, and mteb's names: a task, a benchmark, `TASK:SPLIT`, `TASK=FOLDER`,
            or `mteb` for every text task that matches the filters of `options`. A task object of mteb's
            stands for itself.
        options: How mteb's names are understood; by default without filters.

    Raises:
        UsageError: Lists everything that was asked for and cannot be found or used.
        TaskDataError: If `suites.toml` is malformed.
    """

    def mteb_names() -> OtherNames:
        from evalsuite.tasks.mteb.names import MtebNames
        from evalsuite.tasks.mteb.options import MtebOptions

        return MtebNames(options or MtebOptions())

    return Catalogue().resolve(refs, others=mteb_names)


class Catalogue:
    """A folder of cards (`NAME.toml`) and suites (`suites.toml`).

    Args:
        folder: The folder; by default the one that comes with evalsuite.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = tasks_folder() if folder is None else Path(folder).expanduser()

    def names(self) -> list[str]:
        """List the names of the cards, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.toml") if path.name != SUITES_FILE)

    def card(self, name: str) -> TaskCard:
        """Read and check a card.

        Raises:
            UsageError: If there is no such card; lists the known names.
            TaskDataError: If the card is malformed, or calls itself something else than its file.
        """
        if name not in self.names():
            message = f"{self._unknown(name)}\n{self._known()}"
            raise UsageError(message)
        path = self._card_file(name)
        card = load_card(path)
        if card.name != name:
            raise TaskDataError(str(path), [f"name: {card.name!r} is not the name of the file"])
        return card

    def suites(self) -> Mapping[str, tuple[str, ...]]:
        """Return the suites: name -> names of the cards in it, suites within suites unfolded.

        Raises:
            TaskDataError: Lists every mistake of `suites.toml`.
        """
        return self._suites

    @overload
    def resolve(self, refs: Sequence[str | os.PathLike[str]]) -> list[TaskRef]: ...

    @overload
    def resolve(
        self, refs: Sequence[Asked], *, others: Callable[[], OtherNames]
    ) -> list[TaskRef | MtebRef]: ...

    def resolve(
        self, refs: Sequence[Asked], *, others: Callable[[], OtherNames] | None = None
    ) -> list[TaskRef] | list[TaskRef | MtebRef]:
        """Find the tasks asked for, in order, each once.

        Args:
            refs: Names of cards and suites, paths of cards, folders and STS files; a text may end in
                `:SPLIT`. A name wins over a path of the same spelling (write `./NAME` for the path).
            others: Opens a second place to look a text up in; called only when one is not found here.

        Raises:
            UsageError: Lists everything that was asked for and cannot be found, or all tasks whose names
                cannot be told apart.
            TaskDataError: If `suites.toml` is malformed.
        """
        found: dict[Hashable, TaskRef | MtebRef] = {}
        problems: list[UsageError] = []
        for ref in refs:
            try:
                for task in self._find(ref, others):
                    found.setdefault(task.identity, task)
            except UsageError as error:
                problems.append(error)
        if problems:
            hints = [self._known()] if any(isinstance(each, UnknownNameError) for each in problems) else []
            raise UsageError("\n".join(dict.fromkeys([*map(str, problems), *hints])))
        return self._tell_apart(list(found.values()))

    @functools.cached_property
    def _suites(self) -> Mapping[str, tuple[str, ...]]:
        path = self.folder / SUITES_FILE
        return read_suites(path, self.names()) if path.is_file() else {}

    def _card_file(self, name: str) -> Path:
        return self.folder / f"{name}.toml"

    def _find(self, ref: Asked, others: Callable[[], OtherNames] | None) -> Sequence[TaskRef | MtebRef]:
        """Find what one ref stands for: here, else elsewhere.

        Raises:
            UnknownNameError: If it stands for nothing.
            UsageError: If it cannot be used.
        """
        if is_abstask(ref) and others is not None:
            return others().given(ref)
        if not isinstance(ref, str | os.PathLike):
            message = f"{ref!r} is no task; give a name, a path or a task object such as mteb.get_task makes"
            raise UsageError(message)
        text = os.fspath(ref)
        own = self._find_own(ref)
        if own:
            return own
        elsewhere = others() if others is not None and isinstance(ref, str) else None
        found = elsewhere.find(text) if elsewhere is not None else []
        if not found:
            match = _SPLIT.fullmatch(text)
            raise UnknownNameError(self._unknown(match["base"] if match else text, elsewhere))
        return found

    def _find_own(self, ref: str | os.PathLike[str]) -> list[TaskRef]:
        """Find a card, suite or path: as it is written, else with `:SPLIT` taken off its end."""
        text = os.fspath(ref)
        is_name = isinstance(ref, str)
        whole = self._named(text, None) if is_name else []
        whole = whole or self._at_path(Path(text).expanduser(), None)
        match = _SPLIT.fullmatch(text)
        if whole or match is None:
            return whole
        base, split = match["base"], match["split"]
        if is_name and base in self.suites():
            message = f"{text!r}: {base} is a suite, and a suite takes no split"
            raise UsageError(message)
        parted = self._named(base, split) if is_name else []
        return parted or self._at_path(Path(base).expanduser(), split)

    def _named(self, name: str, split: str | None) -> list[TaskRef]:
        """Find a card or a suite by its name; empty when there is none."""
        if name in self.names():
            return [self._card_ref(self._card_file(name), name, split)]
        members = self.suites().get(name, ())
        return [self._card_ref(self._card_file(member), member, None) for member in members]

    def _at_path(self, path: Path, split: str | None) -> list[TaskRef]:
        """Find a card, a folder or a file; empty when there is none.

        Raises:
            UsageError: If what is there is no task, has no such split, or cannot be looked at.
        """
        try:
            if path == Path() or not path.exists():  # an empty text would mean the current folder
                return []
            if path.is_file() and path.suffix == ".toml":
                return [self._card_ref(path, path.stem, split)]
            return [path_ref(path, split)]
        except OSError as error:
            message = f"{path}: {error.strerror or error}"
            raise UsageError(message) from None

    def _card_ref(self, path: Path, fallback: str, split: str | None) -> TaskRef:
        """Make the ref of a card, called what the card says."""
        try:
            card = load_card(path)
        except TaskDataError:
            # Reading the task raises this again; until then, and for `check`, the file's name serves.
            return card_ref(path, fallback, split)
        is_default = split == (card.source.split or "test")
        return card_ref(path, card.name, None if is_default else split)

    def _tell_apart(self, refs: Sequence[TaskRef | MtebRef]) -> list[TaskRef | MtebRef]:
        """Put the parent folder or benchmark before names that occur twice; the catalogue's own keep theirs.

        Raises:
            UsageError: If that does not help.
        """
        counts = Counter(ref.name for ref in refs)
        renamed = [
            dataclasses.replace(ref, name=ref.qualified)
            if counts[ref.name] > 1 and not self._is_own(ref)
            else ref
            for ref in refs
        ]
        again = Counter(ref.name for ref in renamed)
        same = [f"{ref.name}: {ref.place}" for ref in renamed if again[ref.name] > 1]
        if same:
            lines = "\n".join(f"  - {line}" for line in same)
            message = (
                "these tasks have the same name; evaluate them in separate runs, rename a folder, or give "
                f"one of them a card:\n{lines}"
            )
            raise UsageError(message)
        return renamed

    def _is_own(self, ref: TaskRef | MtebRef) -> bool:
        """Tell whether a task is one of the catalogue's cards."""
        return isinstance(ref, TaskRef) and ref.path.parent == self.folder

    def _unknown(self, text: str, elsewhere: OtherNames | None = None) -> str:
        """Say that there is no such task, with the nearest name."""
        others = [] if elsewhere is None else elsewhere.names()
        near = difflib.get_close_matches(text, [*self.names(), *self.suites(), *others], n=3 if others else 1)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        places = "task, suite, file or folder" + (
            "" if elsewhere is None else ", nor a task or benchmark of MTEB"
        )
        return f"{text!r} is no {places}{hint}"

    def _known(self) -> str:
        """List the names that would have worked."""
        tasks, suites = known_names(self.names()), known_names(list(self.suites()))
        return f"known tasks: {tasks}; known suites: {suites}"
