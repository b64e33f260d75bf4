"""`evalsuite report`: write tables, figures and the HTML page of finished runs."""

from __future__ import annotations

from pathlib import Path

import typer

LIST = "list"


def report(
    run: list[Path] = typer.Argument(None, metavar="RUN...", help="Folders that hold a record.json."),
    out: Path = typer.Option(None, "--out", "-o", help="Folder to write to.  [default: the first run's]"),
    published: list[str] = typer.Option(
        None, "--published", help=f"Published scores to draw beside the measured ones; `{LIST}` lists them."
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No tables."),
    as_json: bool = typer.Option(False, "--json", help="Print the written paths as JSON."),
) -> None:
    """Write tables, figures and the HTML page of one or several runs."""
    from evalsuite import api
    from evalsuite.cli.arguments import split_names
    from evalsuite.cli.console import print_json, say, stdout
    from evalsuite.core.errors import UsageError
    from evalsuite.reporting.terminal import render_terminal
    from evalsuite.reporting.view import build_view

    wanted = split_names(published or ())
    if wanted == [LIST]:
        _list_published(as_json=as_json)
        return
    if not run:
        message = "no run given; name at least one folder that holds a record.json"
        raise UsageError(message)
    runs = [api.load_run(folder) for folder in run]
    files = api.report(runs, out, published=wanted)
    if as_json:
        print_json({name: _text(value) for name, value in vars(files).items()})
        return
    if not quiet:
        for part in render_terminal(build_view(runs)):
            stdout().print(part)
    say(f"report: {files.html}")


def _list_published(*, as_json: bool) -> None:
    """Print the published tables that come with evalsuite."""
    from evalsuite.cli.console import print_json, say
    from evalsuite.reporting.published import published_names, read_published
    from evalsuite.reporting.text import plural

    tables = read_published(published_names())
    if as_json:
        fields = ("name", "title", "source", "link", "published", "conditions")
        print_json([{name: getattr(table, name) for name in fields} for table in tables])
        return
    for table in tables:
        say(f"{table.name}: {table.title}, {plural(len(table.series), 'row')}, {table.link}")


def _text(value: object) -> object:
    """Write a path, or several, as text."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)
