"""Train checkpoints that differ in one loss, sweep over all of them, and measure the difference."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.ablation.recipe import Recipe, load_recipe
from evalsuite.ablation.report import write_ablation
from evalsuite.ablation.study import compare_arms, open_arms
from evalsuite.ablation.train import train
from evalsuite.api.evaluation import DEFAULT_TASKS, evaluate
from evalsuite.api.runs import RUNS_FOLDER
from evalsuite.api.tasks import load_tasks
from evalsuite.core.ablation import AblationReport, TrainedArm
from evalsuite.core.files import write_text
from evalsuite.core.progress import Progress, Silent
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.reporting.write import Extras, write_report
from evalsuite.sweep.plan import check_levels

if TYPE_CHECKING:
    from evalsuite.core.run import Run

PRECISIONS = ("float32", "int8", "int4", "binary")
"""Levels at which arms are compared."""


def train_arms(
    recipe: Recipe | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> list[TrainedArm]:
    """Train every arm of a recipe with every seed; what was trained before is not trained again.

    Args:
        recipe: A recipe, or the path of its TOML file.
        out: Folder of the checkpoints; `reports/runs/NAME` by default.
        cache_dir: Folder of the embedding store.
        device: Torch device of encoders.
        progress: Told about the work.

    Raises:
        UserError: If the recipe has mistakes, its data cannot be read, or the folder holds another recipe's.
    """
    asked = _recipe(recipe)
    return train(asked, _folder(asked, out), store=_store(cache_dir), device=device, progress=progress)


def ablate(  # noqa: PLR0913 - each option is one the command line has too
    recipe: Recipe | str | os.PathLike[str],
    tasks: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = DEFAULT_TASKS,
    precisions: Sequence[str] = PRECISIONS,
    out: str | os.PathLike[str] | None = None,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    device: str | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> tuple[AblationReport, Run, Path]:
    """Train every arm of a recipe with every seed, sweep over all of them, and compare them.

    Args:
        recipe: A recipe, or the path of its TOML file.
        tasks: What to evaluate on.
        precisions: Quantization levels; float32 should be among them, retention is relative to it.
        out: Folder of checkpoints, run and report; `reports/runs/NAME` by default.
        cache_dir: Folder of the embedding store.
        device: Torch device of encoders.
        progress: Told about the work.
        command: What to record as the way the run was made.

    Returns:
        The report, the run over all arms, and the report's Markdown file.

    Raises:
        UserError: If the recipe has mistakes, or data or a folder cannot be used; nothing was trained then.
    """
    asked, watched = _recipe(recipe), progress or Silent()
    names = [tasks] if isinstance(tasks, str | os.PathLike) else list(tasks)
    check_levels(precisions)
    load_tasks(names)
    folder, store = _folder(asked, out), _store(cache_dir)
    arms = train(asked, folder, store=store, device=device, progress=watched)
    checkpoints = open_arms(asked, arms, store, device=device, progress=watched)
    run = evaluate(
        checkpoints,
        names,
        asked.dims,
        precisions,
        folder / "run",
        cache_dir=cache_dir,
        ann=True,
        progress=watched,
        command=command,
    )
    found = compare_arms(asked, arms, run)
    page = draw_laboratory(found, folder)
    write_report([run], folder, formats=("html",), extras=Extras(ablation=found))
    return found, run, page


def draw_laboratory(report: AblationReport, folder: str | os.PathLike[str]) -> Path:
    """Write what an ablation found: `ablation.json`, `ablation.md`, and the figures the Markdown shows.

    Args:
        report: What was found; an `ablation.json` written before can be drawn again.
        folder: Where to.

    Returns:
        The Markdown file.

    Raises:
        StorageError: If the folder cannot be written to.
    """
    from evalsuite.reporting.of_ablation import draw_ablation

    shown = {}
    for each in draw_ablation(report):
        file = Path("figures") / f"{each.name}.svg"
        write_text(Path(folder) / file, each.document)
        shown[each.key] = f"![{each.title}]({file.as_posix()})\n\n{each.caption}"
    return write_ablation(report, Path(folder), shown)


def _recipe(recipe: Recipe | str | os.PathLike[str]) -> Recipe:
    """Read a recipe, if it is not one yet."""
    return recipe if isinstance(recipe, Recipe) else load_recipe(Path(recipe))


def _folder(recipe: Recipe, out: str | os.PathLike[str] | None) -> Path:
    """Return where an experiment goes."""
    return RUNS_FOLDER / recipe.name if out is None else Path(out)


def _store(cache_dir: str | os.PathLike[str] | None) -> EmbeddingStore:
    return EmbeddingStore(None if cache_dir is None else Path(cache_dir))
