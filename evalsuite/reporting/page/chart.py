"""Small charts as inline SVG: text stays text, colours follow the page's theme, every mark says its value.

The large figures come from matplotlib, which files need; a page of many small charts would take seconds and
megabytes that way. These take a millisecond and two kilobytes each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from evalsuite.reporting.page.axes import Axis
from evalsuite.reporting.style import (
    AMBER,
    BLUE,
    CRIMSON,
    GREEN,
    INDIGO,
    INK,
    MUTED,
    OLIVE,
    PURPLE,
    VERMILION,
    Tone,
)

TONES = (BLUE, VERMILION, GREEN, PURPLE, AMBER, INDIGO, CRIMSON, OLIVE)
"""Colours of things that have no colour of their own, such as checkpoints."""

SHAPES = ("circle", "square", "triangle", "diamond", "cross", "ring")
DASHES = ("", "7 3", "1.5 2.5", "9 2.5 1.5 2.5", "4 2")
"""Line styles, told apart without colour."""

_WIDTH, _HEIGHT = 340, 232
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 12, 10, 44
_OUTLINES = {
    "circle": "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z",
    "square": "M-3-3h6v6h-6z",
    "triangle": "M0-3.9l3.7 6.6h-7.4z",
    "diamond": "M0-4.1l4.1 4.1l-4.1 4.1l-4.1-4.1z",
    "cross": "M-3.6-1.6l2-2l1.6 1.6l1.6-1.6l2 2l-1.6 1.6l1.6 1.6l-2 2l-1.6-1.6l-1.6 1.6l-2-2l1.6-1.6z",
    "ring": "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0zm1.4 0a2.2 2.2 0 1 1 4.4 0a2.2 2.2 0 1 1-4.4 0z",
}


@dataclass(frozen=True)
class Look:
    """How a series is drawn.

    Attributes:
        tone: Its colour.
        dash: Its line style, an SVG dash array; empty for a solid line.
        shape: Its mark, one of `SHAPES`; empty for none.
        line: Whether its points are joined.
        fill: Whether the area below is tinted.
        width: Width of the line.
    """

    tone: Tone = INK
    dash: str = ""
    shape: str = "circle"
    line: bool = True
    fill: bool = False
    width: float = 1.8


IDEAL = Look(tone=MUTED, dash="4 3", shape="", width=1.3)
"""How the uniform sphere, or any other ideal, is drawn."""


@dataclass(frozen=True)
class Series:
    """Points of one chart that belong together.

    Attributes:
        look: How they are drawn.
        points: (x, y) pairs; those an axis cannot show are left out.
        tips: One text a point, shown when it is pointed at; empty for none.
        who: What all points have in common, said before each tip.
        bands: (lower, upper) a point, drawn as a whisker; None where there is no interval.
    """

    look: Look
    points: Sequence[tuple[float, float]]
    tips: Sequence[str] = ()
    who: str = ""
    bands: Sequence[tuple[float, float] | None] = ()


@dataclass(frozen=True)
class Chart:
    """One small chart.

    Attributes:
        title: Heading.
        note: A few words beside the heading.
        x: Horizontal axis.
        y: Vertical axis.
        series: What is drawn, the first at the back.
        words: The chart in words, for those who cannot see it.
    """

    title: str
    note: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    words: str

    @property
    def svg(self) -> Markup:
        """The chart as an `<svg>` element, hidden from screen readers: `words` speak for it."""
        parts = [
            f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" focusable="false">',
            *_grid(self.x, self.y),
            *(_drawn(series, self.x, self.y) for series in self.series),
            "</svg>",
        ]
        return Markup("".join(parts))  # noqa: S704  every text in it was escaped


def shapes_svg() -> Markup:
    """Define the marks once for all charts of a page."""
    marks = "".join(f'<path id="mark-{name}" d="{outline}"/>' for name, outline in _OUTLINES.items())
    return Markup(  # noqa: S704  our own shapes
        f'<svg class="shapes" aria-hidden="true" focusable="false"><defs>{marks}</defs></svg>'
    )


def tones_css() -> str:
    """Write the CSS rules of the charts' colours."""
    return "\n".join(f".{tone.name}{{color:var(--{tone.name})}}" for tone in (*TONES, INK, MUTED))


