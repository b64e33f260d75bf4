"""A report as one page: figures, tables and numbers inside, no request, readable with scripts off."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evalsuite.reporting import text
from evalsuite.reporting.by_bytes import Mark, marks_of
from evalsuite.reporting.by_type import condensed, filter_text, is_crowded
from evalsuite.reporting.drawings import Drawing, draw_all
from evalsuite.reporting.encoder_side import encoder_tables
from evalsuite.reporting.fidelity import HOW_TO_READ, fidelity_table
from evalsuite.reporting.over_checkpoints import draw_over_checkpoints
from evalsuite.reporting.page import ann, gor, spread
from evalsuite.reporting.page.answer import answer, choices
from evalsuite.reporting.page.chapters import chapters_of
from evalsuite.reporting.page.chart import shapes_svg, tones_css
from evalsuite.reporting.page.heat import heat_maps
from evalsuite.reporting.page.island import frame_data, island, panel_data
from evalsuite.reporting.page.parts import PageParts
from evalsuite.reporting.panel import FailedCell
from evalsuite.reporting.retention import least_shade
from evalsuite.reporting.series import FEW, by_dimension, remark
from evalsuite.reporting.svg import marker_svg, shorthand, theme_css, whole
from evalsuite.reporting.tables import means_table, published_table, task_tables
from evalsuite.reporting.view import ReportView

_INDENT = re.compile(r"\n\s+")
"""Indentation means nothing to a browser, and a tenth of a large page."""

TEMPLATE, SCRIPT = "report.html.j2", "report.js"

_SHORT_NAME = 14
"""A name of so many characters fits everywhere as it is."""

LONG_TABLE = 20
"""A table of more rows shows the front at once; all rows, grouped by dimension, unfold."""
FEW_VARIANTS = 16
"""With more variants the fidelity table unfolds too."""
MANY_CELLS = 1_000
"""With more cells only the fidelity of Pareto fronts is tabulated, so that the page stays below 2 MB."""
MOST_ADVICES = 4
"""The advice on more checkpoints of an ablation than these unfolds: they are its means, not its answer."""
EXPLORED = 12
"""So many queries stand in the page where scripts are off."""


class History(NamedTuple):
    """The figure over checkpoints, drawn for the page, with the rules of its classes."""

    figure: Drawing
    drawing: Markup
    css: Markup


def render_html(
    view: ReportView, drawings: Sequence[Drawing] | None = None, parts: PageParts | None = None
) -> str:
    """Write the report as one self-contained HTML page.

    Args:
        view: The report.
        drawings: The figures of the view as `condensed` gives it, if they were drawn already.
        parts: Sections beside the runs: a comparison, an ablation, spread, search, queries.
    """
    parts = parts or PageParts()
    drawn = condensed(view)
    figures = draw_all(drawn) if drawings is None else drawings
    environment = _environment()
    script = _INDENT.sub("\n", _source(environment, SCRIPT))
    page = environment.get_template(TEMPLATE).render(
        view=view,
        title=_title(view, parts),
        drawn=drawn,
        crowded=is_crowded(view),
        chapters=chapters_of(drawn, figures),
        history=_history(view),
        legend=tuple((mark.title, _drawn_mark(mark)) for mark in marks_of(drawn)),
        least=least_shade(drawn.panels),
        filter_text=filter_text(view.tasks),
        shapes=shapes_svg(),
        tones=_own(tones_css()),
        light=_own(theme_css("light")),
        dark=_own(theme_css("dark")),
        css=_own(_source(environment, "report.css")),
        script=_own(script),
        script_hash=_hash(script),
        island=island(_data(drawn, figures, parts)),
        parts=parts,
        **_sections(view, parts),
    )
    return _INDENT.sub("\n", page.rstrip()) + "\n"


def _title(view: ReportView, parts: PageParts) -> str:
    """Say what the page is about."""
    if parts.verdict is not None:
        return f"{parts.verdict.candidate.label} against {parts.verdict.baseline.label}"
    return view.title if parts.ablation is None else f"Ablation: {parts.ablation.recipe}"


def _sections(view: ReportView, parts: PageParts) -> dict[str, Any]:
    """Work out the sections that only some runs have."""
    return {
        **_judged(parts),
        "spread": spread.spread_section(view.spread),
        "spread_caption": spread.CAPTION,
        "gor": gor.gor_panel(view),
        "gor_caption": gor.CAPTION,
        "ann": ann.ann_section(view.ann, view.ann_missing),
        "ann_caption": ann.CAPTION,
    }


def _judged(parts: PageParts) -> dict[str, Any]:
    """Work out the sections of a comparison and of an ablation, whose code only their pages need."""
    judged: dict[str, Any] = {"verdict": None, "ablation": None}
    if parts.verdict is not None:
        from evalsuite.reporting.page.verdict import counts_text, verdict_section

        judged |= {"verdict": verdict_section(parts.verdict), "counts_text": counts_text}
    if parts.ablation is not None:
        from evalsuite.reporting.page.ablation import ablation_section

        judged["ablation"] = ablation_section(parts.ablation)
    return judged


def _environment() -> Environment:
    """Make the templates' environment: everything is escaped, nothing undefined passes."""
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
        "breakable": _breakable, "remark": remark, "by_dimension": by_dimension,
        "fidelity_table": fidelity_table,
    }  # fmt: skip
    environment.tests |= {"failed_cell": lambda cell: isinstance(cell, FailedCell)}
    environment.globals |= {
        "answer": answer, "heat_maps": heat_maps, "means_table": means_table, "task_tables": task_tables,
        "published_table": published_table, "encoder_tables": encoder_tables, "plural": text.plural,
        "fidelity_table": fidelity_table,
        "how_to_read_fidelity": HOW_TO_READ, "long_table": LONG_TABLE, "few_series": FEW,
        "few_variants": FEW_VARIANTS, "many_cells": MANY_CELLS, "explored": EXPLORED,
        "most_advices": MOST_ADVICES,
    }  # fmt: skip
    return environment


