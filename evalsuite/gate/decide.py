"""The decision: from a cell's numbers to its status, and from its status to what it does to the exit code.

A cell is judged by two one-sided tests at level alpha, and by nothing else.

1. Is the candidate **shown to be harmless**: is a drop as large as the margin excluded (non-inferiority)?
2. Is it **shown to be lower** (a drop, p-value corrected by Holm over all cells of the comparison)?

=====================  ==============================  =====================================
the candidate is       shown to be lower               not shown to be lower
=====================  ==============================  =====================================
shown to be harmless   passed (lower, within margin)   passed, or improved if shown higher
not shown harmless     **regressed**                   improved if shown higher, else
                                                       inconclusive
=====================  ==============================  =====================================

What that promises:

* *False alarms.* If nothing is worse, exit code 1 comes with a probability of at most alpha for the whole
  comparison, however many cells it has: Holm's correction, valid under any correlation between cells.
* *Missed harm.* A cell whose true drop is the margin or larger passes with a probability of at most alpha.
  No correction is needed here: each pass must be earned by its own test.
* *Power.* A true drop of the size given as `detectable` is found with the policy's power, 80 % by default, at
  Holm's first and hardest step. What is smaller may go unseen.
* *Neither* is an answer too: inconclusive. By default it is a warning while the measured drop lies within the
  margin, and "could not judge" where it lies beyond: too much to wave through, too little data to blame. So
  it is where so few queries could not have shown any drop, however large.

A drop smaller than the margin can be a regression: if it is real and the data cannot exclude that it is as
large as the margin, the burden of proof is the candidate's.
"""

from __future__ import annotations

from evalsuite.core.measure import CORRELATIONS
from evalsuite.core.verdict import Effect, Evidence, Finding, Status
from evalsuite.gate.estimates import Adjusted, Estimate, Untested
from evalsuite.gate.match import Pair
from evalsuite.gate.policy import Policy, Severity
from evalsuite.gate.words import change, size

METHOD = (
    "regressed: a drop is shown (one-sided paired t-test, Holm's correction over {m} tests) and harmlessness "
    "is not; passed: a drop as large as the margin is excluded (one-sided non-inferiority test); "
    "inconclusive: neither; level {alpha:g}"
)


def status_of(estimate: Estimate, adjusted: Adjusted, alpha: float) -> Status:
    """Decide one cell by the table above."""
    if estimate.identical:
        return "passed"
    if adjusted.gain <= alpha:
        return "improved"
    if estimate.p_noninferior <= alpha:
        return "passed"
    return "regressed" if adjusted.drop <= alpha else "inconclusive"


def effect_of(status: Status, severity: Severity, policy: Policy, *, beyond_margin: bool = False) -> Effect:
    """Say what a status does to the verdict.

    Args:
        status: What was found.
        severity: Of the rule that applies; `warn` turns whatever would fail or block into a warning.
        policy: How each status is treated.
        beyond_margin: Whether the measured drop exceeds the margin; decides about inconclusive cells.
    """
    if status in ("passed", "improved", "new"):
        return "none"
    if status == "regressed":
        return "warns" if severity == "warn" else "fails"
    treatments = {
        "missing": policy.missing,
        "failed": policy.failed,
        "incomparable": policy.incomparable,
        "inconclusive": policy.inconclusive_beyond_margin if beyond_margin else policy.inconclusive,
    }
    treatment = treatments[status]
    if treatment == "ignore":
        return "none"
    return "warns" if "warn" in (treatment, severity) else "blocks"


def judged(estimate: Estimate, adjusted: Adjusted, policy: Policy, tests: int) -> Finding:
    """Turn one estimate into a finding.

    Args:
        estimate: The numbers.
        adjusted: Its corrected p-values.
        policy: Level and treatments.
        tests: How many cells and means were tested.
    """
    status = status_of(estimate, adjusted, policy.alpha)
    pair = estimate.pair
    evidence = _evidence(estimate, adjusted, policy, tests)
    # A test that could find no drop at all is as good as none: that the measured one is small says nothing.
    beyond = estimate.beyond_margin or evidence.detectable is None
    return Finding(
        subject="mean" if estimate.subject == "mean" else "cell",
        task=pair.task,
        task_type=pair.task_type,
        variant=str(pair.variant),
        metric=pair.metric,
        status=status,
        effect=effect_of(status, estimate.rule.severity, policy, beyond_margin=beyond),
        reason=_reason(status, estimate, evidence, policy.alpha),
        baseline=pair.baseline,
        candidate=pair.candidate,
        evidence=evidence,
        moved=estimate.moved,
    )