@dataclass(frozen=True)
class Key:
    """One entry of a legend."""

    title: str
    look: Look

    @property
    def svg(self) -> Markup:
        """A sample of the line with its mark."""
        line = _path("M2 8H30", self.look) if self.look.line else ""
        mark = f'<use href="#mark-{self.look.shape}" x="16" y="8"/>' if self.look.shape else ""
        return Markup(  # noqa: S704  our own drawing
            f'<svg class="chart key" viewBox="0 0 32 16" aria-hidden="true" focusable="false">'
            f'<g class="{self.look.tone.name}">{line}{mark}</g></svg>'
        )


def _grid(x: Axis, y: Axis) -> list[str]:
    """Draw grid lines, tick labels and axis titles."""
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for value, label in y.ticks:
        place = _y(y, value)
        parts.append(f'<path class="g" d="M{_LEFT} {place:.1f}H{right}"/>')
        parts.append(f'<text class="e" x="{_LEFT - 5}" y="{place + 4:.1f}">{escape(label)}</text>')
    parts.append(f'<path class="a" d="M{_LEFT} {bottom}H{right}"/>')
    for value, label in x.ticks:
        place = _x(x, value)
        parts.append(f'<path class="a" d="M{place:.1f} {bottom}v3"/>')
        parts.append(f'<text class="m" x="{place:.1f}" y="{bottom + 16}">{escape(label)}</text>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text class="m t" x="{middle:.0f}" y="{_HEIGHT - 7}">{escape(x.title)}</text>')
    half = (_TOP + bottom) / 2
    parts.append(
        f'<text class="m t" transform="translate(10 {half:.0f})rotate(-90)">{escape(y.title)}</text>'
    )
    return parts


def _drawn(series: Series, x: Axis, y: Axis) -> str:
    """Draw one series: the area, the whiskers, the line, the marks."""
    look = series.look
    shown = [index for index, (a, b) in enumerate(series.points) if x.shows(a) and y.shows(b)]
    places = {index: (_x(x, series.points[index][0]), _y(y, series.points[index][1])) for index in shown}
    steps = " ".join(f"{a:.1f} {b:.1f}" for a, b in places.values())
    told = f' data-who="{escape(series.who)}"' if series.who else ""
    parts = [f'<g class="{look.tone.name}"{told}>']
    if look.fill and places:
        floor, (first, *_), (*_, last) = _HEIGHT - _BOTTOM, places.values(), places.values()
        parts.append(f'<path class="f" d="M{first[0]:.1f} {floor}L{steps}L{last[0]:.1f} {floor}z"/>')
    whiskers = "".join(
        f"M{places[index][0]:.1f} {_y(y, band[0]):.1f}V{_y(y, band[1]):.1f}"
        for index, band in enumerate(series.bands)
        if band is not None and index in places and all(map(y.shows, band))
    )
    if whiskers:
        parts.append(f'<path class="w" d="{whiskers}"/>')
    if look.line and len(places) > 1:
        parts.append(_path(f"M{steps}", look))
    if look.shape:
        for index, (a, b) in places.items():
            mark = f'<use href="#mark-{look.shape}" x="{a:.0f}" y="{b:.0f}"'
            tip = f"><title>{escape(series.tips[index])}</title></use>" if series.tips else "/>"
            parts.append(mark + tip)
    return "".join(parts) + "</g>"


def _path(steps: str, look: Look) -> str:
    """Draw a line."""
    dash = f' stroke-dasharray="{look.dash}"' if look.dash else ""
    return f'<path class="l" stroke-width="{look.width:g}"{dash} d="{steps}"/>'


def _x(axis: Axis, value: float) -> float:
    """Place a value horizontally; what lies outside is drawn at the edge."""
    return _LEFT + min(max(axis.share(value), 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    """Place a value vertically; what lies outside is drawn at the edge."""
    return _TOP + (1 - min(max(axis.share(value), 0.0), 1.0)) * (_HEIGHT - _TOP - _BOTTOM)
