"""A report for the terminal: tables that fit 80 columns and say everything without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from evalsuite.reporting.by_type import condensed, filter_text, is_crowded, type_means
from evalsuite.reporting.choose import Recommendation
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell
from evalsuite.reporting.series import key_series
from evalsuite.reporting.text import MISSING, clean, metric_title, percent, plural, points
from evalsuite.reporting.view import CheckpointView, ReportView

PARETO_MARK = "*"
MOST_SERIES = 8
"""Precisions that a terminal shows; of more, those that matter most."""

_WIDTH = 80
"""Tables that would be wider continue in another one."""
_BETWEEN = 3
"""Blanks that rich puts between two columns."""
_MOST_MEANS = 16
"""Variants whose means a terminal shows, the largest first."""
_REASONS = 6
"""Variants that are named where several failed for the same reason."""


def render_terminal(view: ReportView) -> list[RenderableType]:
    """Make what a terminal shows: a table a panel, then what to ship.

    Returns:
        Renderables for `rich.console.Console.print`, in order; nothing is printed here.
    """
    parts: list[RenderableType] = []
    shown, drawn = _shown(view), condensed(view)
    for panel in drawn.panels:
        parts += [*_panel_tables(panel, shown), *_notes(panel, shown), Text("")]
    for checkpoint in view.checkpoints:
        parts += [*_means(checkpoint, view)]
    if view.panels:
        parts += [_legend(view), Text("")]
    for checkpoint in view.checkpoints:
        parts += list(_advice(checkpoint.recommendation, many=len(view.checkpoints) > 1))
    return parts


def _means(checkpoint: CheckpointView, view: ReportView) -> Iterator[RenderableType]:
    """Make the table of MTEB's means, and say which languages count."""
    means, counted = type_means(checkpoint), filter_text(view.tasks)
    if means:
        table = Table(
            title=Text.assemble(("MTEB means", "bold"), f" · {clean(checkpoint.label)}, points"),
            title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False,
        )  # fmt: skip
        for head in ("variant", "Mean(Task)", "Mean(TaskType)"):
            table.add_column(head, no_wrap=True, justify="left" if head == "variant" else "right")
        for mean in means[::-1][:_MOST_MEANS]:
            table.add_row(str(mean.variant), points(mean.mean_task), points(mean.mean_type))
        yield table
    if is_crowded(view):
        yield Text("Every task is in the report.")
    if counted:
        yield Text(clean(counted), style="dim")
        yield Text("")


def _shown(view: ReportView) -> tuple[str, ...]:
    """Choose the series of the tables."""
    if len(view.precisions) <= MOST_SERIES:
        return view.precisions
    return key_series(view, MOST_SERIES)


def _panel_tables(panel: Panel, shown: Sequence[str]) -> Iterator[Table]:
    """Make the tables of one panel: a row a dimension, a column a precision, as many as fit side by side."""
    columns = {name: _column(panel, name) for name in panel.precisions if name in shown}
    side_by_side: list[str] = []
    room, first = 0, True
    for name, texts in columns.items():
        width = max(line.cell_len for text in texts for line in text.split()) + _BETWEEN
        if side_by_side and width > room:
            yield _table(panel, {each: columns[each] for each in side_by_side}, first=first)
            side_by_side, first = [], False
        if not side_by_side:
            room = _WIDTH - max(len("dim"), *(len(str(dim)) for dim in panel.dims))
        side_by_side.append(name)
        room -= width
    yield _table(panel, {each: columns[each] for each in side_by_side}, first=first)


def _column(panel: Panel, name: str) -> list[Text]:
    """Write one column: the series' name, long ones on two lines, then its cells."""
    return [Text(name.replace("+", "\n+")), *(_cell_text(panel.at(dim, name)) for dim in panel.dims)]


def _table(panel: Panel, columns: Mapping[str, Sequence[Text]], *, first: bool) -> Table:
    """Make one table."""
    title = Text.assemble(
        (clean(panel.task), "bold"), f" · {clean(panel.checkpoint)} · {metric_title(panel.metric)}, points"
    )
    table = Table(
        title=title if first else Text("(continued)", style="dim"), title_justify="left", title_style="",
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False,
    )  # fmt: skip
    table.add_column("dim", justify="right", style="bold", no_wrap=True)
    for head, *_ in columns.values():
        table.add_column(head, no_wrap=True)
    for row, dim in enumerate(panel.dims, start=1):
        table.add_row(str(dim), *(texts[row] for texts in columns.values()))
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
        (f" ±{points(cell.half_interval)}" if cell.half_interval is not None else "", "dim"),
        (PARETO_MARK if cell.pareto else "", "bold green"),
        "\n",
        (f"{percent(cell.retention):>7}" if cell.retention is not None else f"{MISSING:>5}", "cyan"),
    )


def _notes(panel: Panel, shown: Sequence[str]) -> Iterator[Text]:
    """Say what the table cannot: what it leaves out, ties, and why cells failed."""
    hidden = sum(variant.series not in shown for variant in panel.cells)
    if hidden:
        yield Text(f"{plural(hidden, 'more variant')} {'is' if hidden == 1 else 'are'} in the report.")
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
    reasons: dict[str, list[str]] = {}
    for cell in panel.failed:
        reasons.setdefault(cell.reason, []).append(str(cell.variant))
    for reason, variants in reasons.items():
        named = ", ".join(variants[:_REASONS])
        more = f" and {len(variants) - _REASONS} more" if len(variants) > _REASONS else ""
        yield Text.assemble((f"failed {named}{more}: ", "bold red"), clean(reason))


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
