"""Reading text files line by line, plain or gzipped, with every fault noted instead of raised."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from evalsuite.tasks.problems import Problems

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\\ud800-\\udfff]")


def read_lines(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yield `(line number from 1, text without its line end)` of a UTF-8 file, `.gz` or plain.

    Only line feeds (and a carriage return before one) end a line, as JSON Lines and TSV define it. Lines that
    are not UTF-8, a damaged archive and an unreadable file are noted in `problems` and skipped.
    """
    number = 0
    try:
        with _open(path) as file:
            for number, raw in enumerate(file, start=1):
                content = raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
                try:
                    text = content.decode("utf-8")
                except UnicodeDecodeError as error:
                    problems.add(f"not UTF-8 at byte {error.start + 1} of the line", file=path, line=number)
                    continue
                yield number, text.removesuffix("\n").removesuffix("\r")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        problems.add(f"cannot be read after line {number} ({reason})", file=path)


def read_json_rows(path: Path, problems: Problems) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield `(line number from 1, object)` of a JSON Lines file; blank lines are skipped, faults noted."""
    for number, text in read_lines(path, problems):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            problems.add(f"not JSON ({error.msg}, column {error.colno})", file=path, line=number)
            continue
        except (ValueError, RecursionError) as error:
            problems.add(f"not usable JSON ({error})", file=path, line=number)
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            fault = f"the line is {_json_name(row)}, not an object {{...}}"
            problems.add(fault, file=path, line=number)


def text_fault(value: object) -> str | None:
    """Say what keeps a value from being a text a tokenizer accepts; None when nothing does."""
    if not isinstance(value, str):
        return f"is {_json_name(value)}, not a string"
    if not value.isascii() and _SURROGATE.search(value):
        return "holds half a surrogate pair, which is not a character"
    return None


def _json_name(value: object) -> str:
    """Name a JSON value's type for a message."""
    if value is None:
        return "null"
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


def _open(path: Path) -> BinaryIO:
    """Open a file for reading bytes, unpacking `.gz`."""
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
