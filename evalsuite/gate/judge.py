"""The judge: two runs and a policy in, a verdict out. Nothing is printed, nothing is written."""

from __future__ import annotations

from evalsuite.core.run import Run
from evalsuite.core.verdict import Finding, Verdict, by_harm
from evalsuite.gate.decide import METHOD, judged, unmatched, without_values
from evalsuite.gate.estimates import adjust, estimate_cells, estimate_means
from evalsuite.gate.match import Party, match
from evalsuite.gate.policy import Policy
from evalsuite.gate.rules import judge_rules
from evalsuite.gate.unused import unused

NO_REVISION = "no_revision_available"
"""What mteb writes for a model whose revision it does not know, such as any from a folder."""


def judge(
    baseline: Run,
    candidate: Run,
    policy: Policy | None = None,
    *,
    policy_name: str = "default",
    checkpoints: tuple[str | None, str | None] = (None, None),
) -> Verdict:
    """Judge a candidate against a baseline.

    Args:
        baseline: What is compared with.
        candidate: What is judged.
        policy: Margins and treatments; the default policy without one.
        policy_name: What the verdict calls the policy.
        checkpoints: Labels of the baseline's and the candidate's checkpoint; None where a run has only one.

    Raises:
        UsageError: If a run holds several checkpoints and none was named, or not the one named.
    """
    policy = policy or Policy()
    parties = (
        Party.of(baseline, checkpoints[0], "baseline"),
        Party.of(candidate, checkpoints[1], "candidate"),
    )
    pairs = match(*parties, policy)
    cells, without = estimate_cells([pair for pair in pairs if pair.status is None], parties, policy)
    estimates = cells + estimate_means(cells, policy)
    tests = max(len(estimates), 1)
    findings = [unmatched(pair, policy) for pair in pairs if pair.status is not None]
    findings += [without_values(each, policy) for each in without]
    findings += [
        judged(estimate, adjusted, policy, tests)
        for estimate, adjusted in zip(estimates, adjust(estimates), strict=True)
    ]
    return Verdict(
        baseline=parties[0].side,
        candidate=parties[1].side,
        policy=policy_name,
        alpha=policy.alpha,
        power=policy.power,
        method=METHOD.format(m=len(estimates), alpha=policy.alpha),
        findings=by_harm([*findings, *judge_rules(parties, policy), *_empty(parties)]),
        notes=(*_notes(parties), *unused(policy, pairs)),
    )


def _empty(parties: tuple[Party, Party]) -> list[Finding]:
    """Report sides without a cell: nothing was evaluated there, and nothing must not pass."""
    return [
        Finding(
            subject="run", task="", status="missing", effect="blocks",
            reason=f"the {what} holds no cell: nothing was evaluated; evaluate it again",
        )
        for what, party in zip(("baseline", "candidate"), parties, strict=True)
        if not party.cells
    ]  # fmt: skip


def _notes(parties: tuple[Party, Party]) -> list[str]:
    """Say what differs without forbidding a comparison."""
    before, after = (party.entry for party in parties)
    notes = []
    if before.fingerprint and before.fingerprint == after.fingerprint:
        notes += _same(before.fingerprint)
    if before.dtype != after.dtype:
        notes.append(f"the model ran in {before.dtype} for the baseline, in {after.dtype} for the candidate")
    if before.weights != after.weights:
        notes.append(f"weights are {before.weights} in the baseline, {after.weights} in the candidate")
    if before.max_seq_length != after.max_seq_length:
        notes.append(
            f"texts were cut at {before.max_seq_length} tokens for the baseline, "
            f"at {after.max_seq_length} for the candidate"
        )
    return notes


def _same(fingerprint: str) -> list[str]:
    """Say that both sides have this fingerprint, and what that proves: results of mteb know a name only."""
    if "@" not in fingerprint:
        return ["baseline and candidate are the same checkpoint, by content"]
    if fingerprint.endswith(f"@{NO_REVISION}"):
        return ["mteb's results name no revision: whether both sides are one checkpoint cannot be told"]
    return [f"baseline and candidate are {fingerprint}, by name and revision"]
