"""`evalsuite report`: write tables, figures and the HTML page of finished runs."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from evalsuite.reporting.write import ReportFiles

LIST = "list"


def report(
    run: list[Path] = typer.Argument(None, metavar="RUN...", help="Folders that hold a record.json."),
    out: Path = typer.Option(None, "--out", "-o", help="Folder to write to.  [default: the first run's]"),
    published: list[str] = typer.Option(
        None, "--published", help=f"Published scores to draw beside the measured ones; `{LIST}` lists them."
    ),
    paper: bool = typer.Option(
        False, "--paper", help="Figures at column widths (SVG, PDF, PNG), LaTeX tables, model card metadata."
    ),
    texts: bool = typer.Option(
        None,
        "--texts/--no-texts",
        help="Texts of all tasks, or of none.  [default: of tasks that are read at once]",
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No tables."),
    as_json: bool = typer.Option(False, "--json", help="Print the written paths as JSON."),
) -> None:
    """Write tables, figures and the HTML page of one or several runs."""
    from evalsuite import api
    from evalsuite.cli.arguments import split_names
    from evalsuite.core.errors import UsageError
    from evalsuite.reporting.write import FORMATS, PAPER, Extras

    wanted = split_names(published or ())
    if wanted == [LIST]:
        _list_published(as_json=as_json)
        return
    if not run:
        message = "no run given; name at least one folder that holds a record.json"
        raise UsageError(message)
    formats = (*FORMATS, PAPER) if paper else FORMATS
    with _no_garbage_collection():
        runs = [api.load_run(folder) for folder in run]
        files = api.report(runs, out, published=wanted, formats=formats, extras=Extras(texts=texts))
    _show(files, quiet=quiet, as_json=as_json)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Look for no cycles meanwhile: a report makes many small objects that stay, a sixth of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _show(files: ReportFiles, *, quiet: bool, as_json: bool) -> None:
    """Print the tables, what to ship, and where the files are."""
    from evalsuite.cli.console import print_json, say, stdout, warn

    for problem in files.problems:
        warn(f"left out: {problem}")
    if as_json:
        print_json({name: _text(value) for name, value in vars(files).items() if name != "view"})
        return
    if not quiet:
        from evalsuite.reporting.terminal import render_terminal

        for part in render_terminal(files.view):
            stdout().print(part)
    say(f"report: {files.html}")
    if not quiet:
        say(f"table: {files.csv}")
        for name, paths in (("figures", files.figures), ("paper", files.paper)):
            if paths:
                say(f"{name}: {paths[0].parent}")


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
