"""The figures of a report at the widths of a paper: one a task for a column, all tasks for a page.

Labels keep their size whatever the width, so that figures of one paper look alike; only the axes shrink.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from matplotlib.figure import Figure

from evalsuite.reporting.beside import retention_lines
from evalsuite.reporting.by_bytes import quality_by_bytes
from evalsuite.reporting.by_dimension import quality_by_dimension
from evalsuite.reporting.canvas import Fit, Sheet
from evalsuite.reporting.panel import Panel
from evalsuite.reporting.retention import retention_map
from evalsuite.reporting.retention_lines import retention_by_dimension
from evalsuite.reporting.series import Group, group_of_series, lines_of
from evalsuite.reporting.svg import pdf_bytes, png_bytes, svg_text
from evalsuite.reporting.view import ReportView

COLUMN = Fit(width=3.3, columns=1)
"""A column of two-column styles: ACL's is 3.03 inches wide, ICML's 3.25, IEEE's 3.5."""
PAGE = Fit(width=6.75, columns=2)
"""The width of the text: ACL's is 6.3 inches, ICML's 6.75, IEEE's 7.16, NeurIPS's 5.5."""
PRINT_DPI = 300

_Draw = Callable[[ReportView, Callable[[Sheet], Sheet]], Figure]
_FIGURES: dict[str, _Draw] = {
    "quality-by-dimension": quality_by_dimension,
    "quality-by-bytes": quality_by_bytes,
    "retention": retention_map,
}


@dataclass(frozen=True)
class Printed:
    """One figure for print.

    Attributes:
        name: Name of its files, without suffix.
        figure: The figure, as wide as its place in print.
    """

    name: str
    figure: Figure

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield its files with their content: SVG with text as outlines, PDF with embedded fonts, PNG."""
        yield f"{self.name}.svg", svg_text(self.figure).encode()
        yield f"{self.name}.pdf", pdf_bytes(self.figure)
        yield f"{self.name}.png", png_bytes(self.figure, dpi=PRINT_DPI)


def figures_for_print(view: ReportView) -> Iterator[Printed]:
    """Draw every figure for a page and, a task at a time, for a column.

    A column's figure shows one task on all checkpoints, one below the other on the same axis.

    Args:
        view: The report; with very many tasks one that `condensed` made.
    """
    if not view.panels:
        return
    view = without_most_controls(view)
    tasks = list(dict.fromkeys(panel.task for panel in view.panels))
    for name, draw in _wanted(view).items():
        yield Printed(f"{name}-page", draw(view, PAGE))
        for task, slug in zip(tasks, slugs(tasks), strict=True):
            yield Printed(f"{name}-column-{slug}", draw(_only(view, task), COLUMN))


def without_most_controls(view: ReportView) -> ReportView:
    """Leave out controls but those in float32: they show what a projection does, precisions repeat it."""
    kept = {*(name for name in view.precisions if group_of_series(name) != Group.CONTROL)}
    kept |= {*lines_of(view).controls}

    def panel_without(panel: Panel) -> Panel:
        cells = {variant: cell for variant, cell in panel.cells.items() if variant.series in kept}
        names = tuple(name for name in panel.precisions if name in kept)
        return replace(panel, precisions=names, cells=cells)

    checkpoints = tuple(
        replace(checkpoint, panels=tuple(map(panel_without, checkpoint.panels)))
        for checkpoint in view.checkpoints
    )
    names = tuple(name for name in view.precisions if name in kept)
    return replace(view, checkpoints=checkpoints, precisions=names)


def slugs(names: Sequence[str]) -> tuple[str, ...]:
    """Turn names into parts of file names: plain letters and digits, each name its own."""
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or f"task-{number}"
        found.append(f"{slug}-{number}" if slug in found else slug)
    return tuple(found)


def _wanted(view: ReportView) -> dict[str, _Draw]:
    """List the figures that have something to show."""
    if any(retention_lines(panel, view.published) for panel in view.panels):
        return {**_FIGURES, "retention-by-dimension": retention_by_dimension}
    return _FIGURES


def _only(view: ReportView, task: str) -> ReportView:
    """Leave one task of a view."""
    checkpoints = tuple(
        replace(checkpoint, panels=tuple(panel for panel in checkpoint.panels if panel.task == task))
        for checkpoint in view.checkpoints
    )
    return replace(view, checkpoints=tuple(each for each in checkpoints if each.panels))
