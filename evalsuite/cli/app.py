"""The `evalsuite` command: parse, call one api function, print.

Nothing heavy is imported here: `evalsuite --help` must answer at once. Each command imports what it needs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import typer

from evalsuite import __version__
from evalsuite.cli import ablate, baseline, cache, compare, demo, inspect, query, report, run, tasks, watch
from evalsuite.cli.arguments import gather_values
from evalsuite.cli.console import fail
from evalsuite.core.errors import EvalsuiteError

INTERRUPTED = 130
GREEDY_OPTIONS = (
    "--tasks",
    "-t",
    "--dims",
    "-d",
    "--precisions",
    "-p",
    "--weights",
    "--projections",
    "--published",
    "--mteb-types",
    "--mteb-languages",
    "--mteb-domains",
)

app = typer.Typer(
    name="evalsuite",
    help="Evaluate Matryoshka embedding models: encode once, score every dimension and precision.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("ablate")(ablate.ablate)
app.command("query")(query.query)
app.command("inspect")(inspect.inspect)
app.command("demo")(demo.demo)
app.command("watch")(watch.watch)
app.add_typer(baseline.app, name="baseline")
app.add_typer(tasks.app, name="tasks")
app.add_typer(cache.app, name="cache")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"evalsuite {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Exit codes: 0 done, 1 a cell failed or a check found problems, 2 wrong usage."""
    del version


class Interrupted(BaseException):
    """The person at the keyboard pressed Ctrl-C; typer would swallow a KeyboardInterrupt."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop the command as soon as Python can."""
    del number, frame
    raise Interrupted


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; an error the user can fix is one message and exit code 2."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    signal.signal(signal.SIGINT, _interrupt)
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(gather_values(given, GREEDY_OPTIONS), prog_name="evalsuite")
    except EvalsuiteError as error:
        fail(str(error))
    except Interrupted:
        fail("interrupted; finished shards are kept, the same command goes on from there", INTERRUPTED)


if __name__ == "__main__":
    main()
