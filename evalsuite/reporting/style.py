"""How figures look: a colour a family of precisions, a marker and line style a precision, in every report.

The first hues are those of Okabe and Ito (2008), darkened until they reach a contrast of 4.5:1 on white; a
lighter twin of each serves dark pages. Markers and line styles repeat what the colours say.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl

from evalsuite.core.variant import ASYMMETRIC, PCA

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


@dataclass(frozen=True)
class Family:
    """Precisions that are made alike.

    Attributes:
        title: Name in a legend.
        tone: Its colour.
        marker: Its marker, where a mark stands for any member.
    """

    title: str
    tone: Tone
    marker: str


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
INDIGO = Tone("fig-indigo", "#5a45b8", "#b0a2ff")
CRIMSON = Tone("fig-crimson", "#b01240", "#ff8fa9")
OLIVE = Tone("fig-olive", "#62680c", "#c6cd5f")

TONES = (
    INK, MUTED, GRID, SURFACE, SLATE, BLUE, GREEN, AMBER, VERMILION, PURPLE, INDIGO, CRIMSON, OLIVE,
)  # fmt: skip
"""Every colour that follows the theme. Each light hex is unique, so that it can be swapped in a drawing."""

_DASHED: Dash = (0, (5.0, 2.0))
_DOTTED: Dash = (0, (1.2, 1.6))
_DASH_DOT: Dash = (0, (6.0, 1.8, 1.2, 1.8))
_LONG: Dash = (0, (9.0, 2.5))
_SHORT: Dash = (0, (3.0, 1.3))
_DASH_DOT_DOT: Dash = (0, (4.0, 1.3, 1.2, 1.3, 1.2, 1.3))

FLOATS = Family("floats", SLATE, "o")
INT8 = Family("int8", GREEN, "^")
INT4 = Family("int4", AMBER, "D")
SIGNS = Family("ternary, binary", VERMILION, "X")
SCALAR = Family("scalar (sq)", OLIVE, "s")
PRODUCT = Family("PQ, OPQ", PURPLE, "P")
RABITQ = Family("RaBitQ", INDIGO, "*")
TURBOQUANT = Family("TurboQuant", CRIMSON, "v")
OTHER = Family("others", BLUE, "8")

_FAMILIES = {
    ("float", "bfloat"): FLOATS,
    ("int8", "uint8"): INT8,
    ("int4", "uint4"): INT4,
    ("ternary", "binary", "ubinary"): SIGNS,
    ("sq",): SCALAR,
    ("pq", "opq"): PRODUCT,
    ("rabitq",): RABITQ,
    ("turboquant",): TURBOQUANT,
}
"""How the names of a family's levels begin."""

FAMILIES = (*_FAMILIES.values(), OTHER)

_KNOWN = {
    "float32": LineStyle(SLATE, "o", "-"),
    "float16": LineStyle(BLUE, "s", _DASHED),
    "bfloat16": LineStyle(BLUE, "P", _DASH_DOT),
    "float8_e4m3": LineStyle(BLUE, "p", _LONG),
    "float8_e5m2": LineStyle(BLUE, "h", _DOTTED),
    "int8": LineStyle(GREEN, "^", _DASH_DOT),
    "int8_affine": LineStyle(GREEN, ">", _DASHED),
    "int8_percentile": LineStyle(GREEN, "<", _LONG),
    "int4": LineStyle(AMBER, "D", _LONG),
    "int4_block32": LineStyle(AMBER, "d", _DASHED),
    "int4_affine": LineStyle(AMBER, "p", _DASH_DOT),
    "ternary": LineStyle(VERMILION, "p", _DASH_DOT),
    "binary": LineStyle(VERMILION, "X", _DOTTED),
    "binary_centred": LineStyle(VERMILION, "h", _DASHED),
    "sq8": LineStyle(OLIVE, "s", _LONG),
    "sq4": LineStyle(OLIVE, "D", _DASHED),
    "pq_1bit": LineStyle(PURPLE, "P", _DASHED),
    "pq_2bit": LineStyle(PURPLE, "H", _LONG),
    "opq_1bit": LineStyle(PURPLE, "8", _DASH_DOT),
    "rabitq_1bit": LineStyle(INDIGO, "*", _DASHED),
    "rabitq_2bit": LineStyle(INDIGO, "p", _LONG),
    "rabitq_4bit": LineStyle(INDIGO, "d", _DASH_DOT),
    "turboquant_1bit": LineStyle(CRIMSON, "v", _DOTTED),
    "turboquant_2bit": LineStyle(CRIMSON, "<", _DASHED),
    "turboquant_3bit": LineStyle(CRIMSON, ">", _LONG),
    "turboquant_4bit": LineStyle(CRIMSON, "s", _DASH_DOT),
}
_OTHER_MARKERS = ("*", "<", ">", "8", "H")
_PUBLISHED_DASHES: tuple[Dash, ...] = (_DASHED, _SHORT, _LONG, _DASH_DOT)
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


def family(series: str) -> Family:
    """Return the family that a series' precision belongs to."""
    precision = _split(series)[1]
    return next((known for begins, known in _FAMILIES.items() if precision.startswith(begins)), OTHER)


def line_style(series: str) -> LineStyle:
    """Return how a series is drawn: the same for the same name, whatever else is in the figure.

    The colour tells the family, the marker the precision, the line style the scoring. Controls are muted.
    """
    projection, precision, scoring = _split(series)
    if projection:
        return LineStyle(MUTED, "o", _DASHED) if projection == PCA else LineStyle(MUTED, "s", _DOTTED)
    look = _KNOWN.get(precision)
    if look is None:
        code = zlib.crc32(precision.encode())
        marker = _OTHER_MARKERS[code // 7 % len(_OTHER_MARKERS)]
        look = LineStyle(family(series).tone, marker, _OTHER_DASHES[code // 37 % len(_OTHER_DASHES)])
    if not scoring:
        return look
    return replace(look, dash=_SHORT if scoring == ASYMMETRIC else _DASH_DOT_DOT)


def published_dash(number: int) -> Dash:
    """Return the line style of the n-th published line of a panel: always dashed, neighbours differ."""
    return _PUBLISHED_DASHES[number % len(_PUBLISHED_DASHES)]


def _split(series: str) -> tuple[str, str, str]:
    """Split a series such as `pca int8+asymmetric` into projection, precision and scoring."""
    projection, _, level = series.rpartition(" ")
    precision, _, scoring = level.partition("+")
    return projection, precision, scoring
