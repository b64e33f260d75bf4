"""Where the command line prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from rich.console import Console

USAGE = 2


@functools.cache
def stdout() -> Console:
    """Return the console for results."""
    from rich.console import Console

    return Console(highlight=False)


@functools.cache
def stderr() -> Console:
    """Return the console for progress, warnings and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def fail(message: str, code: int = USAGE) -> NoReturn:
    """Print one message and exit."""
    stderr().print("error: " + message, style="bold red", markup=False, soft_wrap=True)
    sys.exit(code)


def warn(message: str) -> None:
    """Print a warning to stderr."""
    stderr().print("warning: " + message, style="yellow", markup=False, soft_wrap=True)


def say(message: str) -> None:
    """Print a line of a result to stdout."""
    stdout().print(message, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON to stdout, for machines."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
