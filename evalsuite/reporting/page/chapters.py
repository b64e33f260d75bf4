"""The large figures of a page, cut into panels that each find their own width, with words beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from evalsuite.reporting import text
from evalsuite.reporting.drawings import Drawing
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.series import lines_of
from evalsuite.reporting.svg import cut_up, shorthand
from evalsuite.reporting.view import ReportView

WIDE_PICTURE = 400
"""Width from which a picture needs more room than two a row leave, in typographic points."""

MAP = "retention"
"""The figure that a page shows as tables of coloured numbers instead."""


@dataclass(frozen=True)
class Picture:
    """One panel of a figure.

    Attributes:
        number: Its place among the panels of the view.
        panel: What it shows.
        svg: The drawing; empty where the page draws it otherwise.
        words: The drawing in words, for those who cannot see it.
    """

    number: int
    panel: Panel
    svg: Markup
    words: str


@dataclass(frozen=True)
class Chapter:
    """One figure of the page.

    Attributes:
        key: Short name, used in ids.
        title: Heading.
        caption: How to read it.
        shared: Shapes that the pictures refer to.
        pictures: One a panel.
        css: Rules of the classes that the pictures use.
        wide: Whether the pictures need much room, for long names beside the lines.
    """

    key: str
    title: str
    caption: str
    shared: Markup
    pictures: tuple[Picture, ...]
    css: Markup
    wide: bool = False


def chapters_of(view: ReportView, drawings: Sequence[Drawing]) -> tuple[Chapter, ...]:
    """Cut every figure into its panels.

    Args:
        view: The view that was drawn.
        drawings: Its figures.
    """
    lines = lines_of(view)
    return tuple(_chapter(view, drawing, lines.full + lines.controls) for drawing in drawings)


def _chapter(view: ReportView, drawing: Drawing, spoken: Sequence[str]) -> Chapter:
    """Cut one figure up; text stays text."""
    if drawing.key == MAP:
        return Chapter(drawing.key, drawing.title, drawing.caption, Markup(), (), Markup())
    short = shorthand(drawing.key[0])
    pieces = cut_up(drawing.document, drawing.view_boxes, short)
    pictures = tuple(
        Picture(number, panel, Markup(piece), _in_words(drawing.key, panel, spoken))  # noqa: S704  escaped
        for number, (panel, piece) in enumerate(zip(view.panels, pieces.panels, strict=True))
    )
    wide = any(float(box.split()[2]) > WIDE_PICTURE for box in drawing.view_boxes)
    shared = Markup(pieces.shared)  # noqa: S704  our own shapes
    css = Markup(short.css)  # noqa: S704  our own styles
    return Chapter(drawing.key, drawing.title, drawing.caption, shared, pictures, css, wide)


def _in_words(key: str, panel: Panel, spoken: Sequence[str]) -> str:
    """Say what a drawing shows, of many series those that matter most; all are in the tables."""
    who = f"{text.clean(panel.task)}, {text.clean(panel.checkpoint)}"
    if not panel.scored:
        return f"{who}: no cell was scored."
    if key == "bytes":
        front = "; ".join(
            f"{cell.variant} {text.points(cell.value)} at {text.byte_count(cell.bytes_per_vector)} bytes"
            for cell in panel.front
        )
        return f"{text.metric_title(panel.metric)} over bytes per vector, {who}. Pareto front: {front}."
    what = "Retention" if key == "kept" else text.metric_title(panel.metric)
    return f"{what} over dimensions, {who}: {'; '.join(_lines(key, panel, spoken))}."


def _lines(key: str, panel: Panel, spoken: Sequence[str]) -> Iterator[str]:
    """Say both ends of each line."""
    kept = key == "kept"
    shown = text.percent if kept else text.points
    for precision in spoken:
        cells = [cell for dim in panel.dims if isinstance(cell := panel.at(dim, precision), ScoredCell)]
        values = [cell.retention if kept else cell.value for cell in cells]
        if cells:
            yield (
                f"{precision} {shown(values[0])} at {cells[0].variant.dim} dimensions, "
                f"{shown(values[-1])} at {cells[-1].variant.dim}"
            )
