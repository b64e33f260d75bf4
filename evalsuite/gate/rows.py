"""What a reader of a verdict sees first: findings as rows, those of one reason together, passes counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.core.verdict import Finding, Verdict

WITHOUT_NUMBERS = ("missing", "failed", "incomparable", "new")
_NAMED = 6


@dataclass(frozen=True)
class Row:
    """One line: a finding with numbers, or several findings that share everything but their variant.

    Attributes:
        first: The finding, or the first of those that share a line.
        variants: All variants of the line.
    """

    first: Finding
    variants: tuple[str, ...]

    @property
    def where(self) -> str:
        """Task and variants; of many variants the first ones and a count."""
        named = ", ".join(self.variants[:_NAMED])
        more = f" and {len(self.variants) - _NAMED} more" if len(self.variants) > _NAMED else ""
        return " · ".join(part for part in (self.first.task, named + more) if part) or "the whole run"


def numbered(verdict: Verdict) -> list[Finding]:
    """Return what was measured and is worth a line of numbers, the most harmful first.

    Passed findings are counted instead; a rule's finding carries its numbers in its reason.
    """
    return [f for f in verdict.findings if f.evidence is not None and (f.status != "passed")]


def grouped(verdict: Verdict) -> list[Row]:
    """Return what was not measured, or is no comparison of scores: cells of one reason on one line."""
    rows: dict[tuple[str, ...], list[Finding]] = {}
    for finding in verdict.findings:
        if finding.evidence is None and finding.status != "passed":
            together = finding.status in WITHOUT_NUMBERS or finding.subject == "cell"
            alone = "" if together else finding.variant
            key = finding.effect, finding.status, finding.subject, finding.task, finding.reason, alone
            rows.setdefault(key, []).append(finding)
    return [Row(group[0], _variants(group)) for group in rows.values()]


def _variants(group: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.variant for finding in group if finding.variant))


def detailed(verdict: Verdict, most: int) -> list[Finding]:
    """Choose the findings whose queries are worth reading: what fails, blocks or warns, then gains.

    Neighbouring variants move the same queries; one that shows mostly queries that were shown
    already is left out.
    """
    shown: list[Finding] = []
    seen: set[tuple[str, str]] = set()
    for finding in verdict.findings:
        if finding.status not in ("regressed", "inconclusive", "improved") or len(shown) == most:
            continue
        queries = {(finding.task, move.id) for move in finding.moved}
        if len(queries - seen) * 2 > len(queries):
            shown.append(finding)
            seen |= queries
    return shown


def passes(verdict: Verdict) -> int:
    """Count what passed."""
    return verdict.counts.get("passed", 0)
