"""The figure of quality and spread over checkpoints: what training did to every variant that matters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from evalsuite.core.spread import STATISTICS
from evalsuite.reporting.canvas import Sheet, axes_size, lay_out, quality_axis, text_width
from evalsuite.reporting.drawings import Drawing
from evalsuite.reporting.labels import LABEL_SIZE, spread
from evalsuite.reporting.style import MUTED, SURFACE, drawing
from evalsuite.reporting.svg import svg_text
from evalsuite.reporting.text import plural
from evalsuite.reporting.tracks import STATISTIC, Line, Route, Track, route_of, tracks_of
from evalsuite.reporting.view import ReportView

TITLE = "Quality and spread over checkpoints"

_TICK_SIZE = 8.5
_SLANT = 30
"""Degrees by which labels that are not numbers are turned."""
_MARKED = 30
"""With more checkpoints than these, markers would touch."""


def draw_over_checkpoints(view: ReportView) -> tuple[Drawing, ...]:
    """Draw the figure of a view whose tasks were judged on enough checkpoints; otherwise there is none.

    Returns:
        One drawing or none. Its panels are tasks, not the panels of the view.
    """
    tracks = tracks_of(view)
    if not tracks:
        return ()
    route = route_of(view)
    with drawing():
        figure = _figure(tracks, route)
        svg = svg_text(figure, outlines=False)
    return (Drawing("checkpoints", "over-checkpoints", TITLE, _caption(tracks, route), figure, svg, ()),)


def _figure(tracks: Sequence[Track], route: Route) -> Figure:
    """Draw every panel."""
    names = [line.name for track in tracks for line in track.lines]
    longest = max(text_width(name, LABEL_SIZE, bold=True) for name in names) / 72
    tick = max(text_width(text, _TICK_SIZE) for text in route.ticks) / 72
    sheet = Sheet(
        TITLE,
        width=min(max(2.75, 0.35 * len(route.labels)), 5.0),
        height=max(2.2, 0.62 + 0.2 * max(len(track.lines) for track in tracks)),
        left=0.62 if route.steps else max(0.62, tick * math.cos(math.radians(_SLANT))),
        right=max(0.78, longest + 0.26),
        bottom=0.5 if route.steps else 0.52 + tick * math.sin(math.radians(_SLANT)),
    )
    figure, axes = lay_out([track.heading for track in tracks], sheet)
    for ax, track in zip(axes, tracks, strict=True):
        _draw(ax, track, route)
    return figure


def _draw(ax: Axes, track: Track, route: Route) -> None:
    """Draw one panel."""
    places, limits = range(len(route.labels)), track.limits
    ax.set_xlim(-0.08 * len(places), len(places) - 1 + 0.04 * len(places))
    if track.heading.metric == STATISTIC:
        ax.set_ylim(*limits)
        ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
        ax.set_ylabel(f"{STATISTICS[STATISTIC].symbol}, lower is better", color=MUTED.light, fontsize=8.5)
    else:
        quality_axis(ax, track.heading.metric, limits)
    _label_checkpoints(ax, route)
    grey = [[(x, point[0]) for x, point in enumerate(line.points)] for line in track.grey]
    ax.add_collection(
        LineCollection(grey, colors=MUTED.light, linewidths=0.7, alpha=0.4, zorder=1.2), autolim=False
    )
    # Later variants are thinner: where they agree, the earlier ones still show around them.
    widest = 1.8 if track.heading.metric == STATISTIC else 4.2
    for rank, line in enumerate(track.lines):
        values, lower, upper = zip(*line.points, strict=True)
        ax.fill_between(places, lower, upper, color=line.look.tone.light, alpha=0.07, linewidth=0)
        ax.plot(
            places, values, color=line.look.tone.light, linestyle=line.look.dash,
            linewidth=max(widest - 1.3 * rank, 1.6),
            marker=line.look.marker if len(places) <= _MARKED else "", markersize=5.2,
            markeredgecolor=SURFACE.light, markeredgewidth=0.6, label=line.name,
        )  # fmt: skip
    _count_failures(ax, track.lines)
    _name_lines(ax, track.lines, limits)


def _label_checkpoints(ax: Axes, route: Route) -> None:
    """Write the checkpoints below the axis, leaving out those that would touch the next one."""
    low, high = ax.get_xlim()
    distance = axes_size(ax)[0] / (high - low)
    shown, last = [""] * len(route.ticks), math.inf
    for place in reversed(range(len(route.ticks))):
        room = text_width(route.ticks[place], _TICK_SIZE) + 5 if route.steps else 2.5 * _TICK_SIZE
        if (last - place) * distance >= room:
            shown[place], last = route.ticks[place], place
    ax.xaxis.set_major_locator(FixedLocator(list(range(len(shown)))))
    ax.xaxis.set_major_formatter(FixedFormatter(shown))
    if not route.steps:
        for text in ax.get_xticklabels():
            text.set(rotation=_SLANT, ha="right", rotation_mode="anchor")
    ax.set_xlabel(route.title, color=MUTED.light, fontsize=8.5)


def _count_failures(ax: Axes, lines: Sequence[Line]) -> None:
    """Write at the foot of the axes how many of the named variants failed at a checkpoint."""
    failures = Counter(place for line in lines for place, failed in enumerate(line.failed) if failed)
    for place, count in failures.items():
        ax.annotate(
            f"{count} failed", (place, 0), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=7, color=MUTED.light, fontstyle="italic",
        )  # fmt: skip


def _name_lines(ax: Axes, lines: Sequence[Line], limits: tuple[float, float]) -> None:
    """Write each line's name at the right of the axes, beside its last point."""
    ends = []
    for line in (each for each in lines if each.is_known):
        place = max(x for x, point in enumerate(line.points) if not math.isnan(point[0]))
        ends.append((place, line.points[place][0], line))
    ends.sort(key=lambda end: -end[1])
    low, high = ax.get_xlim()
    gap = 1.3 * LABEL_SIZE / axes_size(ax)[1] * (limits[1] - limits[0])
    heights = spread([value for _, value, _ in ends], gap, limits)
    beside, leaders = high + 0.04 * (high - low), []
    for (place, value, line), height in zip(ends, heights, strict=True):
        ax.text(
            beside, height, line.name, va="center", ha="left",
            fontsize=LABEL_SIZE, color=line.look.tone.light, fontweight="bold",
        )  # fmt: skip
        leaders.append([(place, value), (beside - 0.01 * (high - low), height)])
    ax.add_collection(
        LineCollection(leaders, colors=MUTED.light, linewidths=0.6, alpha=0.7, clip_on=False, zorder=1.9),
        autolim=False,
    )


def _caption(tracks: Sequence[Track], route: Route) -> str:
    """Say how to read the figure, and what it does not show."""
    order = "step" if route.steps else "time of their runs"
    parts = [f"One line per variant over {len(route.labels)} checkpoints, by {order}, evenly spaced."]
    parts.append("Bands are 95 % intervals.")
    grey = max(len(track.grey) for track in tracks)
    if grey:
        parts.append(f"{plural(grey, 'more variant')} in grey; every number is in the tables.")
    if tracks[-1].heading.metric == STATISTIC:
        statistic = STATISTICS[STATISTIC]
        parts.append(f"Spread, one line per dimension: {statistic.symbol}. {statistic.meaning}")
    return " ".join(parts)
