"""`evalsuite run`: evaluate models on tasks."""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from evalsuite.core.run import Run


def run(
    model: list[str] = typer.Argument(
        ..., metavar="MODEL...", help="Folder or hub id of a sentence-transformers model."
    ),
    tasks: list[str] = typer.Option(
        ["bundled"],
        "--tasks",
        "-t",
        help="Task names, suites or paths (PATH:SPLIT for a split); MTEB tasks and benchmarks by name.",
    ),
    dims: list[str] = typer.Option(None, "--dims", "-d", help="Dimensions, such as 768,512,256,128."),
    precisions: list[str] = typer.Option(
        ["float32,float16,int8,binary"],
        "--precisions",
        "-p",
        help="Quantization levels, with scoring: int8, int8+asymmetric, binary+rescore4.",
    ),
    projections: list[str] = typer.Option(
        ["prefix"], "--projections", help="Which dimensions are kept: prefix, and the controls pca, random."
    ),
    calibration: str = typer.Option(
        None, help="Task whose texts quantizers are fitted on.  [default: each task's own corpus]"
    ),
    weights: list[str] = typer.Option(
        ["native"],
        "--weights",
        help="Weight precisions: native, bfloat16, q8_0, q4_0, int8_channel, e4_a8_f4_p4, int8_torchao, "
        "int4_torchao.",
    ),
    quantize_embeddings: str = typer.Option(
        None, help="Token table of weights but native: q4_0, q8_0 or keep.  [default: as the weights]"
    ),
    workers: str = typer.Option(
        "1", help="Processes that encode: a number, or auto to measure on texts of the run."
    ),
    engine: str = typer.Option(
        "local", help="local, or ray: workers of a Ray cluster encode, search and measure the spread."
    ),
    dtype: str = typer.Option(
        "float32", help="float32, bfloat16 or float16 (of weights and activations), or auto to measure."
    ),
    device: str = typer.Option(None, help="Torch device, such as cpu or cuda:0."),
    batch_size: int = typer.Option(32, min=1, help="Texts a forward pass."),
    revision: str = typer.Option(None, help="Commit, tag or branch of a hub model."),
    out: Path = typer.Option(None, "--out", "-o", help="Folder of the run.  [default: new in reports/runs]"),
    cache_dir: Path = typer.Option(None, help="Folder of the embedding store.  [default: user cache]"),
    seed: int = typer.Option(0, min=0, help="Seed of the bootstrap."),
    prompts: str = typer.Option(
        "auto",
        help="Whose prompts: auto (mteb's registry, else the model's own), own, or a model of the registry.",
    ),
    mteb_types: list[str] = typer.Option(None, help="Only MTEB tasks of these types: Retrieval, STS, ..."),
    mteb_languages: list[str] = typer.Option(
        None, help="Only MTEB subsets in these languages: eng, deu, ..."
    ),
    mteb_domains: list[str] = typer.Option(None, help="Only MTEB tasks from these domains: Medical, ..."),
    mteb_data: Path = typer.Option(
        None, help="Folder of local MTEB data, one folder a task.  [default: $EVALSUITE_MTEB_DATA]"
    ),
    road: str = typer.Option(
        "native",
        help="MTEB retrieval and STS: native (our search) or mteb (mteb's evaluator, as all others).",
    ),
    mteb_results: Path = typer.Option(None, help="Folder for results in mteb's own layout, for ResultCache."),
    no_spread: bool = typer.Option(
        False, "--no-spread", help="Do not measure how evenly the vectors fill the sphere."
    ),
    ann: bool = typer.Option(
        False, "--ann", help="Probe approximate search (HNSW, IVF) where a task has queries."
    ),
    trust_remote_code: bool = typer.Option(
        False, "--trust-remote-code", help="Run code that comes with the model. Only for code you have read."
    ),
    no_report: bool = typer.Option(False, "--no-report", help="Write the record only, no report."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress, no tables."),
    as_json: bool = typer.Option(False, "--json", help="Print the results as JSON."),
) -> None:
    """Encode every text once and score every dimension and precision."""
    from evalsuite import api
    from evalsuite.cli.arguments import mteb_options, parse_dims, parse_workers, split_names
    from evalsuite.cli.progress import choose_progress

    finished = api.evaluate(
        model,
        split_names(tasks),
        parse_dims(dims),
        split_names(precisions),
        out,
        projections=split_names(projections),
        calibration=calibration,
        weights=split_names(weights),
        quantize_embeddings=quantize_embeddings,
        workers=parse_workers(workers),
        engine=engine,
        dtype=dtype,
        device=device,
        batch_size=batch_size,
        revision=revision,
        trust_remote_code=trust_remote_code,
        cache_dir=cache_dir,
        seed=seed,
        prompts=prompts,
        mteb=mteb_options(mteb_types, mteb_languages, mteb_domains, mteb_data, road),
        mteb_results=mteb_results,
        spread=not no_spread,
        ann=ann,
        progress=choose_progress(quiet=quiet),
        command=shlex.join(["evalsuite", *sys.argv[1:]]),
    )
    page = None if no_report else api.report(finished).html
    if mteb_results is not None:
        say_mteb_results(finished, mteb_results, quiet=quiet or as_json)
    show(finished, page, quiet=quiet, as_json=as_json)


def say_mteb_results(finished: Run, folder: Path, *, quiet: bool) -> None:
    """Say where results in mteb's layout are, and warn of what has no place in them."""
    from evalsuite.cli.console import say, warn
    from evalsuite.interop.mteb_results import left_out

    for note in left_out(finished):
        warn(f"not among mteb's results: {note}")
    if not quiet:
        say(f"mteb results: {folder}, for mteb.ResultCache({str(folder)!r}).load_results()")


def show(finished: Run, page: Path | None, *, quiet: bool, as_json: bool) -> None:
    """Print a run, say where its files are, and exit with 1 if a cell failed."""
    from evalsuite.cli.console import print_json, say, stdout
    from evalsuite.reporting.by_type import is_crowded
    from evalsuite.reporting.kept import with_intervals
    from evalsuite.reporting.terminal import render_terminal
    from evalsuite.reporting.values import ValueReader
    from evalsuite.reporting.view import build_view

    say_warnings(finished)
    view = build_view([finished])
    view = with_intervals(view, ValueReader(view.runs))
    if quiet or as_json or is_crowded(view):
        # Tables that are shown name the reasons themselves, but for means over many tasks.
        say_failures(finished)
    if as_json:
        print_json(summary(finished, page))
    elif not quiet:
        for part in render_terminal(view):
            stdout().print(part)
        say(f"run: {finished.folder}")
        if page is not None:
            say(f"report: {page}")
    if finished.failures:
        raise typer.Exit(1)


def say_warnings(finished: Run) -> None:
    """Say what is odd about models and tasks."""
    from evalsuite.cli.console import warn

    for checkpoint in finished.record.checkpoints:
        for message in checkpoint.warnings:
            warn(f"{checkpoint.label}: {message}")
    for task in finished.record.tasks:
        for message in task.warnings:
            warn(f"{task.name}: {message}")


def say_failures(finished: Run) -> None:
    """Say why cells failed, once for all cells of a task with the same reason."""
    from evalsuite.cli.console import warn
    from evalsuite.core.record import Failed

    counts = Counter(
        (cell.checkpoint, cell.task, cell.outcome.reason)
        for cell in finished.record.cells
        if isinstance(cell.outcome, Failed)
    )
    for (checkpoint, task, reason), count in counts.items():
        warn(f"{checkpoint} on {task}: {count} cell{'s' if count > 1 else ''} failed: {reason}")


def summary(finished: Run, page: Path | None) -> dict[str, Any]:
    """Describe a run for machines: where it is, and each cell's main metric."""
    frame = finished.to_frame()
    main = frame[frame["main"]].drop(columns="main")
    return {
        "run": str(finished.folder),
        "report": None if page is None else str(page),
        "failed": len(finished.failures),
        "cells": json.loads(main.to_json(orient="records")),
    }
