"""Write the report for print to a folder."""

from __future__ import annotations

from pathlib import Path

from evalsuite.core.files import write_bytes, write_text
from evalsuite.reporting.by_type import condensed
from evalsuite.reporting.paper.card import model_card
from evalsuite.reporting.paper.figures import figures_for_print, slugs, without_most_controls
from evalsuite.reporting.paper.latex import latex_tables
from evalsuite.reporting.view import ReportView

_ON_CARD = ("quality-by-dimension-page", "quality-by-bytes-page")


def write_paper(view: ReportView, folder: Path) -> tuple[Path, ...]:
    """Write figures as SVG, PDF and PNG, `tables.tex`, and a model card's part a checkpoint.

    Args:
        view: The report.
        folder: Folder to write to; made if it is missing.

    Returns:
        The files.

    Raises:
        StorageError: If the folder cannot be written to.
    """
    drawn = condensed(view)
    paths, names = [], []
    for printed in figures_for_print(drawn):
        names.append(printed.name)
        for name, content in printed.files():
            write_bytes(folder / name, content)
            paths.append(folder / name)
    write_text(folder / "tables.tex", latex_tables(without_most_controls(drawn)))
    paths.append(folder / "tables.tex")
    images = [f"{name}.png" for name in _ON_CARD if name in names]
    for path, checkpoint in zip(_card_paths(view, folder), view.checkpoints, strict=True):
        write_text(path, model_card(checkpoint, view, images))
        paths.append(path)
    return tuple(paths)


def _card_paths(view: ReportView, folder: Path) -> list[Path]:
    """Name the cards: one alone needs no name of its checkpoint."""
    if len(view.checkpoints) == 1:
        return [folder / "model-card.md"]
    return [folder / f"model-card-{slug}.md" for slug in slugs([each.label for each in view.checkpoints])]
