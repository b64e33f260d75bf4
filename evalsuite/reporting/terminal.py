"""A report for the terminal: tables that fit 80 columns and say everything without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from evalsuite.reporting.choose import Recommendation
from evalsuite.reporting.text import MISSING, clean, metric_title, percent, plural, points
from evalsuite.reporting.view import FailedCell, Panel, ReportView, ScoredCell

PARETO_MARK = "*"
COLUMNS_PER_TABLE = 5
"""Precisions side by side; more of them continue in another table, so that 80 columns are enough."""


def render_terminal(view: ReportView) -> list[RenderableType]:
    """Make what a terminal shows: a table a panel, then what to ship.

    Returns:
        Renderables for `rich.console.Console.print`, in order; nothing is printed here.
    """
    parts: list[RenderableType] = []
    for panel in view.panels:
        parts += [*_panel_tables(panel), *_notes(panel), Text("")]
    if view.panels:
        parts += [_legend(view), Text("")]
    for checkpoint in view.checkpoints:
        parts += list(_advice(checkpoint.recommendation, many=len(view.checkpoints) > 1))
    return parts


def _panel_tables(panel: Panel) -> Iterator[Table]:
    """Make the tables of one panel: a row a dimension, a column a precision."""
    for start in range(0, len(panel.precisions), COLUMNS_PER_TABLE):
        yield _table(panel, panel.precisions[start : start + COLUMNS_PER_TABLE], first=start == 0)


def _table(panel: Panel, precisions: Sequence[str], *, first: bool) -> Table:
    """Make one table."""
    title = Text.assemble(
        (clean(panel.task), "bold"), f" · {clean(panel.checkpoint)} · {metric_title(panel.metric)}, points"
    )
    table = Table(
        title=title if first else Text("(continued)", style="dim"), title_justify="left", title_style="",
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False,
    )  # fmt: skip
    table.add_column("dim", justify="right", style="bold")
    for precision in precisions:
        table.add_column(precision, no_wrap=True)
    for dim in panel.dims:
        table.add_row(str(dim), *(_cell_text(panel.at(dim, precision)) for precision in precisions))
    return table


def _cell_text(cell: ScoredCell | FailedCell | None) -> Text:
    """Write one cell: value, half its interval, the Pareto mark; retention below."""
    if cell is None:
        return Text(MISSING, style="dim")
    if isinstance(cell, FailedCell):
        return Text("failed", style="bold red")
    # Aligned by hand, to the left: rich strips the blank that would hold the place of a missing mark.
    return Text.assemble(
        (f"{points(cell.value):>5}", "bold" if cell.pareto else ""),
        (f" ±{points(cell.half_interval)}", "dim"),
        (PARETO_MARK if cell.pareto else "", "bold green"),
        "\n",
        (f"{percent(cell.retention):>7}" if cell.retention is not None else f"{MISSING:>5}", "cyan"),
    )


def _notes(panel: Panel) -> Iterator[Text]:
    """Say what the table cannot: ties, and why cells failed."""
    tied = panel.most_tied
    if tied is not None:
        line = (
            f"Ties: up to {percent(tied.tie_share)} of queries have one across the cut-off ({tied.variant})"
        )
        if tied.ties_lost is not None and tied.ties_won is not None:
            line += (
                f"; its score lies between {points(tied.ties_lost)} (all lost) and {points(tied.ties_won)}"
            )
            line += f" (all won), expected {points(tied.expected)}"
        yield Text(line + ".")
    for cell in panel.failed:
        yield Text.assemble((f"failed {cell.variant}: ", "bold red"), clean(cell.reason))


def _legend(view: ReportView) -> Text:
    """Explain the numbers of the tables."""
    failed = f" {plural(len(view.failures), 'cell')} failed." if view.failures else ""
    return Text(
        "± is half of the 95 % interval; below it, retention: percent of full-width float32. "
        f"{PARETO_MARK} Pareto-optimal: no other variant of the table is as small and as good.{failed}",
        style="dim",
    )


def _advice(advice: Recommendation, *, many: bool) -> Iterator[Text]:
    """Say what to ship."""
    headline = f"{clean(advice.checkpoint)}: {advice.headline}" if many else advice.headline
    style = "bold green" if advice.chosen is not None else "bold yellow"
    yield Text.assemble((headline + ". ", style), clean(advice.sentence))
    yield Text(advice.rule, style="dim")
