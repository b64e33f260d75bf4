"""Write a report to a folder: page, Markdown, figures and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.core.errors import UsageError, known_names
from evalsuite.core.files import write_text
from evalsuite.core.run import Run
from evalsuite.reporting.by_type import condensed
from evalsuite.reporting.choose import MIN_RETENTION
from evalsuite.reporting.kept import with_intervals
from evalsuite.reporting.merge import merged_csv
from evalsuite.reporting.published import read_published
from evalsuite.reporting.values import ValueReader
from evalsuite.reporting.view import ReportView, build_view

if TYPE_CHECKING:
    from evalsuite.core.ablation import AblationReport
    from evalsuite.core.verdict import Verdict
    from evalsuite.reporting.drawings import Drawing

FORMATS = ("html", "markdown", "figures", "csv")
"""What is written unless something else is asked for."""
PAPER = "paper"
"""Figures at the widths of a paper, LaTeX tables and a block for a model card, which take seconds."""


@dataclass(frozen=True)
class Extras:
    """What a report shows beside its runs.

    Attributes:
        verdict: A comparison of two of them.
        ablation: What an ablation found.
        texts: Whether the explorer of queries shows texts: of every task that can be read again, also where
            that takes seconds; of none, because they are confidential or licensed; None for those that are
            read at once.
        page: Name of the page's file.
    """

    verdict: Verdict | None = None
    ablation: AblationReport | None = None
    texts: bool | None = None
    page: str = "report.html"


@dataclass(frozen=True)
class ReportFiles:
    """What was written.

    Attributes:
        html: The self-contained page, if it was asked for.
        markdown: The Markdown file, if it was asked for.
        csv: The tidy table, one row per cell and metric, if it was asked for.
        figures: One SVG file a figure.
        paper: Figures, tables and cards for print, if they were asked for.
        problems: What the report had to leave out, one sentence a table that cannot be read.
        view: What they show.
    """

    view: ReportView
    html: Path | None = None
    markdown: Path | None = None
    csv: Path | None = None
    figures: tuple[Path, ...] = ()
    paper: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()


def write_report(
    runs: Sequence[Run],
    out: Path,
    *,
    formats: Sequence[str] = FORMATS,
    min_retention: float = MIN_RETENTION,
    published: Sequence[str] = (),
    extras: Extras | None = None,
) -> ReportFiles:
    """Write a report of one or several runs to a folder.

    Args:
        runs: At least one run; labels that clash are made unique.
        out: Folder for `report.html`, `report.md`, `results.csv`, `figures/` and `paper/`; made if it is
            missing.
        formats: Which of `FORMATS` and `PAPER` to write.
        min_retention: Least mean retention of the recommended variant, as a fraction.
        published: Published tables to show beside what was measured: names (`published_names`) or files.
        extras: What the page shows beside the runs.

    Returns:
        The files, each complete: a crash leaves an old file or a new one.

    Raises:
        UsageError: If there is no run, or a format or a published table is unknown.
        StorageError: If the folder cannot be written to.
    """
    _check_formats(formats)
    tables = read_published(published)
    view, out = build_view(runs, min_retention=min_retention, published=tables), Path(out)
    values = ValueReader(view.runs)
    view = with_intervals(view, values)
    drawings: tuple[Drawing, ...] = ()
    if "figures" in formats or "html" in formats:
        from evalsuite.reporting.drawings import draw_all

        drawings = draw_all(condensed(view))
    figures = _write_figures(drawings, out / "figures") if "figures" in formats else ()
    return ReportFiles(
        view=view,
        html=_write_html(view, out, drawings, values, extras or Extras()) if "html" in formats else None,
        markdown=_write_markdown(view, out, drawings if figures else ()) if "markdown" in formats else None,
        csv=_write_csv(view, out / "results.csv") if "csv" in formats else None,
        figures=figures,
        paper=_write_paper(view, out / PAPER) if PAPER in formats else (),
        problems=tuple(values.problems),
    )


def _check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that there are not, or none at all."""
    known = (*FORMATS, PAPER)
    unknown = [name for name in formats if name not in known]
    if unknown or not formats:
        message = f"unknown report format: {known_names(unknown)}; known formats: {known_names(known)}"
        raise UsageError(message)


def _write_figures(drawings: Sequence[Drawing], folder: Path) -> tuple[Path, ...]:
    """Write every figure as SVG."""
    paths = tuple(folder / f"{drawing.name}.svg" for drawing in drawings)
    for path, drawing in zip(paths, drawings, strict=True):
        write_text(path, drawing.document)
    return paths


def _write_html(
    view: ReportView, out: Path, drawings: Sequence[Drawing], values: ValueReader, extras: Extras
) -> Path:
    """Write the page."""
    from evalsuite.reporting.html import render_html
    from evalsuite.reporting.page.explorer import explore
    from evalsuite.reporting.page.parts import PageParts
    from evalsuite.reporting.page.texts import texts_at_hand

    path = out / extras.page
    texts = {} if extras.texts is False else texts_at_hand(view.runs, every=extras.texts is True)
    explorer = explore(view, values, texts)
    parts = PageParts(
        verdict=extras.verdict, ablation=extras.ablation, explorer=explorer, problems=values.problems
    )
    write_text(path, render_html(view, drawings, parts))
    return path


def _write_markdown(view: ReportView, out: Path, drawings: Sequence[Drawing]) -> Path:
    """Write the Markdown file beside its figures."""
    from evalsuite.reporting.markdown import render_markdown

    images = {drawing.title: f"figures/{drawing.name}.svg" for drawing in drawings}
    path = out / "report.md"
    write_text(path, render_markdown(view, images))
    return path


def _write_paper(view: ReportView, folder: Path) -> tuple[Path, ...]:
    """Write what is for print."""
    from evalsuite.reporting.paper.write import write_paper

    return write_paper(view, folder)


def _write_csv(view: ReportView, path: Path) -> Path:
    """Write the tidy table."""
    write_text(path, merged_csv(view.runs))
    return path
