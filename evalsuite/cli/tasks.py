"""`evalsuite tasks`: see what there is, and check data before a model reads it."""

from __future__ import annotations

import typer

app = typer.Typer(help="List, show and check tasks.", no_args_is_help=True)
AS_JSON = typer.Option(False, "--json", help="Print as JSON.")


@app.command("list")
def list_tasks(as_json: bool = AS_JSON) -> None:
    """List the tasks and suites that can be given by name."""
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
    from evalsuite.tasks.catalogue import Catalogue
    from evalsuite.tasks.check import check

    (reference, *_) = Catalogue().resolve([task])
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
    from evalsuite.tasks.catalogue import Catalogue
    from evalsuite.tasks.check import check

    reports = [check(reference) for reference in Catalogue().resolve(list(task))]
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
