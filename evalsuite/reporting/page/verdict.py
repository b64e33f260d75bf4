"""The comparison section: the verdict, what decided it, and every finding with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from evalsuite.core.verdict import PASSED_CODE, REGRESSED_CODE, Evidence, Finding, QueryMove, Status, Verdict
from evalsuite.core.where import LEGEND, Grid, Place, grids, in_words
from evalsuite.reporting.page.forest import Difference, draw, scale_of, signed
from evalsuite.reporting.text import MISSING, clean, metric_title, percent

_AT_ONCE = 20
"""So many findings are shown at once, besides those that decide; the rest unfold."""
_MOVED = 8
"""So many findings show the queries behind them."""
_NOTHING = 0.5e-4
"""A change below this is 0.00 points."""
_GRIDS = 6
"""So many tasks are laid out by dimension and precision on the first screen."""
_MARKS: dict[Status, str] = {
    "regressed": "✕", "missing": "?", "failed": "!", "incomparable": "≠", "inconclusive": "~",
    "improved": "▲", "passed": "✓", "new": "+",
}  # fmt: skip


@dataclass(frozen=True)
class FindingRow:
    """One finding, ready to show.

    Attributes:
        name: What was judged.
        status: What was found.
        mark: The same as a sign.
        effect: What it does to the verdict.
        reason: One sentence.
        before: The baseline's value.
        after: The candidate's.
        change: The difference with its interval.
        plot: The same drawn.
        retention: Candidate over baseline.
        p: p-value of a drop, after correction.
        detectable: The drop that would have been found.
    """

    name: str
    status: Status
    mark: str
    effect: str
    reason: str
    before: str
    after: str
    change: str
    plot: Markup
    retention: str
    p: str
    detectable: str


@dataclass(frozen=True)
class MovedQueries:
    """The queries that moved most under one finding."""

    name: str
    moves: tuple[QueryMove, ...]


@dataclass(frozen=True)
class WhereTable:
    """The changes of one task by dimension and precision, ready to show.

    Attributes:
        task: Name of the task, or what the mean is of.
        metric: The metric as the field prints it.
        precisions: The columns.
        rows: A dimension with its changes: text and standing; the standing is empty where there is none.
    """

    task: str
    metric: str
    precisions: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class VerdictSection:
    """The whole section.

    Attributes:
        verdict: The verdict itself.
        mood: `good`, `bad` or `open`, for its colour.
        better: Which side is better where, in a sentence or two.
        where: The same, by dimension and precision.
        legend: What its signs mean.
        shown: The findings that decide and the most harmful others.
        rest: All others.
        moved: The queries behind the most harmful findings.
    """

    verdict: Verdict
    mood: str
    better: str
    where: tuple[WhereTable, ...]
    legend: str
    shown: tuple[FindingRow, ...]
    rest: tuple[FindingRow, ...]
    moved: tuple[MovedQueries, ...]


def verdict_section(verdict: Verdict | None) -> VerdictSection | None:
    """Work out the section; None without a verdict."""
    if verdict is None:
        return None
    mood = {PASSED_CODE: "good", REGRESSED_CODE: "bad"}.get(verdict.exit_code, "open")
    scale = scale_of(_difference(f.evidence) for f in verdict.findings if f.evidence is not None)
    decisive = sum(finding.effect != "none" for finding in verdict.findings)
    rows = tuple(_row(finding, scale) for finding in verdict.findings)
    cut = max(decisive, _AT_ONCE)
    moved = [finding for finding in verdict.findings if finding.moved][:_MOVED]
    return VerdictSection(
        verdict=verdict,
        mood=mood,
        better=in_words(verdict),
        where=tuple(_where(grid) for grid in grids(verdict, _GRIDS)),
        legend=LEGEND,
        shown=rows[:cut],
        rest=rows[cut:],
        moved=tuple(MovedQueries(_name(finding), finding.moved) for finding in moved),
    )


def counts_text(verdict: Verdict) -> Sequence[tuple[str, str, int]]:
    """List the statuses with their sign and number."""
    return [(_MARKS[status], status, count) for status, count in verdict.counts.items()]


def _where(grid: Grid) -> WhereTable:
    """Write one task's changes."""
    rows = tuple((space, tuple(map(_place, places))) for space, places in grid.rows)
    return WhereTable(clean(grid.task), metric_title(grid.metric), grid.precisions, rows)


def _place(place: Place | None) -> tuple[str, str]:
    """Write one change and its sign, with its standing."""
    if place is None:
        return MISSING, ""
    change = signed(100 * place.delta) if abs(place.delta) >= _NOTHING else "0.00"
    return f"{change} {place.mark}", place.standing


def _row(finding: Finding, scale: float) -> FindingRow:
    """Write one finding."""
    evidence = finding.evidence
    in_points = finding.subject in ("cell", "mean", "retention", "required")
    return FindingRow(
        name=_name(finding),
        status=finding.status,
        mark=_MARKS[finding.status],
        effect=finding.effect,
        reason=clean(finding.reason),
        before=_value(finding.baseline, in_points=in_points),
        after=_value(finding.candidate, in_points=in_points),
        change=MISSING if evidence is None else _change(evidence),
        plot=Markup() if evidence is None else draw(_difference(evidence), scale),
        retention=MISSING if evidence is None else percent(evidence.retention),
        p=MISSING if evidence is None else f"{evidence.p_drop_adjusted:.2g}",
        detectable=MISSING
        if evidence is None or evidence.detectable is None
        else f"{100 * evidence.detectable:.1f}",
    )


def _name(finding: Finding) -> str:
    """Name what was judged, the metric as the field prints it."""
    parts = (finding.task, finding.variant, metric_title(finding.metric))
    return clean(" · ".join(part for part in parts if part)) or "the runs"


def _difference(evidence: Evidence) -> Difference:
    return Difference(evidence.delta, evidence.lower, evidence.upper, evidence.margin)


def _change(evidence: Evidence) -> str:
    """Write a difference in points with its interval."""
    if evidence.lower is None or evidence.upper is None:
        return signed(100 * evidence.delta)
    return f"{signed(100 * evidence.delta)} [{signed(100 * evidence.lower)}, {signed(100 * evidence.upper)}]"


def _value(value: float | None, *, in_points: bool) -> str:
    """Write a value: scores in points, other quantities as they are."""
    if value is None:
        return MISSING
    return f"{100 * value:.2f}" if in_points else f"{value:,.4g}"
