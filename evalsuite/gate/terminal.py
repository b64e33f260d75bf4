"""A verdict for the terminal: ordered by harm, 80 columns, and nothing said by colour alone."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evalsuite.core.verdict import Finding, QueryMove, Verdict
from evalsuite.core.where import LEGEND, Grid, in_words
from evalsuite.gate.grid import cell_text, shown_grids
from evalsuite.gate.rows import detailed, grouped, numbered, passes
from evalsuite.gate.words import DASH, RELEVANT, change, clean, p_value, plural, points, shorten

_STYLES = {"fails": "bold red", "blocks": "bold yellow", "warns": "yellow", "none": ""}
_HEADLINES = {0: "bold green", 1: "bold red", 3: "bold yellow"}
_MOST_ROWS = 40
_MOST_DETAILS = 5
_TEXT_WIDTH = 70
_TASK_WIDTH = 22


def render_terminal(verdict: Verdict) -> list[RenderableType]:
    """Make what a terminal shows.

    Returns:
        Renderables for `rich.console.Console.print`, in order; nothing is printed here.
    """
    parts: list[RenderableType] = [Text(verdict.headline, style=_HEADLINES[verdict.exit_code])]
    before, after = verdict.baseline, verdict.candidate
    parts.append(Text(f"{clean(after.label)} ({clean(after.source)})", style="dim"))
    parts.append(Text(f"against {clean(before.label)} ({clean(before.source)})", style="dim"))
    if better := in_words(verdict):
        parts.append(Text(clean(better)))
    for grid in shown_grids(verdict):
        parts += [Text(""), *_grid(grid)]
    lines = numbered(verdict)
    if lines:
        parts += [Text(""), _table(lines[:_MOST_ROWS]), *_more(len(lines) - _MOST_ROWS)]
    reasons = list(_reasons(verdict))
    if reasons:
        parts += [Text(""), *reasons]
    for finding in detailed(verdict, _MOST_DETAILS):
        parts += [Text(""), *_moved(finding)]
    return [*parts, Text(""), *_closing(verdict)]


def _table(findings: list[Finding]) -> Table:
    """Make a row a finding."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("status", no_wrap=True)
    table.add_column("cell")
    for head in ("before", "after", "change", "p", "detects"):
        table.add_column(head, justify="right", no_wrap=True)
    for finding in findings:
        evidence = finding.evidence
        if evidence is None:
            continue
        bounds = f"{change(evidence.lower)} to {change(evidence.upper)}"
        name = shorten(clean(finding.task), _TASK_WIDTH)
        table.add_row(
            Text(finding.status, style=_STYLES[finding.effect]),
            Text(f"{name}\n{finding.variant} {finding.metric}"),
            points(finding.baseline),
            points(finding.candidate),
            Text.assemble((change(evidence.delta), "bold"), "\n", (bounds, "dim")),
            p_value(evidence.p_drop_adjusted if evidence.delta < 0 else evidence.p_gain_adjusted),
            points(evidence.detectable) if evidence.detectable is not None else DASH,
        )
    return table


def _grid(grid: Grid) -> Iterator[RenderableType]:
    """Show which side is better where."""
    yield Text(f"{clean(grid.task)}, {grid.metric}: change in points", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("dim", no_wrap=True)
    for level in grid.precisions:
        table.add_column(level, justify="right")
    for space, cells in grid.rows:
        table.add_row(space, *map(cell_text, cells))
    yield table


def _more(hidden: int) -> Iterator[Text]:
    if hidden > 0:
        yield Text(f"{plural(hidden, 'more finding')} in the files and in --json.", style="dim")


def _reasons(verdict: Verdict) -> Iterator[Text]:
    """Say what was not compared, and what other rules found."""
    rows = grouped(verdict)
    for row in rows[:_MOST_ROWS]:
        finding = row.first
        name = " · ".join(part for part in (row.where, finding.metric) if part)
        head = f"{finding.status} {clean(name)}: "
        yield Text.assemble((head, _STYLES[finding.effect]), clean(finding.reason))
    yield from _more(len(rows) - _MOST_ROWS)


def _moved(finding: Finding) -> Iterator[RenderableType]:
    """Show the queries behind a finding."""
    yield Text(f"{clean(finding.name)}: what moved most", style="bold")
    for move in finding.moved:
        text = f" {shorten(clean(move.text), _TEXT_WIDTH)}" if move.text else ""
        line = f"{change(move.change):>6}  {clean(move.id)}  {points(move.before)} → {points(move.after)}"
        yield Text.assemble("  ", (line, ""), (text, "dim"))
        yield from _documents(move)


def _documents(move: QueryMove) -> Iterator[RenderableType]:
    """Show the first documents before and after, where they differ; the very first with its text."""
    if move.top_before == move.top_after:
        return
    for when, top in (("before", move.top_before), ("after", move.top_after)):
        ids = ", ".join(f"{clean(key)}{RELEVANT if key in move.relevant else ''}" for key in top) or DASH
        first = move.documents.get(top[0]) if top else None
        lines = [f"{when}: {ids}", *([shorten(clean(first), _TEXT_WIDTH - 4)] if first else [])]
        yield Padding(Text("\n    ".join(lines), style="dim"), (0, 0, 0, 8))


def _closing(verdict: Verdict) -> Iterator[Text]:
    """Say what passed, how it was judged, and what to know."""
    for note in verdict.notes:
        yield Text(f"note: {clean(note)}", style="yellow")
    counts = ", ".join(f"{count} {status}" for status, count in verdict.counts.items()) or "none"
    yield Text(f"{plural(len(verdict.findings), 'finding')}: {counts}. Policy: {clean(verdict.policy)}.")
    if passes(verdict) < len(verdict.findings):
        yield Text(
            f"Change in points with its {1 - 2 * verdict.alpha:.0%} interval below; p of a drop (of a gain, "
            "where the change is one) after Holm's correction; detects: the drop found with "
            f"{verdict.power:.0%} power; {RELEVANT}: a relevant document; {LEGEND}.",
            style="dim",
        )
