"""Rules on spread: how far a statistic of the embedding space may rise or fall."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.core.verdict import Finding
from evalsuite.gate.match import Party
from evalsuite.gate.policy import Policy, SpreadRule, matches
from evalsuite.gate.topic import Topic

Key = tuple[str, str, int]
"""Task, side and dimension."""


def judge_spread(rule: SpreadRule, parties: tuple[Party, Party], policy: Policy) -> Iterator[Finding]:
    """Judge a statistic on every task, side and dimension that a rule means.

    Statistics of spread are exact for the texts at hand, so limits are compared with what was measured. A
    statistic that the candidate did not measure is missing, and so is one that nobody measured.
    """
    before, after = (spread_values(party, rule) for party in parties)
    if not before and not after:
        topic = Topic("spread", rule.severity, policy, metric=rule.statistic)
        where = f"at {', '.join(rule.dim)} of {', '.join(rule.side)} vectors on {', '.join(rule.task)}"
        yield topic.finding("missing", f"neither run measured it {where}")
    for key in dict.fromkeys([*before, *after]):
        task, side, dim = key
        topic = Topic("spread", rule.severity, policy, task, str(dim), f"{rule.statistic} ({side})")
        yield _judge(topic, rule, before.get(key), after.get(key))


def spread_values(party: Party, rule: SpreadRule) -> dict[Key, float]:
    """Look a statistic up in a run: value by task, side and dimension; empty where the run has none."""
    return {
        (entry.task, entry.side, entry.dim): entry.values[rule.statistic].value
        for entry in party.run.record.spread
        if entry.checkpoint == party.entry.label
        and matches(rule.task, entry.task)
        and matches(rule.dim, str(entry.dim))
        and matches(rule.side, entry.side)
        and rule.statistic in entry.values
    }


def _judge(topic: Topic, rule: SpreadRule, before: float | None, after: float | None) -> Finding:
    """Compare one value with its limits."""
    if after is None:
        return topic.finding("missing", "the candidate did not measure it", values=(before, None))
    relative = rule.max_rise is not None or rule.max_fall is not None
    if relative and not before:
        why = "the baseline did not measure it" if before is None else "the baseline's value is 0"
        return topic.finding("incomparable", f"{why}: there is no rise or fall", values=(before, after))
    broken = list(_broken(rule, before, after))
    was = "" if before is None else f", was {before:.4g}"
    reason = "; ".join([f"{after:.4g}{was}", *broken])
    return topic.finding("regressed" if broken else "passed", reason, values=(before, after))


def _broken(rule: SpreadRule, before: float | None, after: float) -> Iterator[str]:
    """Name the limits that are broken."""
    change = (after - before) / abs(before) if before else 0.0
    if rule.max_rise is not None and change > rule.max_rise:
        yield f"a rise of {change:.1%}, allowed {rule.max_rise:.1%}"
    if rule.max_fall is not None and change < -rule.max_fall:
        yield f"a fall of {-change:.1%}, allowed {rule.max_fall:.1%}"
    if rule.max is not None and after > rule.max:
        yield f"more than {rule.max:g}"
    if rule.min is not None and after < rule.min:
        yield f"less than {rule.min:g}"
