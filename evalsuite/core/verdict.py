"""Verdict: what a comparison of two runs found, decided before anything is printed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict

from evalsuite.core.errors import RunFileError

VERDICT_SCHEMA: Literal[1] = 1

PASSED_CODE, REGRESSED_CODE, UNJUDGED_CODE = 0, 1, 3
"""Exit codes of a comparison; 2 is wrong usage, as everywhere."""

Status = Literal[
    "regressed", "missing", "failed", "incomparable", "inconclusive", "improved", "passed", "new"
]
Effect = Literal["fails", "blocks", "warns", "none"]
"""What a finding does to the verdict: exit code 1, exit code 3, a warning, nothing."""
Subject = Literal["cell", "mean", "retention", "spread", "bytes", "speed", "required", "run"]
"""What a finding is about; `mean` is a macro average over tasks, `run` the runs as a whole."""

STATUS_ORDER: tuple[Status, ...] = (
    "regressed", "missing", "failed", "incomparable", "inconclusive", "improved", "new", "passed",
)  # fmt: skip
"""Statuses from the most to the least harmful."""
EFFECT_ORDER: tuple[Effect, ...] = ("fails", "blocks", "warns", "none")


class _Entry(BaseModel):
    """Base of every part of a verdict: immutable, strict, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class QueryMove(_Entry):
    """One query, or pair, that the candidate treats differently."""

    id: str
    """Id of the query or pair; `part:id` in tasks of several parts."""
    before: float
    """The baseline's value: the metric of the query, or the cosine of the pair."""
    after: float
    """The candidate's value."""
    change: float
    """How much better (above 0) or worse: difference of the metric; for pairs, how much nearer the pair's
    rank came to its rank by people, as a fraction of all pairs."""
    text: str | None = None
    """The query, or both sentences; None where the task's data are not at hand."""
    top_before: tuple[str, ...] = ()
    """Ids of the baseline's first documents."""
    top_after: tuple[str, ...] = ()
    """Ids of the candidate's first documents."""
    relevant: tuple[str, ...] = ()
    """Those of these documents that are relevant; empty where the task's data are not at hand."""
    documents: dict[str, str] = {}
    """Beginning of the text of each of these documents; empty where the task's data are not at hand."""


class Evidence(_Entry):
    """The numbers behind a judgement by statistics; scores are fractions."""

    n: int
    """Queries or pairs, the same on both sides."""
    delta: float
    """Candidate minus baseline."""
    lower: float | None = None
    """Lower end of the two-sided interval of level 1 - 2 alpha, whose lower end is the one-sided bound."""
    upper: float | None = None
    """Upper end."""
    interval: str
    """How the interval was made."""
    margin: float
    """Largest drop that is accepted, as a difference."""
    p_drop: float
    """One-sided p-value of a drop."""
    p_drop_adjusted: float
    """The same after Holm's correction over all cells of the comparison."""
    p_gain_adjusted: float
    """One-sided p-value of a gain, after Holm's correction."""
    p_noninferior: float
    """One-sided p-value against "the drop is as large as the margin or larger"."""
    p_flip: float | None = None
    """Two-sided p-value of the sign-flip randomization test; None where there is no value a query."""
    p_exploratory: float
    """Two-sided p-value after Benjamini and Hochberg's correction, for exploring."""
    effect_size: float | None = None
    """Mean difference over the standard deviation of differences (Cohen's d for pairs)."""
    wins: int | None = None
    """Queries on which the candidate is better."""
    losses: int | None = None
    """Queries on which it is worse."""
    detectable: float | None = None
    """Minimum detectable effect: the drop that would be found with the policy's power; None if unbounded."""
    retention: float | None = None
    """Candidate mean over baseline mean."""
    retention_lower: float | None = None
    """Lower end of its interval, of the same level."""
    retention_upper: float | None = None
    """Upper end."""


class Finding(_Entry):
    """One thing that was judged."""

    subject: Subject = "cell"
    """What was judged."""
    task: str
    """Name of the task; of a macro average, what it is the mean of; empty for the run as a whole."""
    task_type: str = ""
    """MTEB's name of the kind of task."""
    variant: str = ""
    """Canonical variant text, or a dimension."""
    metric: str = ""
    """Canonical metric text, or the name of what was measured."""
    status: Status
    """What was found."""
    effect: Effect
    """What it does to the verdict."""
    reason: str
    """One sentence that says why, with the numbers."""
    baseline: float | None = None
    """The baseline's value."""
    candidate: float | None = None
    """The candidate's value."""
    evidence: Evidence | None = None
    """The statistics; None where there are none."""
    moved: tuple[QueryMove, ...] = ()
    """The queries that moved most, the most harmful first."""

    @property
    def name(self) -> str:
        """What is judged, in a few words."""
        return " · ".join(part for part in (self.task, self.variant, self.metric) if part)


