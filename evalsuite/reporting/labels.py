"""Direct labels that do not run into one another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from evalsuite.reporting.canvas import axes_size, text_width
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.style import INK, MUTED, SURFACE, line_style

LABEL_SIZE = 8.5
"""Size of the precision names beside lines, in typographic points."""

_FRONT_SIZE = 7.5
_LINE_HEIGHT = 1.3
"""Line height of DejaVu Sans, as a part of its size."""

_DISTANCES = (5.5, 11.0, 18.0, 27.0, 38.0)
"""How far from its mark a label may stand, in typographic points; the nearest with room wins."""

_DIRECTIONS = ((-1, 1), (0, 1), (1, -1), (1, 1), (0, -1), (1, 0), (-1, 0), (-1, -1))
"""Where a label stands seen from its mark; above and to the left of a rising front there is most room."""

_NEAR = 11.0
"""A label farther than this from its mark is tied to it by a line."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in typographic points from the lower left corner of the axes."""


@dataclass(frozen=True)
class Crowd:
    """What is already drawn where a label looks for room.

    Attributes:
        fixed: The front and the strong marks: never covered.
        faint: The other marks: covered if need be.
        written: Labels and the lines that lead to them: neither covered nor crossed.
    """

    fixed: Sequence[Box]
    faint: Sequence[Box]
    written: Sequence[Box]

    def has_room(self, box: Box, leader: Sequence[Box]) -> bool:
        """Tell whether a label and the line that leads to it get in nothing's way."""
        if any(_overlap(box, other) for other in (*self.fixed, *self.written)):
            return False
        return not any(_overlap(dot, other) for dot in leader for other in self.written)


def place_beside(ax: Axes, ends: Sequence[tuple[float, float, str]], limits: tuple[float, float]) -> None:
    """Write each line's name at the right of the axes, beside its last point.

    Args:
        ax: The axes; their limits are set, the horizontal ones on a logarithmic scale.
        ends: Last point and name of each line.
        limits: Limits of the vertical axis.
    """
    _, height = axes_size(ax)
    gap = LABEL_SIZE * _LINE_HEIGHT / height * (limits[1] - limits[0])
    low, high = ax.get_xlim()
    ordered = sorted(ends, key=lambda end: -end[1])
    heights = spread([end[1] for end in ordered], gap, limits)
    leaders = []
    for (x, y, name), label_y in zip(ordered, heights, strict=True):
        ax.text(
            low * (high / low) ** 1.05, label_y, name, va="center", ha="left",
            fontsize=LABEL_SIZE, color=line_style(name).tone.light,
            fontweight="normal" if line_style(name).tone is MUTED else "bold",
        )  # fmt: skip
        leaders.append([(x, y), (low * (high / low) ** 1.035, label_y)])
    ax.add_collection(
        LineCollection(leaders, colors=MUTED.light, linewidths=0.6, alpha=0.7, clip_on=False, zorder=1.9),
        autolim=False,
    )


def spread(places: Sequence[float], gap: float, limits: tuple[float, float]) -> list[float]:
    """Move falling places apart until neighbours are at least `gap` away, as little as possible.

    Neighbours that touch form a block around the mean of their places; blocks that touch merge.

    Args:
        places: Wanted places, falling.
        gap: Least distance.
        limits: Range the places should stay in; if they cannot all fit they run out at the lower end.

    Returns:
        Places in the same order.
    """
    blocks: list[tuple[float, int]] = []
    for place in places:
        centre, count = place, 1
        while blocks and blocks[-1][0] - centre < gap * (blocks[-1][1] + count) / 2:
            above, above_count = blocks.pop()
            centre = (above * above_count + centre * count) / (above_count + count)
            count += above_count
        half = gap * count / 2
        centre = min(max(centre, limits[0] + half), limits[1] - half)
        blocks.append((centre, count))
    spaced = [
        centre + gap * (count - 1) / 2 - gap * index for centre, count in blocks for index in range(count)
    ]
    for index in range(1, len(spaced)):
        spaced[index] = min(spaced[index], spaced[index - 1] - gap)
    return spaced


def place_labels(ax: Axes, panel: Panel, chosen: ScoredCell | None) -> None:
    """Name the Pareto-optimal cells, and the recommended one in bold, wherever there is room.

    The recommended cell comes first, then both ends of the front, then the others. A label never covers
    another one, a mark on the front or its line, and never leaves the axes; it keeps clear of the other marks
    where it can. One that finds no room is left out.
    """
    front = list(panel.front)
    ends = [front[-1], front[0]] if front else []
    wanted = dict.fromkeys(([chosen] if chosen is not None else []) + ends + front)
    strong = {*front, *([chosen] if chosen is not None else [])}
    fixed = [_around(_pixel(ax, cell), 8.0 if cell is chosen else 4.5) for cell in strong]
    fixed += _steps([_pixel(ax, cell) for cell in front])
    written: list[Box] = []
    faint = [_around(_pixel(ax, cell), 2.5) for cell in panel.scored if cell not in strong]
    for cell in wanted:
        box = _free_spot(ax, cell, Crowd(fixed, faint, written), bold=cell is chosen)
        if box is not None:
            written += [box, *_leader(_pixel(ax, cell), box)]
            _write(ax, cell, box, bold=cell is chosen)


