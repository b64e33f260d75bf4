"""Rules beside margins: required cells, retention floors, spread, bytes, speed of encoding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from evalsuite.core.variant import Variant
from evalsuite.core.verdict import Finding
from evalsuite.gate.match import Party
from evalsuite.gate.policy import ANY, BytesRule, Policy, RequiredRule, Selector, SpeedRule, matches
from evalsuite.gate.retention import judge_retention
from evalsuite.gate.spread_rules import judge_spread
from evalsuite.gate.topic import Topic

_ROUNDING = 1e-9
_NAMED = 5


def judge_rules(parties: tuple[Party, Party], policy: Policy) -> list[Finding]:
    """Judge every rule of a policy that is not a margin; one that finds nothing to judge is missing."""
    candidate = parties[1]
    findings = []
    for number, required in enumerate(policy.required, 1):
        findings += [_required(required, part, number, candidate, policy) for part in required.combinations()]
    for number, retention in enumerate(policy.retention, 1):
        found = list(judge_retention(retention, candidate, policy))
        findings += found or [_nothing("retention", retention, number, policy)]
    for spread in policy.spread:
        findings += judge_spread(spread, parties, policy)
    for number, size in enumerate(policy.bytes, 1):
        found = list(_bytes(size, parties, policy))
        findings += found or [_nothing("bytes", size, number, policy)]
    return findings + [_speed(rule, parties, policy) for rule in policy.speed]


def _nothing(subject: Literal["retention", "bytes"], rule: Selector, number: int, policy: Policy) -> Finding:
    """Say that a rule found no cell to judge: a limit that nothing was held to is not kept."""
    topic = Topic(subject, rule.severity, policy, f"[[{subject}]] number {number}", _words(_globs(rule)))
    return topic.finding("missing", "matches no cell that could be judged; is a name in it misspelt?")


def _globs(rule: Selector) -> dict[str, str]:
    """Write what a rule selects by: field to globs; fields left out are left out."""
    fields = ("task", "type", "metric", "dim", "precision")
    return {name: " or ".join(getattr(rule, name)) for name in fields if getattr(rule, name) != ANY}


def _words(globs: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {glob}" for name, glob in globs.items()) or "any cell"


def _required(
    rule: RequiredRule, part: Mapping[str, str], number: int, candidate: Party, policy: Policy
) -> Finding:
    """Judge that the candidate scored what it must, for one combination of what the rule lists."""
    topic = Topic("required", rule.severity, policy, f"[[required]] number {number}", _words(part))
    cells = list(candidate.select(RequiredRule.model_validate(part)))
    metric = part.get("metric", "*")
    lacking = [f"{task} · {variant}" for task, variant in cells if not _has(candidate, task, variant, metric)]
    if not cells:
        return topic.finding("missing", "the candidate has no such cell")
    if lacking:
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        return topic.finding("missing", f"not scored: {', '.join(lacking[:_NAMED])}{more}")
    return topic.finding("passed", f"{len(cells)} cell{'' if len(cells) == 1 else 's'} scored")


def _has(candidate: Party, task: str, variant: Variant, metric: str) -> bool:
    """Tell whether a cell was scored, by a metric that a glob means."""
    outcome = candidate.scored(task, variant)
    return outcome is not None and any(matches((metric,), name) for name in outcome.metrics)


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