def _data(view: ReportView, figures: Sequence[Drawing], parts: PageParts) -> dict[str, Any]:
    """Gather the numbers for the page's script."""
    return {
        "choices": [choices(checkpoint) for checkpoint in view.checkpoints],
        "minimum": view.min_retention,
        "panels": panel_data(view.panels),
        "frames": {figure.key: frame_data(figure.frames) for figure in figures if figure.frames},
        "queries": [panel.data for panel in parts.explorer],
    }


def _history(view: ReportView) -> tuple[History, ...]:
    """Draw quality over checkpoints, where there are enough of them."""
    return tuple(_drawn_whole(figure) for figure in draw_over_checkpoints(view))


def _drawn_whole(figure: Drawing) -> History:
    """Draw one figure for the page, text as text."""
    short = shorthand("o")
    drawing = whole(figure.document, short, title=figure.title)
    return History(figure, _own(drawing), _own(short.css))


def _source(environment: Environment, name: str) -> str:
    """Read a file of the templates as it is."""
    if environment.loader is None:
        message = "the page's environment has no templates"
        raise ValueError(message)
    return environment.loader.get_source(environment, name)[0].strip()


def _hash(script: str) -> str:
    """Return what a content security policy calls the one script that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()


def _drawn_mark(mark: Mark) -> Markup:
    """Draw a mark for the legend."""
    return _own(marker_svg(mark.marker, colour=f"var(--{mark.tone.name})", hollow=mark.hollow))


def _breakable(name: object) -> Markup:
    """Let a long name such as `384/rabitq_1bit+rescore4` break where its parts meet."""
    if len(str(name)) <= _SHORT_NAME:
        return Markup(escape(name))  # noqa: S704  escaped
    return Markup(re.sub(r"(?=\+)|(?<=[_/])", "<wbr>", str(escape(name))))  # noqa: S704  escaped


def _own(markup: str) -> Markup:
    """Trust markup that this package wrote itself: it holds no text of a run."""
    return Markup(markup)  # noqa: S704
