"""Reading words of the command line: lists after one option, comma-separated values."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from evalsuite.core.errors import UsageError

if TYPE_CHECKING:
    from evalsuite.tasks.mteb.options import MtebOptions


def gather_values(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """Let an option take several words: `--tasks a b` becomes `--tasks a --tasks b`.

    Only once a positional word (the model) has been seen; before that, a word after the value may be the
    model, so there an option takes one word, as usual.
    """
    gathered: list[str] = []
    positional = False
    current = ""
    takes_value = False
    for place, word in enumerate(arguments):
        if word == "--":
            return [*gathered, *arguments[place:]]
        if word.startswith("-"):
            gathered.append(word)
            name = word.partition("=")[0]
            current = name if name in options else ""
            takes_value = "=" not in word and word not in FLAGS
        elif takes_value:
            gathered.append(word)
            takes_value = False
        elif current and positional:
            gathered += [current, word]
        else:
            gathered.append(word)
            positional = positional or place > 0
    return gathered


FLAGS = (
    "--quiet",
    "--json",
    "--mteb",
    "--train-only",
    "--no-texts",
    "--allow-failed",
    "--once",
    "--csv",
    "--no-report",
    "--trust-remote-code",
    "--help",
    "--all",
    "--version",
    "-q",
    "-h",
)
"""Options that take no value."""


def split_names(values: Sequence[str]) -> list[str]:
    """Split comma-separated names; commas of a path, or within parentheses as in `MTEB(eng, v2)`, stay."""
    names: list[str] = []
    for value in values:
        parts = [value] if _is_path(value) else re.split(r",(?![^()]*\))", value)
        names += [part.strip() for part in parts if part.strip()]
    return names


def _is_path(value: str) -> bool:
    """Tell whether there is such a file or folder; a list too long for a file name is none."""
    try:
        return Path(value).exists()
    except (OSError, ValueError):
        return False


def parse_dims(values: Sequence[str] | None) -> list[int] | None:
    """Read dimensions such as `768,512,256`; None if the option was not given.

    Raises:
        UsageError: If a word is not a whole number.
    """
    if not values:
        return None
    words = split_names(values)
    wrong = [word for word in words if not word.isdecimal()]
    if wrong or not words:
        message = f"--dims {','.join(values)}: not whole numbers: {', '.join(wrong) or 'none given'}"
        raise UsageError(message)
    return [int(word) for word in words]


def parse_workers(value: str) -> int | Literal["auto"]:
    """Read the number of processes, or `auto`.

    Raises:
        UsageError: If it is neither.
    """
    if value == "auto":
        return "auto"
    if not value.isdecimal() or int(value) < 1:
        message = f"--workers {value}: give auto or a whole number from 1"
        raise UsageError(message)
    return int(value)


def mteb_options(
    types: Sequence[str] | None,
    languages: Sequence[str] | None,
    domains: Sequence[str] | None,
    data: Path | None,
    road: str,
) -> MtebOptions:
    """Gather the options about MTEB; without a folder of data, that of the environment is used.

    Raises:
        UsageError: If there is no such road.
    """
    from evalsuite.tasks.mteb.options import MtebOptions

    if road not in ("native", "mteb"):
        message = f"--road {road}: there are two, native and mteb"
        raise UsageError(message)
    options = MtebOptions(
        types=tuple(split_names(types or ())),
        languages=tuple(split_names(languages or ())),
        domains=tuple(split_names(domains or ())),
        road="native" if road == "native" else "mteb",
    )
    return options if data is None else dataclasses.replace(options, data=data.expanduser())
