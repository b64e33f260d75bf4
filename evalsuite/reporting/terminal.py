"""A report for the terminal: tables that fit 80 columns and say everything without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 80
"""Tables that would be wider continue in another one."""
_BETWEEN = 2
"""Blanks between two columns."""
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
        yield Text.assemble(("MTEB means", "bold"), f" · {clean(checkpoint.label)}, points")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
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


def _panel_tables(panel: Panel, shown: Sequence[str]) -> Iterator[RenderableType]:
    """Make the tables of one panel: a row a precision, a column a dimension, as many as fit side by side.

    Titles stand above the tables: rich would break one to the width of a narrow table.
    """
    yield Text.assemble(
        (clean(panel.task), "bold"), f" · {clean(panel.checkpoint)} · {metric_title(panel.metric)}, points"
    )
    names = [name for name in panel.precisions if name in shown]
    dims = {dim: [Text(str(dim)), *(_cell_text(panel.at(dim, name)) for name in names)] for dim in panel.dims}
    rows = _Rows(names, _sparklines(panel, names), [_largest_half(panel, name) for name in names])
    side_by_side: list[int] = []
    room = 0
    for dim, texts in dims.items():
        width = max(text.cell_len for text in texts) + _BETWEEN
        if side_by_side and width > room:
            yield _table(rows, {each: dims[each] for each in side_by_side})
            yield Text("(continued)", style="dim")
            side_by_side = []
        if not side_by_side:
            room = _WIDTH - rows.width
        side_by_side.append(dim)
        room -= width
    yield _table(rows, {each: dims[each] for each in side_by_side})


@dataclass(frozen=True)
class _Rows:
    """What stands in every row of a panel's tables beside its scores."""

    names: Sequence[str]
    sparks: Sequence[str]
    halves: Sequence[str]

    @property
    def width(self) -> int:
        """Columns that it takes, blanks between them included."""
        columns = (("precision", *self.names), ("", *self.sparks), ("±", *self.halves))
        return sum(max(map(len, column)) for column in columns) + 2 * _BETWEEN


def _sparklines(panel: Panel, names: Sequence[str]) -> list[str]:
    """Draw each precision over falling dimensions, in characters; all rows of a table share the scale."""
    values = [cell.value for cell in panel.scored if cell.variant.series in names]
    low, high = min(values, default=0.0), max(values, default=0.0)

    def bar(cell: ScoredCell | FailedCell | None) -> str:
        if not isinstance(cell, ScoredCell):
            return " " if cell is None else "x"
        share = (cell.value - low) / (high - low) if high > low else 1.0
        return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]

    return ["".join(bar(panel.at(dim, name)) for dim in panel.dims) for name in names]


def _largest_half(panel: Panel, name: str) -> str:
    """Write the largest half interval of one precision; nothing if it has none."""
    cells = [panel.at(dim, name) for dim in panel.dims]
    halves = [cell.half_interval for cell in cells if isinstance(cell, ScoredCell)]
    return points(max((half for half in halves if half is not None), default=None))


def _table(rows: _Rows, columns: Mapping[int, Sequence[Text]]) -> Table:
    """Make one table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("precision", no_wrap=True)
    table.add_column("", no_wrap=True, style="cyan")
    for dim in columns:
        table.add_column(str(dim), no_wrap=True, justify="right")
    table.add_column("±", no_wrap=True, justify="right", style="dim")
    for place, (name, spark, half) in enumerate(zip(rows.names, rows.sparks, rows.halves, strict=True), 1):
        table.add_row(name, spark, *(texts[place] for texts in columns.values()), half)
    return table


def _cell_text(cell: ScoredCell | FailedCell | None) -> Text:
    """Write one score with the Pareto mark behind it."""
    if cell is None:
        return Text(MISSING + "\N{NO-BREAK SPACE}", style="dim")
    if isinstance(cell, FailedCell):
        return Text("failed", style="bold red")
    # A no-break space holds the place of a missing mark: rich strips other blanks.
    mark = (PARETO_MARK, "bold green") if cell.pareto else ("\N{NO-BREAK SPACE}", "")
    return Text.assemble((points(cell.value), "bold" if cell.pareto else ""), mark)


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
        "Columns are dimensions; ± is half of the row's widest 95 % interval; bars run over all dimensions. "
        f"{PARETO_MARK} Pareto-optimal: no other variant of the task is as small and as good.{failed}",
        style="dim",
    )


def _advice(advice: Recommendation, *, many: bool) -> Iterator[Text]:
    """Say what to ship."""
    headline = f"{clean(advice.checkpoint)}: {advice.headline}" if many else advice.headline
    style = "bold green" if advice.chosen is not None else "bold yellow"
    yield Text.assemble((headline + ". ", style), clean(advice.sentence))
    yield Text(advice.rule, style="dim")
