"""Which side is better where: a verdict's changes laid out by task, dimension and precision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.core.variant import Variant
from evalsuite.core.verdict import Finding, Verdict

Standing = Literal["lower", "higher", "harmless", "open"]
"""What is shown of a change: a drop, a gain, that no drop is as large as the margin, or nothing."""

MARKS: dict[Standing, str] = {"lower": "▼", "higher": "▲", "harmless": "=", "open": "?"}
LEGEND = "▼ shown lower, ▲ shown higher, = a drop of the margin is excluded, ? neither"
_NAMED = 4
_BITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Place:
    """One change in its place.

    Attributes:
        delta: Candidate minus baseline, a fraction.
        standing: What is shown of it.
    """

    delta: float
    standing: Standing

    @property
    def mark(self) -> str:
        """The standing as a sign."""
        return MARKS[self.standing]


@dataclass(frozen=True)
class Grid:
    """The changes of one task and metric.

    Attributes:
        task: Name of the task, or what the mean is of.
        metric: Canonical metric text.
        precisions: The columns: precisions with their scoring, those of most bits first.
        rows: A dimension and its changes, the largest dimension first; None where nothing was compared.
    """

    task: str
    metric: str
    precisions: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Place | None, ...]], ...]


def grids(verdict: Verdict, most: int) -> list[Grid]:
    """Lay out tasks and metrics of which not all passed; means over tasks first, then by harm.

    Args:
        verdict: The verdict.
        most: How many grids at most.
    """
    groups: dict[tuple[bool, str, str], list[Finding]] = {}
    for finding in verdict.findings:
        if finding.evidence is not None:
            groups.setdefault((finding.subject != "mean", finding.task, finding.metric), []).append(finding)
    telling = {
        key: group
        for key, group in groups.items()
        if len(group) > 1 and any(finding.status != "passed" for finding in group)
    }
    chosen = sorted(telling, key=lambda key: key[0])[:most]
    return [_grid(telling[key], verdict.alpha) for key in chosen]


def in_words(verdict: Verdict) -> str:
    """Say in a sentence or two where the candidate is shown higher, and where lower; empty without tests."""
    tested = [(f, place) for f in verdict.findings if (place := place_of(f, verdict.alpha)) is not None]
    if not tested:
        return ""
    named = {kind: [f.name for f, place in tested if place.standing == kind] for kind in MARKS}
    shown = "No difference is shown."
    if named["higher"] or named["lower"]:
        gains, drops = (_listed(named[kind]) for kind in ("higher", "lower"))
        shown = f"The candidate is shown higher {gains}, and lower {drops}."
    left = f", {len(named['open'])} leave it open" if named["open"] else ""
    return f"{shown} Of {len(tested)} tests, {len(named['harmless'])} exclude a drop of the margin{left}."


def place_of(finding: Finding, alpha: float) -> Place | None:
    """Say what a finding shows of its change; None if nothing was tested."""
    evidence = finding.evidence
    if evidence is None:
        return None
    if evidence.p_drop_adjusted <= alpha:
        return Place(evidence.delta, "lower")
    if evidence.p_gain_adjusted <= alpha:
        return Place(evidence.delta, "higher")
    return Place(evidence.delta, "harmless" if finding.status == "passed" else "open")


def _listed(names: Sequence[str]) -> str:
    """Name places, the most harmful first as in the verdict; of many the first ones."""
    if not names:
        return "nowhere"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"at {', '.join(names[:_NAMED])}{more}"


def _grid(findings: Sequence[Finding], alpha: float) -> Grid:
    """Lay out one task and metric."""
    ways = [Variant.parse(finding.variant) for finding in findings]
    cells = {(way.space, way.level): finding for way, finding in zip(ways, findings, strict=True)}
    spaces = sorted(ways, key=lambda way: (way.projection, -way.dim))
    levels = sorted({level for _, level in cells}, key=lambda level: (-_bits(level), level))
    rows = tuple(
        (space, tuple(_at(cells.get((space, level)), alpha) for level in levels))
        for space in dict.fromkeys(way.space for way in spaces)
    )
    return Grid(findings[0].task, findings[0].metric, tuple(levels), rows)


def _at(finding: Finding | None, alpha: float) -> Place | None:
    return None if finding is None else place_of(finding, alpha)


def _bits(level: str) -> int:
    """Return the bits a precision is named after; one for `binary`, which is named after none."""
    found = _BITS.search(level.partition("+")[0])
    return int(found.group()) if found else 1
