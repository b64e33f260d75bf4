"""`evalsuite query`: SQL over many runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 200
"""So many rows are shown to a person; machines get all."""

_SUFFIXES = (".parquet", ".csv")


def query(
    sql: str = typer.Argument(
        ..., metavar="SQL", help="One SELECT over results, per_query, official, spread and runs."
    ),
    run: list[Path] = typer.Argument(
        None, metavar="[RUN...]", help="Folders, searched for runs to any depth.  [default: reports/runs]"
    ),
    out: Path | None = typer.Option(None, "--out", "-o", help="Write the answer to a .parquet or .csv file."),
    as_csv: bool = typer.Option(False, "--csv", help="Print the answer as CSV."),
    as_json: bool = typer.Option(False, "--json", help="Print the answer as JSON, one object a row."),
) -> None:
    """Ask many runs one question in SQL; `describe results` lists the columns of a view.

    Example: evalsuite query "select created, checkpoint, variant, value from results where main"
    """
    _check_options(out, as_csv=as_csv, as_json=as_json)
    from evalsuite.cli.console import print_json, say, warn
    from evalsuite.history import History
    from evalsuite.reporting.text import plural

    history = History(run or [_default_folder()])
    for problem in history.problems:
        warn(f"left out: {problem}")
    answer = history.query(sql)
    if out is not None:
        _write(answer, out)
        say(f"{out}: {plural(len(answer), 'row')}")
    elif as_csv:
        typer.echo(_csv(answer), nl=False)
    elif as_json:
        print_json(_records(answer))
    else:
        _show(answer)


def _default_folder() -> Path:
    """Return where `evalsuite run` writes; imported only if needed, it brings the whole library along."""
    from evalsuite.api import RUNS_FOLDER

    return RUNS_FOLDER


def _check_options(out: Path | None, *, as_csv: bool, as_json: bool) -> None:
    """Refuse options that do not go together, before anything is read.

    Raises:
        UsageError: Names every mistake.
    """
    from evalsuite.core.errors import UsageError

    given = [
        name
        for name, is_given in (("--out", out is not None), ("--csv", as_csv), ("--json", as_json))
        if is_given
    ]
    mistakes = [f"{' and '.join(given)}: choose one"] if len(given) > 1 else []
    if out is not None and out.suffix not in _SUFFIXES:
        mistakes.append(f"--out {out}: give a name that ends in {' or '.join(_SUFFIXES)}")
    if mistakes:
        raise UsageError("; ".join(mistakes))


def _write(answer: pd.DataFrame, path: Path) -> None:
    """Write the answer to a file, whole or not at all."""
    from evalsuite.core.files import atomic_file

    with atomic_file(path) as file:
        if path.suffix == ".parquet":
            answer.to_parquet(file, index=False, compression="zstd")
        else:
            file.write(_csv(answer).encode("utf-8"))


def _csv(answer: pd.DataFrame) -> str:
    """Write the answer as CSV; NULL is empty."""
    return answer.to_csv(index=False, lineterminator="\n")


def _records(answer: pd.DataFrame) -> list[dict[str, object]]:
    """Turn the answer into values that JSON knows, fractions with all their digits; NULL is null."""
    text = answer.to_json(None, orient="records", date_format="iso", double_precision=15)
    rows: list[dict[str, object]] = json.loads(text)
    return rows


def _show(answer: pd.DataFrame) -> None:
    """Print the answer as a table whose values are never cut, whatever the terminal's width."""
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    from evalsuite.cli.console import say, stdout
    from evalsuite.reporting.text import clean, plural

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, dtype in answer.dtypes.items():
        numeric = dtype.kind in "iuf"
        table.add_column(clean(str(name)), justify="right" if numeric else "left", no_wrap=True)
    for row in answer.head(_SHOWN).astype(object).itertuples(index=False, name=None):
        table.add_row(*map(_cell, row))
    wide = Console(highlight=False, width=100_000)
    natural = Measurement.get(wide, wide.options, table).maximum
    Console(highlight=False, markup=False, width=max(stdout().width, natural)).print(table)
    more = len(answer) - _SHOWN
    say(plural(len(answer), "row") + (f", {more:,} of them not shown; --csv has all" if more > 0 else ""))


def _cell(value: object) -> str:
    """Write one value for people: six digits, nothing for NULL."""
    import pandas as pd

    from evalsuite.reporting.text import MISSING, clean

    if isinstance(value, float):
        return MISSING if pd.isna(value) else f"{value:.6g}"
    if value is None or value is pd.NA or value is pd.NaT:
        return MISSING
    return clean(str(value))