class Side(_Entry):
    """One of the two things compared."""

    label: str
    """Label of the checkpoint."""
    source: str
    """Where the run was read from."""
    fingerprint: str
    """Content fingerprint of the checkpoint."""
    created: str
    """When its run was made."""


class Verdict(_Entry):
    """The outcome of a comparison."""

    schema_version: Literal[1] = VERDICT_SCHEMA
    """Version of this format."""
    baseline: Side
    """What was compared with."""
    candidate: Side
    """What was judged."""
    policy: str
    """Name of the policy file, or `default`."""
    alpha: float
    """Level of every test."""
    power: float
    """Power that the minimum detectable effects are given for."""
    method: str
    """How it was judged, in words."""
    findings: tuple[Finding, ...]
    """Everything that was judged, the most harmful first."""
    notes: tuple[str, ...] = ()
    """What a reader should know: rules that matched nothing, differences that do not forbid comparing."""

    @property
    def exit_code(self) -> int:
        """0 passed, 1 regressed, 3 could not judge."""
        effects = {finding.effect for finding in self.findings}
        if "fails" in effects:
            return REGRESSED_CODE
        judged = any(finding.status in ("passed", "improved", "regressed", "inconclusive")
                     and finding.subject == "cell" for finding in self.findings)  # fmt: skip
        return UNJUDGED_CODE if "blocks" in effects or not judged else PASSED_CODE

    @property
    def counts(self) -> dict[Status, int]:
        """How many findings have each status, the most harmful first; statuses without one are left out."""
        found = Counter(finding.status for finding in self.findings)
        return {status: found[status] for status in STATUS_ORDER if found[status]}

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        fails = [finding for finding in self.findings if finding.effect == "fails"]
        blocks = [finding for finding in self.findings if finding.effect == "blocks"]
        if self.exit_code == REGRESSED_CODE:
            also = f"; {_findings(len(blocks))} could not be judged" if blocks else ""
            return f"REGRESSED: {_findings(len(fails))} of {len(self.findings)}{also}"
        if self.exit_code == UNJUDGED_CODE:
            what = f"{_findings(len(blocks))} of {len(self.findings)}" if blocks else "nothing was compared"
            return f"COULD NOT JUDGE: {what}"
        warned = self._warned()
        which = " that counts" if warned else ""
        return f"PASSED: no regression{which} among {_findings(len(self.findings))}{warned}{self._caveat()}"

    def _warned(self) -> str:
        """Say what passes only because no more than a warning is made of it."""
        found: Counter[str] = Counter(
            f.status for f in self.findings if f.effect == "warns" and f.status != "inconclusive"
        )
        named = ", ".join(f"{found[status]} {status}" for status in STATUS_ORDER if found[status])
        return f"; warnings only: {named}" if named else ""

    def _caveat(self) -> str:
        """Say what a pass does not prove."""
        unproven = [f for f in self.findings if f.status == "inconclusive"]
        sizes = [f.evidence.detectable for f in unproven if f.evidence and f.evidence.detectable is not None]
        if not unproven:
            return ""
        size = f" (a drop of up to {100 * max(sizes):.1f} points could go unseen)" if sizes else ""
        return f"; {len(unproven)} not proven{size}"

    def to_json(self) -> str:
        """Write the verdict, its exit code and its counts as indented JSON."""
        shown = {"exit_code": self.exit_code, "headline": self.headline, "counts": self.counts}
        return json.dumps({**shown, **self.model_dump(mode="json")}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str) -> Verdict:
        """Read a verdict that `to_json` wrote.

        Args:
            text: The file's content.
            where: Name of the file, for error messages.

        Raises:
            RunFileError: If it is no verdict, damaged, or of another version of the format.
        """
        try:
            content = json.loads(text)
            return cls.model_validate({name: content[name] for name in cls.model_fields if name in content})
        except (ValueError, TypeError) as error:
            message = f"{where}: not a verdict that this evalsuite can read ({error}); compare again"
            raise RunFileError(message) from error


def _findings(count: int) -> str:
    return f"{count} finding{'' if count == 1 else 's'}"


def by_harm(findings: list[Finding]) -> tuple[Finding, ...]:
    """Order findings: what decides the verdict first, then by status, then by how large the drop is."""

    def key(finding: Finding) -> tuple[object, ...]:
        delta = finding.evidence.delta if finding.evidence is not None else 0.0
        place = (EFFECT_ORDER.index(finding.effect), STATUS_ORDER.index(finding.status))
        return (*place, delta, finding.subject, finding.task, finding.variant, finding.metric)

    return tuple(sorted(findings, key=key))
