"""Topic: what a rule without a paired test judges, and how its findings are made."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.core.verdict import Finding, Status, Subject
from evalsuite.gate.decide import effect_of
from evalsuite.gate.policy import Policy, Severity


@dataclass(frozen=True)
class Topic:
    """One thing that a rule judges.

    Attributes:
        subject: Kind of rule.
        severity: Of the rule.
        policy: How each status is treated.
        task: Name of the task, or of the rule.
        variant: Canonical variant text, or a dimension.
        metric: What is measured.
        task_type: MTEB's name of the kind of task.
    """

    subject: Subject
    severity: Severity
    policy: Policy
    task: str = ""
    variant: str = ""
    metric: str = ""
    task_type: str = ""

    def finding(
        self,
        status: Status,
        reason: str,
        *,
        values: tuple[float | None, float | None] = (None, None),
        beyond_limit: bool = False,
    ) -> Finding:
        """Make a finding.

        Args:
            status: What was found.
            reason: Why, one sentence.
            values: The baseline's and the candidate's value.
            beyond_limit: Whether the measured value breaks the limit; decides about inconclusive findings.
        """
        return Finding(
            subject=self.subject,
            task=self.task,
            task_type=self.task_type,
            variant=self.variant,
            metric=self.metric,
            status=status,
            effect=effect_of(status, self.severity, self.policy, beyond_margin=beyond_limit),
            reason=reason,
            baseline=values[0],
            candidate=values[1],
        )
