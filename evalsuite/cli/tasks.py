"""`evalsuite tasks`: see what there is, and check data before a model reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

app = typer.Typer(help="List, show and check tasks.", no_args_is_help=True)
AS_JSON = typer.Option(False, "--json", help="Print as JSON.")


@app.command("list")
def list_tasks(
    name: list[str] = typer.Argument(None, metavar="[NAME...]", help="With --mteb: tasks and benchmarks."),
    mteb: bool = typer.Option(False, "--mteb", help="List MTEB's text tasks with their sizes."),
    types: list[str] = typer.Option(None, "--mteb-types", help="Only these types, such as Retrieval,STS."),
    languages: list[str] = typer.Option(None, "--mteb-languages", help="Only these languages, such as eng."),
    domains: list[str] = typer.Option(None, "--mteb-domains", help="Only these domains, such as Medical."),
    data: Path = typer.Option(None, "--mteb-data", help="Folder of local task data, one folder a task."),
    limit_hours: float = typer.Option(None, "--limit-hours", help="Keep the cheapest tasks that fit."),
    texts_per_second: float = typer.Option(
        None, "--texts-per-second", help="Encoding rate for texts of 500 characters; 100 by default."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """List the tasks and suites that can be given by name; with --mteb, those of MTEB."""
    if mteb:
        from evalsuite.cli.arguments import split_names
        from evalsuite.cli.tasks_mteb import ListOptions, list_mteb

        options = ListOptions(
            names=tuple(name or ()),
            types=tuple(split_names(types or ())),
            languages=tuple(split_names(languages or ())),
            domains=tuple(split_names(domains or ())),
            data=data,
            limit_hours=limit_hours,
            texts_per_second=texts_per_second,
        )
        list_mteb(options, as_json=as_json)
        return
    _refuse_without_mteb(
        {
            "NAME": name,
            "--mteb-types": types,
            "--mteb-languages": languages,
            "--mteb-domains": domains,
            "--mteb-data": data,
            "--limit-hours": limit_hours,
            "--texts-per-second": texts_per_second,
        }
    )
    _list_own(as_json=as_json)


def _refuse_without_mteb(options: Mapping[str, object]) -> None:
    """Refuse options that mean nothing for evalsuite's own tasks.

    Raises:
        UsageError: Names them.
    """
    from evalsuite.core.errors import UsageError

    given = [name for name, value in options.items() if value]
    if given:
        message = f"{', '.join(given)}: only together with --mteb"
        raise UsageError(message)


def _list_own(*, as_json: bool) -> None:
    """Print evalsuite's own tasks and suites."""
    from evalsuite.cli.console import print_json, stdout
    from evalsuite.tasks.catalogue import Catalogue

    catalogue = Catalogue()
    cards = [catalogue.card(name) for name in catalogue.names()]
    suites = catalogue.suites()
    if as_json:
        listed = [card.model_dump(mode="json") for card in cards]
        print_json({"tasks": listed, "suites": {name: list(members) for name, members in suites.items()}})
        return
    from rich.table import Table

    table = Table("task", "kind", "main metric", "description", box=None, pad_edge=False, header_style="bold")
    for card in cards:
        table.add_row(card.name, card.kind, card.main_metric, card.description)
    stdout().print(table)
    suites_table = Table("suite", "tasks", box=None, pad_edge=False, header_style="bold")
    for name, members in suites.items():
        suites_table.add_row(name, ", ".join(members))
    stdout().print()
    stdout().print(suites_table)


@app.command()
def show(task: str = typer.Argument(..., help="Name of a task, or a path."), as_json: bool = AS_JSON) -> None:
    """Show a task: its card, its size, its first texts."""
    from evalsuite.cli.console import print_json, say
    from evalsuite.tasks.catalogue import resolve
    from evalsuite.tasks.check import check

    (reference, *_) = resolve([task])
    found, report, card = reference.describe(), check(reference), reference.card
    shown = {
        "name": found.name,
        "kind": found.kind,
        "source": found.source,
        "licence": found.licence,
        **(
            {}
            if card is None
            else card.model_dump(mode="json", include={"description", "how_made", "citation"})
        ),
        **report.counts,
        "data fingerprint": report.fingerprint,
        "problems": list(report.problems),
        "warnings": list(report.warnings),
    }
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        if isinstance(value, list):
            for each in value:
                say(f"{name.removesuffix('s')}: {each}")
        elif value not in ("", None):
            say(f"{name}: {value}")


@app.command("check")
def check_tasks(
    task: list[str] = typer.Argument(..., metavar="TASK...", help="Names, suites or paths."),
    as_json: bool = AS_JSON,
) -> None:
    """Read the data of tasks and report every mistake at once; exit code 1 if there is one."""
    from evalsuite.cli.console import print_json, say, warn
    from evalsuite.tasks.catalogue import resolve
    from evalsuite.tasks.check import check

    reports = [check(reference) for reference in resolve(list(task))]
    if as_json:
        print_json([{**vars(report), "counts": dict(report.counts), "ok": report.ok} for report in reports])
    else:
        for report in reports:
            counts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
            say(f"{report.name}: {'ok, ' + counts if report.ok else 'not usable'}")
            for problem in report.problems:
                say(f"  - {problem}")
            for message in report.warnings:
                warn(f"{report.name}: {message}")
    if not all(report.ok for report in reports):
        raise typer.Exit(1)
