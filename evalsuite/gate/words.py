"""How a verdict's numbers and foreign texts are written."""

from __future__ import annotations

import re
import unicodedata

DASH = "\N{EN DASH}"
RELEVANT = "\N{CHECK MARK}"
_SPACE = re.compile(r"\s+")
_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff"
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~$!&@])")


def points(value: float | None) -> str:
    """Write a fraction in points: 0.6451 is `64.5`."""
    return DASH if value is None else f"{100 * value:.1f}"


def change(value: float | None) -> str:
    """Write a difference in points, with its sign: -0.0123 is `-1.2`."""
    if value is None:
        return DASH
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def size(value: float) -> str:
    """Write a margin or another size in points: 0.01 is `1.0`, and 0.0002 is `0.02`, not nothing."""
    return points(value) if value >= 0.001 or value == 0 else f"{100 * value:.1g}"


def p_value(value: float | None) -> str:
    """Write a p-value to three decimals."""
    if value is None:
        return DASH
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def clean(text: str) -> str:
    """Make a foreign text safe to show on one line: no control characters, no direction overrides."""
    kept = (" " if char.isspace() else char for char in text if char.isspace() or _visible(char))
    return _SPACE.sub(" ", "".join(kept)).strip()


def markdown(text: str) -> str:
    """Write a foreign text so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\1", clean(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")


def plural(count: int, singular: str) -> str:
    """Write a count with its noun: `1 cell`, `3 cells`."""
    return f"{count:,} {singular}{'' if count == 1 else 's'}"


def shorten(text: str, width: int) -> str:
    """Cut a text at its end to at most `width` characters."""
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _visible(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cs") and char not in _OVERRIDES
