"""`evalsuite watch`: evaluate the checkpoints of a training as the trainer writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from evalsuite.integrations.watch import Watched


def watch(
    folder: Path = typer.Argument(
        ..., metavar="DIR", help="Folder that a trainer writes its checkpoints to."
    ),
    tasks: list[str] = typer.Option(["bundled"], "--tasks", "-t", help="Task names, suites or paths."),
    dims: list[str] = typer.Option(None, "--dims", "-d", help="Dimensions, such as 768,512,256,128."),
    precisions: list[str] = typer.Option(
        ["float32,float16,int8,binary"], "--precisions", "-p", help="Quantization levels, with scoring."
    ),
    policy: Path | None = typer.Option(None, help="Judge each step by this TOML file of margins and rules."),
    baseline: str | None = typer.Option(
        None,
        help="Judge each step against first, best, previous, a run or a committed baseline.  "
        "[default: first, if there is a --policy]",
    ),
    out: Path = typer.Option(None, "--out", "-o", help="Folder of the results.  [default: DIR/evalsuite]"),
    every: float = typer.Option(30.0, min=0.1, help="Seconds between two looks."),
    settle: float = typer.Option(
        5.0, min=0.0, help="Seconds for which a checkpoint's files must not change before it is read."
    ),
    once: bool = typer.Option(False, "--once", help="Evaluate what is complete now, and exit."),
    log: list[str] = typer.Option(
        None, help="Log the numbers of each step to tensorboard:DIR, wandb:PROJECT or jsonl:FILE too."
    ),
    prompts: str = typer.Option("auto", help="Whose prompts: auto, own, or a model of mteb's registry."),
    dtype: str = typer.Option("float32", help="float32, bfloat16 or float16 (of weights and activations)."),
    device: str = typer.Option(None, help="Torch device, such as cpu or cuda:0."),
    batch_size: int = typer.Option(32, min=1, help="Texts a forward pass."),
    cache_dir: Path = typer.Option(None, help="Folder of the embedding store.  [default: user cache]"),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress."),
) -> None:
    """Evaluate complete checkpoints, each once, until Ctrl-C; started again, it goes on from there.

    Exit codes: 0 done, 1 a step regressed or could not be evaluated or judged, 2 wrong usage. What an earlier
    watch found counts too.
    """
    from evalsuite.api.question import Question
    from evalsuite.cli.arguments import parse_dims, split_names
    from evalsuite.cli.progress import choose_progress
    from evalsuite.integrations.complete import Settling
    from evalsuite.integrations.step_gate import FIRST, StepGate
    from evalsuite.integrations.watch import Settings, Watch

    question = Question(
        split_names(tasks),
        parse_dims(dims),
        split_names(precisions),
        prompts=prompts,
        dtype=dtype,
        device=device,
        batch_size=batch_size,
    )
    gate = None if policy is None and baseline is None else StepGate(baseline or FIRST, policy)
    settings = Settings(out, log or (), Settling(settle), cache_dir, choose_progress(quiet=quiet))
    watching = Watch(folder, question, gate, settings)
    with watching:
        good = {each.name: _is_good(each) or _show(each) for each in watching.recalled}
        for each in watching.follow(every, once=once):
            good[each.name] = _show(each)
    _finish(watching.waiting, watching.out)
    if not all(good.values()):
        raise typer.Exit(1)


def _show(watched: Watched) -> bool:
    """Print what became of a checkpoint; tell whether it is good."""
    from evalsuite.cli.console import say, warn
    from evalsuite.gate.words import points
    from evalsuite.integrations.flat import MEAN, flat_metrics

    if watched.run is None:
        warn(f"{watched.name}: {watched.problem}")
        return _is_good(watched)
    failed = len(watched.run.failures)
    parts = [
        f"{watched.name}: step {watched.step}",
        f"mean {points(flat_metrics(watched.run)[MEAN])}" if not failed else f"{failed} cells failed",
        "" if watched.verdict is None else watched.verdict.headline,
    ]
    say(", ".join(part for part in parts if part))
    return _is_good(watched)


def _is_good(watched: Watched) -> bool:
    """Tell whether a checkpoint was evaluated whole and, if it was judged, passed."""
    judged = watched.verdict is None or watched.verdict.exit_code == 0
    return watched.run is not None and not watched.run.failures and judged


def _finish(waiting: dict[str, str], out: Path) -> None:
    """Say what was not evaluated, and where the results are."""
    from evalsuite.cli.console import say, warn

    for name, lacks in waiting.items():
        warn(f"{name}: not evaluated, not complete: {lacks}")
    say(f"results: {out}")
