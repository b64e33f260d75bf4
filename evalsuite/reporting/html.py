"""A report as one page: no script, no request, figures inside, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evalsuite.reporting import text
from evalsuite.reporting.by_bytes import Mark, marks_of
from evalsuite.reporting.by_type import condensed, filter_text, is_crowded
from evalsuite.reporting.drawings import Drawing, draw_all
from evalsuite.reporting.fidelity import HOW_TO_READ, fidelity_table
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell
from evalsuite.reporting.series import FEW, by_dimension, lines_of, remark
from evalsuite.reporting.svg import cut_up, marker_svg, theme_css
from evalsuite.reporting.tables import means_table, published_table, task_tables
from evalsuite.reporting.view import ReportView

TEMPLATE = "report.html.j2"

LONG_TABLE = 20
"""A table of more rows shows the front at once; all rows, grouped by dimension, unfold."""
WIDE_PICTURE = 400
"""Width from which a picture needs more room than two a row leave, in typographic points."""
FEW_VARIANTS = 16
"""With more variants the fidelity table unfolds too."""


@dataclass(frozen=True)
class Picture:
    """One panel of a figure.

    Attributes:
        panel: What it shows.
        svg: The drawing.
        words: The drawing in words, for those who cannot see it.
    """

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
        wide: Whether the pictures need much room, for long names beside the lines.
    """

    key: str
    title: str
    caption: str
    shared: Markup
    pictures: tuple[Picture, ...]
    wide: bool = False


def render_html(view: ReportView, drawings: Sequence[Drawing] | None = None) -> str:
    """Write the report as one self-contained HTML page.

    Args:
        view: The report.
        drawings: The figures of the view as `condensed` gives it, if they were drawn already.
    """
    drawn = condensed(view)
    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": text.points, "percent": text.percent, "bytes": text.byte_count, "factor": text.factor,
        "duration": text.duration, "metric": text.metric_title, "clean": text.clean, "storage": text.storage,
    }  # fmt: skip
    environment.filters |= {"breakable": _breakable, "remark": remark, "by_dimension": by_dimension}
    environment.tests |= {"failed_cell": lambda cell: isinstance(cell, FailedCell)}
    page = environment.get_template(TEMPLATE).render(
        view=view,
        drawn=drawn,
        crowded=is_crowded(view),
        means_table=means_table,
        task_tables=task_tables,
        published_table=published_table,
        filter_text=filter_text(view.tasks),
        chapters=tuple(_chapters(drawn, draw_all(drawn) if drawings is None else drawings)),
        legend=tuple((mark.title, _drawn_mark(mark)) for mark in marks_of(drawn)),
        light=_own(theme_css("light")),
        dark=_own(theme_css("dark")),
        plural=text.plural,
        fidelity_table=fidelity_table,
        how_to_read_fidelity=HOW_TO_READ,
        long_table=LONG_TABLE,
        few_series=FEW,
        few_variants=FEW_VARIANTS,
    )
    return page.rstrip() + "\n"


def _chapters(view: ReportView, drawings: Sequence[Drawing]) -> Iterator[Chapter]:
    """Cut every figure into its panels: each finds its own width on the page."""
    lines = lines_of(view)
    spoken = lines.full + lines.controls
    for drawing in drawings:
        pieces = cut_up(drawing.svg, drawing.view_boxes, prefix=drawing.key)
        pictures = tuple(
            Picture(panel, _own(piece), _in_words(drawing.key, panel, spoken))
            for panel, piece in zip(view.panels, pieces.panels, strict=True)
        )
        wide = any(float(box.split()[2]) > WIDE_PICTURE for box in drawing.view_boxes)
        yield Chapter(drawing.key, drawing.title, drawing.caption, _own(pieces.shared), pictures, wide)


def _drawn_mark(mark: Mark) -> Markup:
    """Draw a mark for the legend."""
    return _own(marker_svg(mark.marker, colour=f"var(--{mark.tone.name})", hollow=mark.hollow))


def _breakable(name: object) -> Markup:
    """Let a long name such as `384/rabitq_1bit+rescore4` break where its parts meet."""
    return Markup(re.sub(r"(?=\+)|(?<=[_/])", "<wbr>", str(escape(name))))  # noqa: S704  escaped


def _own(markup: str) -> Markup:
    """Trust markup that this package drew itself: it holds no text of a run."""
    return Markup(markup)  # noqa: S704


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
    kept = key in ("retention", "kept")
    shown = text.percent if kept else text.points
    what = "Retention" if kept else text.metric_title(panel.metric)
    lines = []
    for precision in spoken:
        cells = [cell for dim in panel.dims if isinstance(cell := panel.at(dim, precision), ScoredCell)]
        values = [cell.retention if kept else cell.value for cell in cells]
        if cells:
            lines.append(
                f"{precision} {shown(values[0])} at {cells[0].variant.dim} dimensions, "
                f"{shown(values[-1])} at {cells[-1].variant.dim}"
            )
    return f"{what} over dimensions, {who}: {'; '.join(lines)}."
