"""`evalsuite report`: write tables, figures and the HTML page of finished runs."""

from __future__ import annotations

from pathlib import Path

import typer


def report(
    run: list[Path] = typer.Argument(..., metavar="RUN...", help="Folders that hold a record.json."),
    out: Path = typer.Option(None, "--out", "-o", help="Folder to write to.  [default: the first run's]"),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No tables."),
    as_json: bool = typer.Option(False, "--json", help="Print the written paths as JSON."),
) -> None:
    """Write tables, figures and the HTML page of one or several runs."""
    from evalsuite import api
    from evalsuite.cli.console import print_json, say, stdout
    from evalsuite.reporting.terminal import render_terminal
    from evalsuite.reporting.view import build_view

    runs = [api.load_run(folder) for folder in run]
    files = api.report(runs, out)
    if as_json:
        print_json({name: _text(value) for name, value in vars(files).items()})
        return
    if not quiet:
        for part in render_terminal(build_view(runs)):
            stdout().print(part)
    say(f"report: {files.html}")


def _text(value: object) -> object:
    """Write a path, or several, as text."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)
