"""`evalsuite ablate`: train checkpoints that differ in one loss, and measure the difference."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from evalsuite.core.ablation import AblationReport, TrainedArm


def ablate(
    recipe: Path = typer.Argument(..., metavar="RECIPE.toml", help="What to train and compare."),
    tasks: list[str] = typer.Option(["bundled"], "--tasks", "-t", help="Task names, suites or paths."),
    precisions: list[str] = typer.Option(
        ["float32,int8,int4,binary"], "--precisions", "-p", help="Quantization levels."
    ),
    out: Path = typer.Option(
        None, "--out", "-o", help="Folder of checkpoints, run and report.  [default: reports/runs/NAME]"
    ),
    cache_dir: Path = typer.Option(None, help="Folder of the embedding store.  [default: user cache]"),
    device: str = typer.Option(None, help="Torch device of encoders, such as cpu or cuda:0."),
    train_only: bool = typer.Option(False, "--train-only", help="Stop after training."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress, no summary."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
) -> None:
    """Train every arm of a recipe with every seed, sweep over all of them, and compare them."""
    from evalsuite import api
    from evalsuite.cli.arguments import split_names
    from evalsuite.cli.progress import choose_progress

    progress = choose_progress(quiet=quiet)
    if train_only:
        _say_folders(api.train_arms(recipe, out, cache_dir=cache_dir, device=device, progress=progress))
        return
    report, run, page = api.ablate(
        recipe,
        split_names(tasks),
        split_names(precisions),
        out,
        cache_dir=cache_dir,
        device=device,
        progress=progress,
        command=shlex.join(["evalsuite", *sys.argv[1:]]),
    )
    _show(report, page, quiet=quiet, as_json=as_json)
    if run.failures:
        raise typer.Exit(1)


def _say_folders(arms: Sequence[TrainedArm]) -> None:
    """Print where the checkpoints are."""
    from evalsuite.cli.console import say

    for arm in arms:
        say(arm.folder)


def _show(report: AblationReport, page: Path, *, quiet: bool, as_json: bool) -> None:
    """Print what is said of every comparison, and where the page is."""
    from evalsuite.ablation.report import summary
    from evalsuite.cli.console import print_json, say

    if as_json:
        print_json(report.model_dump(mode="json"))
    elif not quiet:
        for comparison in report.comparisons:
            say(f"{comparison.treated} minus {comparison.control}")
            for line in summary(comparison):
                say(line.replace("**", ""))
        say(f"report: {page}")
