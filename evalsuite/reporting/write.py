"""Write a report to a folder: page, Markdown, figures and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.core.ablation import AblationReport
from evalsuite.core.errors import UsageError, known_names
from evalsuite.core.files import write_bytes, write_text
from evalsuite.core.run import Run
from evalsuite.core.verdict import Verdict
from evalsuite.reporting.by_type import condensed
from evalsuite.reporting.choose import MIN_RETENTION
from evalsuite.reporting.kept import with_intervals
from evalsuite.reporting.merge import merged_frame
from evalsuite.reporting.published import read_published
from evalsuite.reporting.values import ValueReader
from evalsuite.reporting.view import ReportView, build_view

if TYPE_CHECKING:
    from evalsuite.reporting.drawings import Drawing

FORMATS = ("html", "markdown", "figures", "csv")


@dataclass(frozen=True)
class Extras:
    """What a report shows beside its runs.

    Attributes:
        verdict: A comparison of two of them.
        ablation: What an ablation found.
        all_texts: Whether the explorer of queries shows the texts of every task that can be read again, also
            where that takes seconds; by default only of those that are read at once.
    """

    verdict: Verdict | None = None
    ablation: AblationReport | None = None
    all_texts: bool = False


@dataclass(frozen=True)
class ReportFiles:
    """What was written.

    Attributes:
        html: The self-contained page, if it was asked for.
        markdown: The Markdown file, if it was asked for.
        csv: The tidy table, one row per cell and metric, if it was asked for.
        figures: SVG and PNG files, two a figure.
    """

    html: Path | None = None
    markdown: Path | None = None
    csv: Path | None = None
    figures: tuple[Path, ...] = ()


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
        out: Folder for `report.html`, `report.md`, `results.csv` and `figures/`; made if it is missing.
        formats: Which of `FORMATS` to write.
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
        html=_write_html(view, out / "report.html", drawings, values, extras) if "html" in formats else None,
        markdown=_write_markdown(view, out, drawings if figures else ()) if "markdown" in formats else None,
        csv=_write_csv(view, out / "results.csv") if "csv" in formats else None,
        figures=figures,
    )


def _check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that there are not, or none at all."""
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        message = f"unknown report format: {known_names(unknown)}; known formats: {known_names(FORMATS)}"
        raise UsageError(message)


def _write_figures(drawings: Sequence[Drawing], folder: Path) -> tuple[Path, ...]:
    """Write every figure as SVG and PNG."""
    from evalsuite.reporting.svg import png_bytes

    paths: list[Path] = []
    for drawing in drawings:
        vector, raster = folder / f"{drawing.name}.svg", folder / f"{drawing.name}.png"
        write_text(vector, drawing.document)
        write_bytes(raster, png_bytes(drawing.figure))
        paths += [vector, raster]
    return tuple(paths)


def _write_html(
    view: ReportView, path: Path, drawings: Sequence[Drawing], values: ValueReader, extras: Extras | None
) -> Path:
    """Write the page."""
    from evalsuite.reporting.html import render_html
    from evalsuite.reporting.page.explorer import explore
    from evalsuite.reporting.page.parts import PageParts
    from evalsuite.reporting.page.texts import texts_at_hand

    extras = extras or Extras()
    texts = texts_at_hand(view.runs, every=extras.all_texts)
    explorer = explore(view, values, texts)
    parts = PageParts(
        verdict=extras.verdict, ablation=extras.ablation, explorer=explorer, problems=values.problems
    )
    write_text(path, render_html(view, drawings, parts))
    return path


def _write_markdown(view: ReportView, out: Path, drawings: Sequence[Drawing]) -> Path:
    """Write the Markdown file beside its figures."""
    from evalsuite.reporting.markdown import render_markdown

    images = {drawing.title: f"figures/{drawing.name}.png" for drawing in drawings}
    path = out / "report.md"
    write_text(path, render_markdown(view, images))
    return path


def _write_csv(view: ReportView, path: Path) -> Path:
    """Write the tidy table."""
    write_text(path, merged_frame(view.runs).to_csv(index=False, lineterminator="\n"))
    return path
