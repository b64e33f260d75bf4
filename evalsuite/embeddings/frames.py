"""Messages between the driver and its workers: a JSON head and raw bytes, over pipes.

Nothing that is received is ever executed or unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

_LENGTHS = 16
"""Bytes in front of a message: the lengths of head and body, 8 bytes each."""


def send(pipe: BinaryIO, head: Mapping[str, Any], body: bytes = b"") -> None:
    """Write one message and flush it; the pipe may be unbuffered.

    Raises:
        OSError: If the other side is gone.
    """
    text = json.dumps(head).encode()
    message = len(text).to_bytes(8, "little") + len(body).to_bytes(8, "little") + text + body
    rest = memoryview(message)
    while rest:
        rest = rest[pipe.write(rest) :]
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Read one message; None if the other side is gone, even in the middle of one."""
    lengths = _exactly(pipe, _LENGTHS)
    if lengths is None:
        return None
    text = _exactly(pipe, int.from_bytes(lengths[:8], "little"))
    body = _exactly(pipe, int.from_bytes(lengths[8:], "little"))
    if text is None or body is None:
        return None
    return json.loads(text), body


def _exactly(pipe: BinaryIO, count: int) -> bytes | None:
    """Read so many bytes and not one more; None if there are fewer."""
    content = bytearray()
    while len(content) < count:
        piece = pipe.read(count - len(content))
        if not piece:
            return None
        content += piece
    return bytes(content)
