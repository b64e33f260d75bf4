"""`evalsuite compare`: is the candidate worse than the baseline at anything? The answer is an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import typer


def compare(
    baseline: str = typer.Argument(
        ..., metavar="BASELINE", help="Run, committed baseline, mteb results or checkpoint to compare with."
    ),
    candidate: str = typer.Argument(..., metavar="CANDIDATE", help="The same, to be judged."),
    policy: Path = typer.Option(None, help="TOML file of margins and rules.  [default: one point a cell]"),
    out: Path = typer.Option(
        None, "--out", "-o", help="Folder for verdict.html, .md, .json and .xml (JUnit)."
    ),
    junit: Path = typer.Option(None, help="Write JUnit XML to this file."),
    markdown: Path = typer.Option(None, help="Write Markdown to this file."),
    baseline_checkpoint: str = typer.Option(None, help="Label of the checkpoint, in a run of several."),
    candidate_checkpoint: str = typer.Option(None, help="Label of the checkpoint, in a run of several."),
    no_texts: bool = typer.Option(False, "--no-texts", help="Show ids only of the queries that moved."),
    no_page: bool = typer.Option(False, "--no-page", help="Leave verdict.html out of --out."),
    cache_dir: Path = typer.Option(
        None, help="Folder of the embedding store, for checkpoints.  [default: user cache]"
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Print the headline only."),
    as_json: bool = typer.Option(False, "--json", help="Print the verdict as JSON."),
) -> None:
    """Judge a candidate against a baseline, cell by cell.

    Exit codes: 0 passed, 1 regressed, 2 wrong usage, 3 could not judge.
    """
    from evalsuite import api
    from evalsuite.cli.console import print_json, say, stdout
    from evalsuite.cli.progress import choose_progress
    from evalsuite.gate.terminal import render_terminal

    verdict = api.compare(
        baseline,
        candidate,
        policy,
        checkpoints=(baseline_checkpoint, candidate_checkpoint),
        texts=not no_texts,
        cache_dir=cache_dir,
        progress=choose_progress(quiet=quiet),
    )
    api.write_verdict(verdict, out, junit=junit, markdown=markdown, page=not no_page)
    if as_json:
        print_json(json.loads(verdict.to_json()))
    elif quiet:
        say(verdict.headline)
    else:
        for part in render_terminal(verdict):
            stdout().print(part)
    raise typer.Exit(verdict.exit_code)
