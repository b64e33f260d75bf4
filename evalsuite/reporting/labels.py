"""Direct labels that do not run into one another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from evalsuite.reporting.canvas import axes_size
from evalsuite.reporting.style import INK, MUTED, line_style
from evalsuite.reporting.view import Panel, ScoredCell

LABEL_SIZE = 8.5
"""Size of the precision names beside lines, in typographic points."""

_FRONT_SIZE = 7.5
_LINE_HEIGHT = 1.3
_CHARACTER_WIDTH = 0.62
"""Line height and mean character width of DejaVu Sans, as parts of its size."""

Box = tuple[float, float, float, float]


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
            fontsize=LABEL_SIZE, fontweight="bold", color=line_style(name).tone.light,
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

    The recommended cell comes first, then both ends of the front, then the others; a label that would cover
    a mark or another label is left out.
    """
    front = list(panel.front)
    ends = [front[-1], front[0]] if front else []
    wanted = ([chosen] if chosen is not None else []) + ends + front
    dots = [_pixel(ax, cell) for cell in panel.scored]
    taken: list[Box] = [(x - 3, y - 3, x + 3, y + 3) for x, y in dots]
    taken += _steps([_pixel(ax, cell) for cell in front])
    named: set[str] = set()
    width, height = axes_size(ax)
    for cell in wanted:
        text = str(cell.variant)
        if text in named:
            continue
        named.add(text)
        box = _free_spot(ax, cell, text, taken, far=cell is chosen)
        if box is None:
            continue
        taken.append(box)
        ax.text(
            box[0] / width, box[1] / height, text, transform=ax.transAxes,
            fontsize=_FRONT_SIZE, color=INK.light, fontweight="bold" if cell is chosen else "normal",
            ha="left", va="bottom", zorder=5,
        )  # fmt: skip


def _free_spot(ax: Axes, cell: ScoredCell, text: str, taken: Sequence[Box], *, far: bool) -> Box | None:
    """Find a place, in typographic points, where a label covers nothing and stays inside the axes."""
    x, y = _pixel(ax, cell)
    width, height = len(text) * _CHARACTER_WIDTH * _FRONT_SIZE, _LINE_HEIGHT * _FRONT_SIZE
    axes_width, axes_height = axes_size(ax)
    near = 8.5 if far else 5.5
    offsets = [
        (-width - near, near - 3), (-width / 2, near), (near, -height - 1), (near, near - 3),
        (-width / 2, -height - near), (near, -height / 2), (-width - near, -height / 2),
        (-width - near, -height - 2), (-width - 2 * near, near), (2 * near, -2 * height),
    ]  # fmt: skip
    for dx, dy in offsets:
        box = (x + dx, y + dy, x + dx + width, y + dy + height)
        inside = box[0] > -8 and box[2] < axes_width + 12 and box[1] > 0 and box[3] < axes_height + 4
        if inside and not any(_overlap(box, other) for other in taken):
            return box
    return None


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
