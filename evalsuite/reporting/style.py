"""How figures look: one colour, marker and line style a precision, the same in every report.

The hues are those of Okabe and Ito (2008), darkened until they reach a contrast of 4.5:1 on white; a lighter
twin of each serves dark pages. Markers and line styles repeat what the colours say.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl

Dash = str | tuple[int, tuple[float, ...]]


@dataclass(frozen=True)
class Tone:
    """One colour in two themes.

    Attributes:
        name: Name of the CSS variable that carries it, without the leading dashes.
        light: Hex colour on a white page; figures are drawn in it.
        dark: Hex colour on a dark page.
    """

    name: str
    light: str
    dark: str


@dataclass(frozen=True)
class LineStyle:
    """How one precision is drawn.

    Attributes:
        tone: Its colour.
        marker: Matplotlib marker.
        dash: Matplotlib line style.
    """

    tone: Tone
    marker: str
    dash: Dash


INK = Tone("fig-ink", "#1b1f24", "#eceff3")
MUTED = Tone("fig-muted", "#59626e", "#a6b0bd")
GRID = Tone("fig-grid", "#e3e7ec", "#313944")
SURFACE = Tone("fig-surface", "#ffffff", "#181c22")

SLATE = Tone("fig-slate", "#34495e", "#c5d2e0")
BLUE = Tone("fig-blue", "#0072b2", "#5cb3ee")
GREEN = Tone("fig-green", "#007d5b", "#35c99c")
AMBER = Tone("fig-amber", "#9a6200", "#f2b53c")
VERMILION = Tone("fig-vermilion", "#c04e00", "#ff9155")
PURPLE = Tone("fig-purple", "#a3487f", "#e79fc8")

TONES = (INK, MUTED, GRID, SURFACE, SLATE, BLUE, GREEN, AMBER, VERMILION, PURPLE)
"""Every colour that follows the theme. Each light hex is unique, so that it can be swapped in a drawing."""

_DASHED: Dash = (0, (5.0, 2.0))
_DOTTED: Dash = (0, (1.2, 1.6))
_DASH_DOT: Dash = (0, (6.0, 1.8, 1.2, 1.8))
_LONG: Dash = (0, (9.0, 2.5))

_KNOWN = {
    "float32": LineStyle(SLATE, "o", "-"),
    "float16": LineStyle(BLUE, "s", _DASHED),
    "bfloat16": LineStyle(BLUE, "P", _DASH_DOT),
    "int8": LineStyle(GREEN, "^", _DASH_DOT),
    "uint8": LineStyle(GREEN, "v", _DASHED),
    "int4": LineStyle(AMBER, "D", _LONG),
    "uint4": LineStyle(AMBER, "d", _DASHED),
    "ternary": LineStyle(PURPLE, "p", _DASH_DOT),
    "binary": LineStyle(VERMILION, "X", _DOTTED),
    "ubinary": LineStyle(PURPLE, "h", _DOTTED),
}
_OTHER_TONES = (PURPLE, AMBER, BLUE, GREEN, VERMILION, SLATE)
_OTHER_MARKERS = ("*", "<", ">", "8", "H")
_OTHER_DASHES = (_DASHED, _DASH_DOT, _LONG, _DOTTED)

RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.usetex": False,
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "path.sketch": None,
    "svg.fonttype": "path",
    "svg.hashsalt": "evalsuite",
    "svg.image_inline": True,
    "hatch.linewidth": 0.8,
}
"""Settings that a person's own matplotlibrc must not change: the same run gives the same bytes anywhere."""


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Draw and save figures in the house's settings, and leave matplotlib's own as they were."""
    with mpl.rc_context(RC):
        yield


def line_style(precision: str) -> LineStyle:
    """Return how a precision is drawn: the same for the same name, whatever else is in the figure."""
    if precision in _KNOWN:
        return _KNOWN[precision]
    code = zlib.crc32(precision.encode())
    return LineStyle(
        _OTHER_TONES[code % len(_OTHER_TONES)],
        _OTHER_MARKERS[code // 7 % len(_OTHER_MARKERS)],
        _OTHER_DASHES[code // 37 % len(_OTHER_DASHES)],
    )