def unmatched(pair: Pair, policy: Policy) -> Finding:
    """Turn a pair that cannot be compared into a finding; one that failed on both sides only warns."""
    status = pair.status or "incomparable"
    severity = policy.margin_for(*pair.key).severity
    effect = effect_of(status, "warn" if pair.both_failed else severity, policy)
    return _finding(pair, status, effect, pair.reason)


def without_values(untested: Untested, policy: Policy) -> Finding:
    """Judge a pair that has no per-query values, by the policy's rule for that."""
    pair, reason = untested.pair, untested.reason
    if untested.unchanged:
        return _finding(pair, "passed", "none", "no query changed")
    rule = policy.margin_for(*pair.key)
    before, after = pair.baseline or 0.0, pair.candidate or 0.0
    if policy.no_values == "points":
        lower = after - before < -rule.size(before)
        status: Status = "regressed" if lower else "passed"
        text = f"{change(after - before)} points, by the bare difference, untested: {reason}"
        return _finding(pair, status, effect_of(status, rule.severity, policy), text)
    effect: Effect = "warns" if "warn" in (policy.no_values, rule.severity) else "blocks"
    hint = 'no_values = "points" in a policy trusts the bare difference'
    text = f"no per-query values, so nothing can be tested: {reason} ({hint})"
    return _finding(pair, "inconclusive", effect, text)


def _finding(pair: Pair, status: Status, effect: Effect, reason: str) -> Finding:
    return Finding(
        task=pair.task,
        task_type=pair.task_type,
        variant=str(pair.variant),
        metric=pair.metric,
        status=status,
        effect=effect,
        reason=reason,
        baseline=pair.baseline,
        candidate=pair.candidate,
    )


def _evidence(estimate: Estimate, adjusted: Adjusted, policy: Policy, tests: int) -> Evidence:
    """Write the numbers down."""
    retention = estimate.retention
    return Evidence(
        n=estimate.n,
        delta=estimate.delta,
        lower=estimate.bounds[0],
        upper=estimate.bounds[1],
        interval=f"{1 - 2 * policy.alpha:.0%} {estimate.interval}",
        margin=estimate.margin,
        p_drop=estimate.p_drop,
        p_drop_adjusted=adjusted.drop,
        p_gain_adjusted=adjusted.gain,
        p_noninferior=estimate.p_noninferior,
        p_flip=estimate.p_flip,
        p_exploratory=adjusted.exploratory,
        effect_size=estimate.effect_size,
        wins=estimate.wins,
        losses=estimate.losses,
        detectable=estimate.detectable(policy.alpha / tests, policy.power),
        retention=None if retention is None else retention.value,
        retention_lower=None if retention is None else retention.lower,
        retention_upper=None if retention is None else retention.upper,
    )


def _reason(status: Status, estimate: Estimate, evidence: Evidence, alpha: float) -> str:
    """Say in one sentence why."""
    delta, margin = change(estimate.delta), size(evidence.margin)
    if estimate.identical:
        return "no query changed"
    if status == "regressed":
        return f"{delta} points: a drop is shown (p {_p(evidence.p_drop_adjusted)}), harmlessness is not"
    if status == "improved":
        return f"{delta} points: a gain is shown (p {_p(evidence.p_gain_adjusted)})"
    if status == "passed":
        also = "lower, but " if evidence.p_drop_adjusted <= alpha else ""
        return f"{delta} points: {also}a drop of {margin} is excluded (p {_p(evidence.p_noninferior)})"
    found = "nothing" if evidence.detectable is None else f"drops of {size(evidence.detectable)} points"
    where = "beyond" if estimate.beyond_margin else "within"
    return (
        f"{delta} points, {where} the margin of {margin}, but the {_units(estimate)} neither a drop nor its "
        f"absence: {'it detects' if estimate.n == 1 else 'they detect'} {found}"
    )


def _units(estimate: Estimate) -> str:
    """Say how many units show something, as the start of a sentence's end."""
    one, many = ("pair", "pairs") if estimate.pair.metric in CORRELATIONS else ("query", "queries")
    return f"only {one} shows" if estimate.n == 1 else f"{estimate.n:,} {many} show"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
