"""`evalsuite baseline`: what later checkpoints are compared with, and the only way to change it."""

from __future__ import annotations

from pathlib import Path

import typer

app = typer.Typer(help="Accept and list committed baselines.", no_args_is_help=True)
FOLDER = typer.Option(None, "--folder", help="Where baselines are kept.  [default: reports/baselines]")
AS_JSON = typer.Option(False, "--json", help="Print as JSON.")
_NAMED = 3
"""So many tasks of a baseline are named in the list."""


@app.command()
def accept(
    run: Path = typer.Argument(..., metavar="RUN", help="Folder of a run."),
    name: str = typer.Option("main", "--name", "-n", help="Name of the baseline."),
    checkpoint: str = typer.Option(None, help="Label of the checkpoint, in a run of several."),
    metrics: list[str] = typer.Option(
        ["main"], "--metrics", help="Metrics kept: main, or globs such as recall@100."
    ),
    allow_failed: bool = typer.Option(False, "--allow-failed", help="Accept a run with failed cells."),
    folder: Path = FOLDER,
    as_json: bool = AS_JSON,
) -> None:
    """Make a run the baseline, and print what changes."""
    from evalsuite import api
    from evalsuite.cli.arguments import split_names
    from evalsuite.cli.console import print_json, say
    from evalsuite.gate.words import plural

    accepted = api.accept_baseline(
        run,
        name,
        checkpoint=checkpoint,
        metrics=split_names(metrics),
        folder=folder,
        allow_failed=allow_failed,
    )
    if as_json:
        print_json({**vars(accepted), "folder": str(accepted.folder), "changes": list(accepted.changes)})
        return
    for line in accepted.changes:
        say(line)
    changes, same = plural(len(accepted.changes), "change"), plural(accepted.unchanged, "value")
    say(f"baseline: {accepted.folder} ({changes}, {same} unchanged)")


@app.command("list")
def list_all(folder: Path = FOLDER, as_json: bool = AS_JSON) -> None:
    """List the committed baselines."""
    from evalsuite import api
    from evalsuite.cli.console import print_json, say, stdout

    found = [
        {
            "name": baseline.folder.name,
            "checkpoint": baseline.record.checkpoints[0].label,
            "fingerprint": baseline.record.checkpoints[0].fingerprint,
            "tasks": [task.name for task in baseline.record.tasks],
            "cells": len(baseline.record.cells),
            "created": baseline.record.provenance.created,
        }
        for baseline in api.list_baselines(folder)
    ]
    if as_json:
        print_json(found)
    elif not found:
        say("no baseline yet; make one with: evalsuite baseline accept RUN")
    else:
        from rich.table import Table

        table = Table(*(key for key in found[0]), box=None, pad_edge=False, header_style="bold")
        for each in found:
            table.add_row(*(_short(value) for value in each.values()))
        stdout().print(table)


def _short(value: object) -> str:
    """Write a value in a table: the first names and how many more, fingerprints cut."""
    if isinstance(value, list):
        more = f" and {len(value) - _NAMED} more" if len(value) > _NAMED else ""
        return ", ".join(value[:_NAMED]) + more
    text = str(value)
    return text[:12] if len(text) == 64 else text
