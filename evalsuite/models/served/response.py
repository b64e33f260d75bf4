"""Reading answers of `/v1/embeddings`: complete, in order, finite and of one width, or an error."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import EncodingError

Floats = npt.NDArray[np.float32]


def read_vectors(content: Any, texts: Sequence[str], width: int | None, who: str) -> Floats:
    """Take the vectors out of an answer and scale them to unit length.

    Args:
        content: The parsed JSON: `{"data": [{"index": 0, "embedding": [...]}, ...]}` in any order; an
            embedding is a list of numbers or little-endian float32 in base64.
        texts: What was asked for.
        width: Width the vectors must have; None takes that of the first.
        who: The served model, for error messages.

    Returns:
        float32 (len(texts), width), row i for text i, unit length.

    Raises:
        EncodingError: If a vector is missing, doubled, of another width, not finite or all zeros.
    """
    items = _in_order(content, len(texts), who)
    rows = [_floats(item.get("embedding"), text, who) for item, text in zip(items, texts, strict=True)]
    expected = len(rows[0]) if width is None else width
    for row, text in zip(rows, texts, strict=True):
        if len(row) != expected or not expected:
            message = (
                f"{who} returned a vector of width {len(row)} where {expected or 'more than 0'} is expected, "
                f"for {preview(text)}; make sure that one model answers under this name"
            )
            raise EncodingError(message)
    return _normalised(np.stack(rows), texts, who)


def preview(text: str) -> str:
    """Show the start of a text in an error message, and its length if there is more."""
    start = 80
    return repr(text) if len(text) <= start else f"{text[:start]!r}... ({len(text):,} characters)"


def _in_order(content: Any, count: int, who: str) -> list[dict[str, Any]]:
    """Sort the items of an answer by their index.

    Raises:
        EncodingError: If there is not exactly one item an index.
    """
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        message = (
            f"{who} returned JSON without a list `data`; is the URL an OpenAI-compatible /v1/embeddings?"
        )
        raise EncodingError(message)
    if len(data) != count:
        message = f"{who} returned {len(data)} vectors for {count} texts; look at the server's log"
        raise EncodingError(message)
    indices = [item.get("index") for item in data]
    if {str(index) for index in indices} != {str(index) for index in range(count)}:
        # What is no number is not shown: a server could have put anything there.
        shown = ", ".join(str(index) if isinstance(index, int) else "?" for index in indices[:8])
        message = (
            f"{who} returned vectors with index {shown}{', ...' if count > 8 else ''} where each of "
            f"0 to {count - 1} is expected once; which text a vector belongs to cannot be told"
        )
        raise EncodingError(message)
    return sorted(data, key=lambda item: int(item["index"]))


def _floats(value: Any, text: str, who: str) -> Floats:
    """Read one embedding: float32 (width,).

    Raises:
        EncodingError: If it is neither a list of numbers nor base64 of float32.
    """
    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
        numbers = np.asarray(value)
        if isinstance(value, list) and numbers.ndim == 1 and numbers.dtype.kind in "iuf":
            # A number beyond float32 becomes infinity, which is refused below.
            with np.errstate(over="ignore"):
                return numbers.astype(np.float32)
    except (binascii.Error, ValueError) as error:
        message = f"{who} returned an embedding that cannot be read ({error}), for {preview(text)}"
        raise EncodingError(message) from error
    message = f"{who} returned an embedding that is no list of numbers, for {preview(text)}"
    raise EncodingError(message)


def _normalised(rows: Floats, texts: Sequence[str], who: str) -> Floats:
    """Scale rows to unit length, with the norm in float64.

    Raises:
        EncodingError: If a row is not finite or all zeros.
    """
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)
    bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0.0))
    if len(bad):
        kind = "an all-zero vector" if norms[bad[0]] == 0.0 else "NaN or infinity"
        message = (
            f"{who} returned {kind} for {len(bad)} of {len(texts)} texts, the first being "
            f"{preview(texts[bad[0]])}; run the server in float32 or bfloat16, or look at that text"
        )
        raise EncodingError(message)
    unit: Floats = (rows / norms[:, None]).astype(np.float32)
    return unit
