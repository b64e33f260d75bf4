"""The figures of a report, drawn once and used by every face that shows them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from evalsuite.reporting.beside import retention_lines
from evalsuite.reporting.by_bytes import bytes_caption, bytes_sheet, quality_by_bytes
from evalsuite.reporting.by_dimension import dimension_caption, dimension_sheet, quality_by_dimension
from evalsuite.reporting.canvas import Frame, Sheet, frame, view_box
from evalsuite.reporting.retention import map_sheet, retention_map
from evalsuite.reporting.retention_lines import CAPTION, retention_by_dimension, retention_sheet
from evalsuite.reporting.svg import svg_text
from evalsuite.reporting.view import ReportView


@dataclass(frozen=True)
class Drawing:
    """One drawn figure.

    Attributes:
        key: Short name, used in ids.
        name: Name of its files, without suffix.
        title: Heading.
        caption: How to read it.
        figure: The figure.
        svg: The figure as a stand-alone SVG document, if it is drawn already; else empty. See `document`.
        view_boxes: The part of the SVG that each panel of the view takes; none if its panels are not those
            of the view, and it is shown whole.
        frames: Where the axes of each panel lie; likewise.
    """

    key: str
    name: str
    title: str
    caption: str
    figure: Figure
    svg: str
    view_boxes: tuple[str, ...]
    frames: tuple[Frame, ...] = ()

    @functools.cached_property
    def document(self) -> str:
        """The figure as a stand-alone SVG document, text as text, drawn once for the file and the page."""
        return self.svg or svg_text(self.figure, outlines=False)


def draw_all(view: ReportView) -> tuple[Drawing, ...]:
    """Draw every figure of a view; a view without panels has none.

    Retention over dimension is drawn where there is something published to put beside it.
    """
    if not view.panels:
        return ()
    drawn = (
        _drawn(
            view, quality_by_dimension, dimension_sheet(view), "dimension", "quality-by-dimension",
            "Quality versus dimension", dimension_caption(view),
        ),
        _drawn(
            view, quality_by_bytes, bytes_sheet(view), "bytes", "quality-by-bytes",
            "Quality versus bytes per vector", bytes_caption(view),
        ),
        _drawn(
            view, retention_map, map_sheet(view), "retention", "retention",
            "Retention",
            "Percent of the full-width float32 score of the same checkpoint and task. Darker keeps more.",
        ),
    )  # fmt: skip
    if not any(retention_lines(panel, view.published) for panel in view.panels):
        return drawn
    return (
        *drawn,
        _drawn(
            view, retention_by_dimension, retention_sheet(view), "kept", "retention-by-dimension",
            "Retention versus dimension", CAPTION,
        ),
    )  # fmt: skip


def _drawn(
    view: ReportView, draw: Callable[[ReportView], Figure], sheet: Sheet,
    key: str, name: str, title: str, caption: str,
) -> Drawing:  # fmt: skip
    """Draw one figure."""
    figure = draw(view)
    boxes = tuple(view_box(ax, sheet) for ax in figure.axes)
    frames = tuple(map(frame, figure.axes))
    return Drawing(key, name, title, caption, figure, "", boxes, frames)
