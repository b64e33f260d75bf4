"""The API key: read from the environment when a request is sent, held by no object, shown nowhere."""

from __future__ import annotations

import os

from evalsuite.core.errors import UsageError

KEY_VARIABLE = "EVALSUITE_API_KEY"
"""Holds the key of whatever server is asked."""

OPENAI_VARIABLE = "OPENAI_API_KEY"
"""Holds OpenAI's key, which is sent to OpenAI alone: another server has no business with it."""

OPENAI_DOMAIN = "openai.com"
PIECE = 6
"""So many characters of a key in a row, repeated by a server, are enough to show nothing of its answer."""


def api_key(host: str, *, encrypted: bool) -> str | None:
    """Return the key to send to a server; None sends none.

    Args:
        host: Name of the server.
        encrypted: Whether the connection is HTTPS.

    Raises:
        UsageError: If the key holds characters that no HTTP header can carry; the key is not repeated.
    """
    variable = KEY_VARIABLE
    key = os.environ.get(variable, "").strip()
    if not key and encrypted and (host == OPENAI_DOMAIN or host.endswith("." + OPENAI_DOMAIN)):
        variable = OPENAI_VARIABLE
        key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        message = f"{variable} holds blanks or characters that are not ASCII; set it to the key alone"
        raise UsageError(message)
    return key or None


def held_keys() -> tuple[str, ...]:
    """Return every key in the environment, whichever server it is for."""
    found = (os.environ.get(variable, "").strip() for variable in (KEY_VARIABLE, OPENAI_VARIABLE))
    return tuple(key for key in found if key)


def repeats_key(text: str) -> bool:
    """Tell whether a text holds a key of the environment, or `PIECE` characters of one in a row."""
    return any(
        key[start : start + PIECE] in text
        for key in held_keys()
        for start in range(max(1, len(key) - PIECE + 1))
    )
