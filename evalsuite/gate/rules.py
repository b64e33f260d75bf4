"""Rules beside margins: required cells, retention floors, spread, bytes, speed of encoding."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.core.verdict import Finding
from evalsuite.gate.match import Party
from evalsuite.gate.policy import BytesRule, Policy, RequiredRule, SpeedRule
from evalsuite.gate.retention import judge_retention
from evalsuite.gate.spread_rules import judge_spread
from evalsuite.gate.topic import Topic

_ROUNDING = 1e-9
_NAMED = 5


def judge_rules(baseline: Party, candidate: Party, policy: Policy) -> tuple[list[Finding], list[str]]:
    """Judge every rule of a policy that is not a margin.

    Returns:
        Findings, and a note for each rule that matched nothing: most often a name in it is misspelt.
    """
    parties = baseline, candidate
    findings = [_required(rule, number, candidate, policy) for number, rule in enumerate(policy.required, 1)]
    findings += [finding for rule in policy.spread for finding in judge_spread(rule, parties, policy)]
    findings += [_speed(rule, parties, policy) for rule in policy.speed]
    notes = []
    for number, retention in enumerate(policy.retention, 1):
        found = list(judge_retention(retention, candidate, policy))
        findings += found
        notes += [] if found else [f"[[retention]] number {number} of the policy matches no cell"]
    for number, size in enumerate(policy.bytes, 1):
        found = list(_bytes(size, parties, policy))
        findings += found
        notes += [] if found else [f"[[bytes]] number {number} of the policy matches no cell"]
    return findings, notes


def unused_margins(baseline: Party, candidate: Party, policy: Policy) -> list[str]:
    """Name the margin rules that match no cell of either side."""
    return [
        f"[[margin]] number {number} of the policy matches no cell"
        for number, rule in enumerate(policy.margin, 1)
        if not any(True for party in (baseline, candidate) for _ in party.select(rule))
    ]


def _required(rule: RequiredRule, number: int, candidate: Party, policy: Policy) -> Finding:
    """Judge that the candidate scored what it must."""
    globs = rule.model_dump(exclude={"severity"}, exclude_defaults=True)
    wanted = ", ".join(f"{key} {' or '.join(value)}" for key, value in globs.items()) or "any cell"
    topic = Topic("required", rule.severity, policy, f"[[required]] number {number}", wanted)
    cells = list(candidate.select(rule))
    lacking = [f"{task} · {variant}" for task, variant in cells if candidate.scored(task, variant) is None]
    if not cells:
        return topic.finding("missing", "the candidate has no such cell")
    if lacking:
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        return topic.finding("missing", f"not scored: {', '.join(lacking[:_NAMED])}{more}")
    return topic.finding("passed", f"{len(cells)} cells scored")


def _bytes(rule: BytesRule, parties: tuple[Party, Party], policy: Policy) -> Iterator[Finding]:
    """Judge the size of a stored vector of every cell that both sides scored."""
    for task, variant in parties[1].select(rule):
        before, after = (party.scored(task, variant) for party in parties)
        if before is not None and after is not None and before.bytes_per_vector > 0:
            topic = Topic("bytes", rule.severity, policy, task, str(variant), "bytes a vector")
            yield _limit(topic, (before.bytes_per_vector, after.bytes_per_vector), rule.max_ratio)


def _speed(rule: SpeedRule, parties: tuple[Party, Party], policy: Policy) -> Finding:
    """Judge the time of encoding a text; a run that found every text in the store measured none."""
    topic = Topic("speed", rule.severity, policy, metric="seconds a text")
    before, after = (_seconds_per_text(party) for party in parties)
    if before is None or after is None:
        which = "baseline" if before is None else "candidate"
        reason = f"the {which} encoded nothing: every vector came from the store; evaluate with a fresh store"
        return topic.finding("inconclusive", reason, values=(before, after), beyond_limit=True)
    return _limit(topic, (before, after), rule.max_ratio)


def _seconds_per_text(party: Party) -> float | None:
    """Return the wall time of encoding one text; None where none was encoded."""
    for encoding in party.run.record.provenance.encodings:
        if encoding.checkpoint == party.entry.label and encoding.encoded and encoding.seconds > 0:
            return encoding.seconds / encoding.encoded
    return None


def _limit(topic: Topic, values: tuple[float, float], most: float) -> Finding:
    """Compare the ratio of candidate and baseline with its limit."""
    before, after = values
    ratio = after / before
    above = ratio > most * (1 + _ROUNDING)
    reason = f"{after:.4g}, {ratio:.2f} times the baseline's {before:.4g}; allowed {most:g} times"
    return topic.finding("regressed" if above else "passed", reason, values=values)