def _write(ax: Axes, cell: ScoredCell, box: Box, *, bold: bool) -> None:
    """Write a cell's name into a box; a thin line leads from its mark if the box is not near."""
    width, height = axes_size(ax)
    x, y = _pixel(ax, cell)
    near = _nearest((x, y), box)
    if _leader((x, y), box):
        ax.plot(
            [x / width, near[0] / width], [y / height, near[1] / height], transform=ax.transAxes,
            color=MUTED.light, linewidth=0.6, zorder=4.5,
        )  # fmt: skip
    ax.text(
        box[0] / width, box[1] / height, str(cell.variant), transform=ax.transAxes,
        fontsize=_FRONT_SIZE, color=INK.light, fontweight="bold" if bold else "normal",
        ha="left", va="bottom", zorder=5,
        bbox={"facecolor": SURFACE.light, "edgecolor": "none", "alpha": 0.75, "pad": 0.4},
    )  # fmt: skip


def _free_spot(ax: Axes, cell: ScoredCell, crowd: Crowd, *, bold: bool) -> Box | None:
    """Find the best place, in typographic points, where a label covers nothing and stays inside the axes."""
    x, y = _pixel(ax, cell)
    width, height = text_width(str(cell.variant), _FRONT_SIZE, bold=bold) + 1, _LINE_HEIGHT * _FRONT_SIZE
    right, top = axes_size(ax)
    found: list[tuple[float, Box]] = []
    for distance in _DISTANCES:
        gap = distance + 3.0 * bold
        for rank, (across, up) in enumerate(_DIRECTIONS):
            left = x - width / 2 + across * (width / 2 + gap * (0.75 if up else 1.0))
            bottom = y - height / 2 + up * (height / 2 + gap * (0.6 if across else 1.0))
            # A label that would stick out at a side slides back in.
            left = min(max(left, 2.0), right + 8 - width)
            box = (left, bottom, left + width, bottom + height)
            if bottom > 2 and box[3] < top + 4 and crowd.has_room(box, _leader((x, y), box)):
                # Covering a faint mark is worth some distance, a better direction only a little.
                covered = sum(_overlap(box, other) for other in crowd.faint)
                found.append((distance + 4.0 * covered + 0.4 * rank, box))
    return min(found)[1] if found else None


def _nearest(place: tuple[float, float], box: Box) -> tuple[float, float]:
    """Return the point of a label's box where a line from its mark ends."""
    return min(max(place[0], box[0]), box[2]), min(max(place[1], box[1] + 1), box[3] - 2)


def _leader(place: tuple[float, float], box: Box) -> list[Box]:
    """Return small boxes along the line from a mark to its label; none if they are too near for a line."""
    near = _nearest(place, box)
    distance = math.dist(place, near)
    if distance <= _NEAR:
        return []
    steps = math.ceil(distance / 2)
    parts = [step / steps for step in range(1, steps)]
    return [
        _around((place[0] + (near[0] - place[0]) * part, place[1] + (near[1] - place[1]) * part), 0.5)
        for part in parts
    ]


def _around(place: tuple[float, float], radius: float) -> Box:
    """Return the box around a mark."""
    return place[0] - radius, place[1] - radius, place[0] + radius, place[1] + radius


def _steps(corners: Sequence[tuple[float, float]]) -> list[Box]:
    """Return the thin boxes that the front's line covers: across to the next point, then up."""
    boxes: list[Box] = []
    for (x, y), (next_x, next_y) in itertools.pairwise(corners):
        boxes += [(x, y - 1, next_x, y + 1), (next_x - 1, y, next_x + 1, next_y)]
    return boxes


def _pixel(ax: Axes, cell: ScoredCell) -> tuple[float, float]:
    """Return where a cell is drawn, in typographic points from the lower left corner of the axes."""
    width, height = axes_size(ax)
    (x_low, x_high), (y_low, y_high) = ax.get_xlim(), ax.get_ylim()
    across = math.log2(cell.bytes_per_vector / x_low) / math.log2(x_high / x_low)
    return across * width, (100 * cell.value - y_low) / (y_high - y_low) * height


def _overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes share any area."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
