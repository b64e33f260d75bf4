"""Suites: named lists of tasks in `suites.toml`; a suite may contain suites."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.card import NAME, read_toml

SUITES_FILE = "suites.toml"
"""Where a folder of cards keeps its suites."""


def read_suites(path: Path, cards: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read suites and unfold them: suite -> names of its cards, in order, each once.

    Args:
        path: The file; each key is a suite, its value a list of names of cards and suites.
        cards: The names of the cards there are.

    Raises:
        TaskDataError: Lists every mistake: not a list of names, unknown names, cycles, names used twice.
    """
    raw = read_toml(path)
    problems = [problem for suite, members in raw.items() for problem in _faults(suite, members, raw, cards)]
    suites = {
        suite: [m for m in members if isinstance(m, str)]
        for suite, members in raw.items()
        if isinstance(members, list)
    }
    problems += _cycles(suites)
    if problems:
        raise TaskDataError(str(path), problems)
    return {suite: tuple(dict.fromkeys(_unfold(suite, suites))) for suite in suites}


def _faults(suite: str, members: object, raw: Mapping[str, object], cards: Sequence[str]) -> list[str]:
    """List the mistakes of one suite, cycles aside."""
    found = []
    if not re.fullmatch(NAME, suite):
        found.append(f"{suite!r} is not a name; use letters, digits, dots, dashes and underscores")
    if suite in cards:
        found.append(f"{suite}: a task has the same name; rename one")
    if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
        return [*found, f"{suite}: not a list of names"]
    if not members:
        found.append(f"{suite}: empty")
    unknown = [member for member in members if member not in cards and member not in raw]
    return [*found, *(f"{suite}: unknown task or suite {member!r}" for member in unknown)]


def _cycles(suites: Mapping[str, Sequence[str]]) -> list[str]:
    """List the suites that contain themselves, each cycle once."""
    found: dict[frozenset[str], str] = {}

    def visit(trail: tuple[str, ...]) -> None:
        for member in suites[trail[-1]]:
            if member in trail:
                cycle = (*trail[trail.index(member) :], member)
                found.setdefault(frozenset(cycle), f"{member}: contains itself ({' > '.join(cycle)})")
            elif member in suites:
                visit((*trail, member))

    for suite in suites:
        visit((suite,))
    return list(found.values())


def _unfold(name: str, suites: Mapping[str, Sequence[str]]) -> list[str]:
    """Replace suites by their members, depth first."""
    if name not in suites:
        return [name]
    return [card for member in suites[name] for card in _unfold(member, suites)]
