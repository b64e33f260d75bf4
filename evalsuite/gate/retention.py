"""Retention floors: how much of another variant's quality a variant of the candidate must keep."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from evalsuite.core.variant import Variant
from evalsuite.core.verdict import Finding
from evalsuite.gate.match import Party
from evalsuite.gate.policy import Policy, RetentionRule, matches
from evalsuite.gate.topic import Topic
from evalsuite.gate.values import RANKED_CORRELATION, Aligned, NoValuesError, Table, align
from evalsuite.stats.compare import Comparison, Sampling, compare_correlations, compare_means
from evalsuite.stats.ratio import Ratio, ratio_of_means


def judge_retention(rule: RetentionRule, candidate: Party, policy: Policy) -> Iterator[Finding]:
    """Judge every cell that a rule selects: passed where the whole interval lies above the floor.

    The interval is two-sided of level 1 - 2 alpha, so that each end is a one-sided bound of level alpha.
    """
    for task, variant in candidate.select(rule):
        reference = Variant.parse(rule.reference(variant))
        if reference == variant:
            continue
        entry = candidate.tasks[task]
        for metric in _metrics(rule, candidate, task, variant):
            topic = Topic("retention", rule.severity, policy, task, str(variant), metric, entry.task_type)
            yield _judge(topic, rule.floor, candidate, reference)


def _metrics(rule: RetentionRule, candidate: Party, task: str, variant: Variant) -> list[str]:
    """Name the metrics meant: the main one, unless the rule names others."""
    outcome = candidate.scored(task, variant)
    if outcome is None or rule.metric == ("*",):
        return [candidate.tasks[task].main_metric]
    return [metric for metric in outcome.metrics if matches(rule.metric, metric)]


def _judge(topic: Topic, floor: float, candidate: Party, reference: Variant) -> Finding:
    """Compare one ratio with its floor."""
    values = tuple(_value(candidate, topic, variant) for variant in (str(reference), topic.variant))
    whole, part = values
    if whole is None or part is None:
        absent = reference if whole is None else topic.variant
        return topic.finding("missing", f"the candidate has no {topic.metric} at {absent} on {topic.task}")
    below = part < floor * whole
    try:
        ratio = _ratio(topic, candidate, reference, (whole, part))
    except NoValuesError as problem:
        reason = f"what it keeps cannot be bounded: {problem}"
        return topic.finding("inconclusive", reason, values=(whole, part), beyond_limit=True)
    kept = f"keeps {ratio.value:.1%} of {reference} ({ratio.lower:.1%} to {ratio.upper:.1%})"
    if ratio.lower >= floor:
        return topic.finding("passed", f"{kept}, above the floor of {floor:.1%}", values=(whole, part))
    if ratio.upper < floor:
        return topic.finding("regressed", f"{kept}, below the floor of {floor:.1%}", values=(whole, part))
    reason = f"{kept}: the floor of {floor:.1%} lies within the interval"
    return topic.finding("inconclusive", reason, values=(whole, part), beyond_limit=below)


def _value(candidate: Party, topic: Topic, variant: str) -> float | None:
    """Return the recorded value of a cell, if there is one."""
    outcome = candidate.scored(topic.task, variant)
    if outcome is None or topic.metric not in outcome.metrics:
        return None
    return outcome.metrics[topic.metric].value


def _ratio(topic: Topic, candidate: Party, reference: Variant, values: tuple[float, float]) -> Ratio:
    """Bound the ratio of a variant's value to its reference's, on the same queries.

    Raises:
        NoValuesError: If there are no per-query values, or the reference scores nothing.
    """
    table = Table.of(candidate, topic.task)
    aligned = align(table.frame(str(reference)), table.frame(topic.variant), topic.metric, values)
    found = _compare(aligned, topic)
    both = found.resampled_cand[:, 0], found.resampled_base[:, 0]
    confidence = 1 - 2 * topic.policy.alpha
    ratio = ratio_of_means((float(found.cand[0]), float(found.base[0])), both, confidence)
    if ratio is None:
        message = f"{reference} scores nothing in some resamples: there is no ratio"
        raise NoValuesError(message)
    return ratio


def _compare(aligned: Aligned, topic: Topic) -> Comparison:
    """Resample the reference and the variant together."""
    policy = topic.policy
    seed = policy.seed, zlib.crc32(topic.task.encode())
    sampling = Sampling(seed, policy.resamples, 1 - 2 * policy.alpha)
    base, cand = aligned.base[:, None], aligned.cand[:, None]
    if aligned.gold is None:
        return compare_means(base, cand, aligned.strata, sampling)
    ranked = topic.metric == RANKED_CORRELATION
    return compare_correlations(base, cand, aligned.gold, aligned.strata, sampling, ranked=ranked)
