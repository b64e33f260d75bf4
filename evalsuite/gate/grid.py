"""Which side is better where: the changes of one task laid out by dimension and precision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.core.variant import Variant
from evalsuite.core.verdict import Finding, Verdict
from evalsuite.gate.words import DASH, change

MARKS = {"lower": "▼", "higher": "▲", "harmless": "=", "open": "?"}
LEGEND = "▼ shown lower, ▲ shown higher, = a drop of the margin is excluded, ? neither"
_MOST_GRIDS = 4
_BITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Grid:
    """The changes of one task and metric.

    Attributes:
        task: Name of the task, or what the mean is of.
        metric: Canonical metric text.
        precisions: The columns: precisions with their scoring, those of most bits first.
        rows: A dimension and its cells, the largest dimension first.
    """

    task: str
    metric: str
    precisions: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def grids(verdict: Verdict) -> list[Grid]:
    """Lay out every task and metric of which not all passed; means over tasks first, then by harm."""
    groups: dict[tuple[bool, str, str], list[Finding]] = {}
    for finding in verdict.findings:
        if finding.evidence is not None:
            groups.setdefault((finding.subject != "mean", finding.task, finding.metric), []).append(finding)
    telling = {
        key: group
        for key, group in groups.items()
        if len(group) > 1 and any(finding.status != "passed" for finding in group)
    }
    chosen = sorted(telling, key=lambda key: key[0])[:_MOST_GRIDS]
    return [_grid(telling[key], verdict.alpha) for key in chosen]


def _grid(findings: Sequence[Finding], alpha: float) -> Grid:
    """Lay out one task and metric."""
    cells = {(way.space, way.level): finding for finding in findings for way in [_variant(finding)]}
    spaces = sorted({_variant(finding) for finding in findings}, key=lambda way: (way.projection, -way.dim))
    levels = sorted({level for _, level in cells}, key=lambda level: (-_bits(level), level))
    rows = tuple(
        (space, tuple(_cell(cells.get((space, level)), alpha) for level in levels))
        for space in dict.fromkeys(way.space for way in spaces)
    )
    return Grid(findings[0].task, findings[0].metric, tuple(levels), rows)


def _variant(finding: Finding) -> Variant:
    return Variant.parse(finding.variant)


def _bits(level: str) -> int:
    """Return the bits a precision is named after; one for `binary`, which is named after none."""
    found = _BITS.search(level.partition("+")[0])
    return int(found.group()) if found else 1


def _cell(finding: Finding | None, alpha: float) -> str:
    """Write a change and what is shown of it."""
    evidence = None if finding is None else finding.evidence
    if finding is None or evidence is None:
        return DASH
    if evidence.p_drop_adjusted <= alpha:
        mark = MARKS["lower"]
    elif evidence.p_gain_adjusted <= alpha:
        mark = MARKS["higher"]
    else:
        mark = MARKS["harmless" if finding.status == "passed" else "open"]
    return f"{change(evidence.delta)} {mark}"
