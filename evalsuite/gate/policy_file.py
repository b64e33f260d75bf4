"""Reading a policy file: every mistake at once, each with its place and the next step."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from evalsuite.core.errors import UsageError
from evalsuite.gate.policy import (
    A_LIMIT,
    LIMITS,
    ONE_MARGIN,
    BytesRule,
    MarginRule,
    Policy,
    RequiredRule,
    RetentionRule,
    SpeedRule,
    SpreadRule,
)

_RULES: dict[str, type[BaseModel]] = {
    "margin": MarginRule,
    "required": RequiredRule,
    "retention": RetentionRule,
    "spread": SpreadRule,
    "bytes": BytesRule,
    "speed": SpeedRule,
}


def read_policy(path: Path) -> Policy:
    """Read a policy.

    Raises:
        UsageError: If the file cannot be read, is not TOML, or has mistakes; names every one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read ({error}); give a policy file in TOML, or none"
        raise UsageError(message) from error
    return parse_policy(text, where=str(path))


def parse_policy(text: str, *, where: str) -> Policy:
    """Read a policy from its text.

    Args:
        text: TOML.
        where: Name of the file, for error messages.

    Raises:
        UsageError: If it is not TOML or has mistakes; names every one.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{where}: not TOML: {error}"
        raise UsageError(message) from error
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        # Checks across a rule's keys run only once each key is right, so they are repeated here.
        problems = [*(_explain(each) for each in error.errors()), *_incomplete(values)]
        raise _mistakes(where, list(dict.fromkeys(problems))) from error


def _mistakes(where: str, problems: list[str]) -> UsageError:
    """Put every mistake into one message."""
    heading = f"{where}: {len(problems)} problem{'' if len(problems) == 1 else 's'}"
    return UsageError("\n".join([heading, *(f"  - {problem}" for problem in problems)]))


def _explain(error: Any) -> str:
    """Say where a mistake is, what was found and what belongs there."""
    place, kind, found = error["loc"], error["type"], error["input"]
    where = _place(place)
    if kind == "extra_forbidden":
        table = _RULES.get(str(place[0]), Policy) if len(place) > 1 else Policy
        known = sorted(table.model_fields)
        close = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known keys: {', '.join(known)}"
        return f"{where}: unknown key{hint}"
    if kind == "missing":
        return f"{where}: missing, add it"
    if len(place) == 1 and place[0] in _RULES:
        return f"{where}: is a list of tables; write [[{where}]] above the keys of each rule; found {found!r}"
    if kind == "value_error":
        return f"{where}: {str(error['msg']).removeprefix('Value error, ')}"
    return f"{where}: {error['msg']}; found {found!r}"


def _place(parts: tuple[int | str, ...]) -> str:
    """Write a place: `[[margin]] number 2, absolute`."""
    if len(parts) > 1 and isinstance(parts[1], int):
        rest = [str(part) for part in parts[2:]]
        return ", ".join([f"[[{parts[0]}]] number {parts[1] + 1}", *rest])
    return ", ".join(str(part) for part in parts) or "policy"


def _incomplete(values: dict[str, Any]) -> Iterator[str]:
    """Find margins and limits of which none is given, or one too many."""
    for number, rule in enumerate(_tables(values, "margin")):
        if ("absolute" in rule) == ("relative" in rule):
            yield f"{_place(('margin', number))}: {ONE_MARGIN}"
    for number, rule in enumerate(_tables(values, "spread")):
        if not any(name in rule for name in LIMITS):
            yield f"{_place(('spread', number))}: {A_LIMIT}"


def _tables(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the tables of one kind of rule, as far as they are tables."""
    found = values.get(name)
    return [each if isinstance(each, dict) else {} for each in found] if isinstance(found, list) else []
