"""A verdict as Markdown, for pull requests and job summaries."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.core.verdict import Effect, Finding, QueryMove, Verdict
from evalsuite.core.where import LEGEND, Grid, in_words
from evalsuite.gate.grid import cell_text, shown_grids
from evalsuite.gate.rows import detailed, grouped, numbered
from evalsuite.gate.words import RELEVANT, change, markdown, p_value, plural, points, shorten

_MARKS: dict[Effect, str] = {"fails": "❌", "blocks": "❓", "warns": "⚠️", "none": "✅"}
_CODES = {0: "✅", 1: "❌", 3: "❓"}
_HEADS = (
    "", "status", "task", "variant", "metric", "before", "after", "change", "interval", "p", "margin", "n",
    "detects",
)  # fmt: skip
_MOST_ROWS = 200
_MOST_DETAILS = 10
_TEXT_WIDTH = 160
_DOCUMENT_WIDTH = 80


def render_markdown(verdict: Verdict) -> str:
    """Write the verdict: headline, table ordered by harm, what was not compared, queries that moved."""
    before, after = verdict.baseline, verdict.candidate
    lines = [
        f"## {_CODES[verdict.exit_code]} {verdict.headline}",
        "",
        f"**{markdown(after.label)}** ({markdown(after.fingerprint[:12])}) against "
        f"**{markdown(before.label)}** ({markdown(before.fingerprint[:12])}), "
        f"policy {markdown(verdict.policy)}.",
        "",
        *(line for text in (in_words(verdict),) if text for line in (markdown(text), "")),
        *(line for grid in shown_grids(verdict) for line in _grid(grid)),
        *_table(verdict),
        *_reasons(verdict),
    ]
    for finding in detailed(verdict, _MOST_DETAILS):
        lines += _moved(finding)
    lines += [f"> {markdown(note)}" for note in verdict.notes]
    counts = ", ".join(f"{count} {status}" for status, count in verdict.counts.items()) or "none"
    lines += [
        "",
        f"{plural(len(verdict.findings), 'finding')}: {counts}.",
        "",
        f"<sub>{_legend(verdict)}</sub>",
    ]
    return "\n".join(lines) + "\n"


def _table(verdict: Verdict) -> Iterator[str]:
    """Write a row a finding with numbers; what passed is counted at the end."""
    findings = numbered(verdict)
    if not findings:
        return
    yield f"| {' | '.join(_HEADS)} |"
    yield "|---|---|---|---|---|---:|---:|---:|---|---:|---:|---:|---:|"
    for finding in findings[:_MOST_ROWS]:
        evidence = finding.evidence
        if evidence is None:
            continue
        p = evidence.p_drop_adjusted if evidence.delta < 0 else evidence.p_gain_adjusted
        cells = (
            _MARKS[finding.effect], finding.status, markdown(finding.task), finding.variant,
            markdown(finding.metric), points(finding.baseline), points(finding.candidate),
            f"**{change(evidence.delta)}**", f"{change(evidence.lower)} to {change(evidence.upper)}",
            p_value(p), points(evidence.margin), str(evidence.n), points(evidence.detectable),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    if len(findings) > _MOST_ROWS:
        yield f"\n{plural(len(findings) - _MOST_ROWS, 'more finding')} in the JSON file."
    yield ""


def _grid(grid: Grid) -> Iterator[str]:
    """Show which side is better where."""
    yield f"| {markdown(grid.task)}, {markdown(grid.metric)} | {' | '.join(grid.precisions)} |"
    yield f"|---|{'---:|' * len(grid.precisions)}"
    for space, cells in grid.rows:
        yield f"| {space} | {' | '.join(map(cell_text, cells))} |"
    yield ""


def _reasons(verdict: Verdict) -> Iterator[str]:
    """List what was not compared, and what other rules found."""
    rows = grouped(verdict)
    for row in rows[:_MOST_ROWS]:
        finding = row.first
        name = " · ".join(part for part in (row.where, finding.metric) if part)
        yield f"- {_MARKS[finding.effect]} **{finding.status}** {markdown(name)}: {markdown(finding.reason)}"
    if len(rows) > _MOST_ROWS:
        yield f"- {plural(len(rows) - _MOST_ROWS, 'more finding')} in the JSON file"
    if rows:
        yield ""


def _moved(finding: Finding) -> Iterator[str]:
    """Fold the queries behind a finding away."""
    yield f"<details><summary>{markdown(finding.name)}: what moved most</summary>"
    yield ""
    yield "| change | query | before | after | first documents before | after |"
    yield "|---:|---|---:|---:|---|---|"
    for move in finding.moved:
        yield f"| {' | '.join(_move_cells(move))} |"
    yield ""
    yield "</details>"
    yield ""


def _move_cells(move: QueryMove) -> tuple[str, ...]:
    text = f"<br>{markdown(shorten(move.text, _TEXT_WIDTH))}" if move.text else ""
    before, after = (
        "<br>".join(_document(move, key) for key in top) for top in (move.top_before, move.top_after)
    )
    return (
        change(move.change), f"**{markdown(move.id)}**{text}", points(move.before), points(move.after),
        before, after,
    )  # fmt: skip


def _document(move: QueryMove, key: str) -> str:
    """Write a document: its id, whether it is relevant, and how it begins."""
    text = move.documents.get(key)
    mark = RELEVANT if key in move.relevant else ""
    return f"{markdown(key)}{mark}{f' <sub>{markdown(shorten(text, _DOCUMENT_WIDTH))}</sub>' if text else ''}"


def _legend(verdict: Verdict) -> str:
    """Explain the numbers."""
    return (
        f"Scores and changes in points; {1 - 2 * verdict.alpha:.0%} intervals; p of a drop (of a gain, where "
        "the change is one) after Holm's correction; detects: the drop found with "
        f"{verdict.power:.0%} power; {RELEVANT}: a relevant document; {LEGEND}. {markdown(verdict.method)}."
    )
