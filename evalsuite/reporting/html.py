"""A report as one page: no script, no request, figures inside, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evalsuite.reporting import text
from evalsuite.reporting.drawings import Drawing, draw_all
from evalsuite.reporting.style import line_style
from evalsuite.reporting.svg import cut_up, marker_svg, theme_css
from evalsuite.reporting.view import FailedCell, Panel, ReportView, ScoredCell

TEMPLATE = "report.html.j2"


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
    """

    key: str
    title: str
    caption: str
    shared: Markup
    pictures: tuple[Picture, ...]


def render_html(view: ReportView, drawings: Sequence[Drawing] | None = None) -> str:
    """Write the report as one self-contained HTML page.

    Args:
        view: The report.
        drawings: The figures of the view, if they were drawn already.
    """
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
    environment.tests |= {"failed_cell": lambda cell: isinstance(cell, FailedCell)}
    page = environment.get_template(TEMPLATE).render(
        view=view,
        chapters=tuple(_chapters(view, draw_all(view) if drawings is None else drawings)),
        legend=tuple((precision, _marker(precision)) for precision in view.precisions),
        light=_own(theme_css("light")),
        dark=_own(theme_css("dark")),
        plural=text.plural,
    )
    return page.rstrip() + "\n"


def _chapters(view: ReportView, drawings: Sequence[Drawing]) -> Iterator[Chapter]:
    """Cut every figure into its panels: each finds its own width on the page."""
    for drawing in drawings:
        pieces = cut_up(drawing.svg, drawing.view_boxes, prefix=drawing.key)
        pictures = tuple(
            Picture(panel, _own(piece), _in_words(drawing.key, panel))
            for panel, piece in zip(view.panels, pieces.panels, strict=True)
        )
        yield Chapter(drawing.key, drawing.title, drawing.caption, _own(pieces.shared), pictures)


def _marker(precision: str) -> Markup:
    """Draw the mark of a precision for the legend."""
    look = line_style(precision)
    return _own(marker_svg(look.marker, colour=f"var(--{look.tone.name})"))


def _own(markup: str) -> Markup:
    """Trust markup that this package drew itself: it holds no text of a run."""
    return Markup(markup)  # noqa: S704


def _in_words(key: str, panel: Panel) -> str:
    """Say what a drawing shows."""
    who = f"{text.clean(panel.task)}, {text.clean(panel.checkpoint)}"
    if not panel.scored:
        return f"{who}: no cell was scored."
    if key == "bytes":
        front = "; ".join(
            f"{cell.variant} {text.points(cell.value)} at {text.byte_count(cell.bytes_per_vector)} bytes"
            for cell in panel.front
        )
        return f"{text.metric_title(panel.metric)} over bytes per vector, {who}. Pareto front: {front}."
    shown = text.percent if key == "retention" else text.points
    what = "Retention" if key == "retention" else text.metric_title(panel.metric)
    lines = []
    for precision in panel.precisions:
        cells = [cell for dim in panel.dims if isinstance(cell := panel.at(dim, precision), ScoredCell)]
        values = [cell.retention if key == "retention" else cell.value for cell in cells]
        if cells:
            lines.append(
                f"{precision} {shown(values[0])} at {cells[0].variant.dim} dimensions, "
                f"{shown(values[-1])} at {cells[-1].variant.dim}"
            )
    return f"{what} over dimensions, {who}: {'; '.join(lines)}."
