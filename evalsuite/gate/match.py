"""Matching: the baseline's cells united with the candidate's, and what forbids comparing them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from evalsuite.core.errors import UsageError, known_names
from evalsuite.core.measure import RANKED
from evalsuite.core.record import CellRecord, CheckpointEntry, Failed, Scored, TaskEntry
from evalsuite.core.run import Run
from evalsuite.core.variant import Variant
from evalsuite.core.verdict import Side, Status
from evalsuite.gate.policy import Policy, Selector

_UNCALIBRATED = ("float", "bfloat")


@dataclass(frozen=True)
class Party:
    """One checkpoint of a run: the baseline, or the candidate.

    Attributes:
        run: The run.
        entry: The checkpoint.
        tasks: Tasks by name.
        cells: The checkpoint's cells by (task, variant as `shipped` writes it).
    """

    run: Run
    entry: CheckpointEntry
    tasks: dict[str, TaskEntry]
    cells: dict[tuple[str, str], CellRecord]

    @classmethod
    def of(cls, run: Run, label: str | None, what: str = "") -> Party:
        """Choose the checkpoint of a run.

        Args:
            run: The run.
            label: Label of the checkpoint; may be None where there is only one.
            what: `baseline` or `candidate`, for error messages; empty where there is only one run.

        Raises:
            UsageError: If the run has no checkpoint, several and none was named, or not the one named.
        """
        entries = {entry.label: entry for entry in run.record.checkpoints}
        if label is None and len(entries) == 1:
            label = next(iter(entries))
        if label not in entries:
            asked = (
                f"no checkpoint {label!r}" if label is not None else "not one checkpoint but several or none"
            )
            option = f"--{what}-checkpoint" if what else "--checkpoint"
            message = f"{run.folder}: {asked}; choose one with {option}: {known_names(list(entries))}"
            raise UsageError(message)
        cells = {(c.task, shipped(c.variant)): c for c in run.record.cells if c.checkpoint == label}
        return cls(run, entries[label], {task.name: task for task in run.record.tasks}, cells)

    def select(self, rule: Selector) -> Iterator[tuple[str, Variant]]:
        """Yield the (task, variant) of the cells that a rule means."""
        for task, text in self.cells:
            variant = Variant.parse(text)
            if rule.matches(task, self.tasks[task].task_type, variant):
                yield task, variant

    def scored(self, task: str, variant: Variant | str) -> Scored | None:
        """Return a cell's outcome; None if there is no such cell, or it failed."""
        cell = self.cells.get((task, str(variant)))
        return cell.outcome if cell is not None and isinstance(cell.outcome, Scored) else None

    @property
    def side(self) -> Side:
        """What the verdict says about it."""
        return Side(
            label=self.entry.label,
            source=str(self.run.folder),
            fingerprint=self.entry.fingerprint,
            created=self.run.record.provenance.created,
        )


@dataclass(frozen=True)
class Pair:
    """One cell and metric of either side, or of both.

    Attributes:
        task: Name of the task.
        task_type: MTEB's name of the kind of task.
        variant: How the vectors are shipped.
        metric: Canonical metric text.
        status: `missing`, `new`, `failed` or `incomparable`; None where the two can be compared.
        reason: Why, one sentence; empty where they can be compared.
        baseline: The baseline's value, where there is one.
        candidate: The candidate's.
        both_failed: Whether neither side could be scored.
    """

    task: str
    task_type: str
    variant: Variant
    metric: str
    status: Status | None = None
    reason: str = ""
    baseline: float | None = None
    candidate: float | None = None
    both_failed: bool = False

    @property
    def key(self) -> tuple[str, str, Variant, str]:
        """What rules select cells by."""
        return self.task, self.task_type, self.variant, self.metric


def shipped(variant: str) -> str:
    """Leave the precision of the model's weights out of a variant's text: `q4_0@256/int8` is `256/int8`.

    It is a property of the checkpoint, and two checkpoints are compared.
    """
    return variant.rpartition("@")[2]


def match(baseline: Party, candidate: Party, policy: Policy) -> list[Pair]:
    """Join both sides by (task, variant, metric); nothing of either side is left out.

    Returns:
        Pairs in the baseline's order, then what only the candidate has.
    """
    keys = dict.fromkeys([*baseline.cells, *candidate.cells])
    obstacles = {task: _obstacle(task, baseline, candidate, policy) for task in {task for task, _ in keys}}
    return [
        pair
        for task, variant in keys
        for pair in _pairs(task, variant, (baseline, candidate), policy, obstacles[task])
    ]


def _pairs(
    task: str, variant: str, parties: tuple[Party, Party], policy: Policy, obstacle: str
) -> Iterator[Pair]:
    """Pair the metrics of one cell."""
    before, after = (party.cells.get((task, variant)) for party in parties)
    entry = parties[0].tasks.get(task) or parties[1].tasks[task]
    way = Variant.parse(variant)
    status, reason = _state(task, before, after, parties)
    if status is None and (obstacle or (reason := _calibration(way, parties))):
        status, reason = "incomparable", obstacle or reason
    values = _metric_values(before), _metric_values(after)
    for metric in _judged(values, entry.main_metric, policy):
        first, second = (side.get(metric) for side in values)
        own_status, own_reason = status, reason
        if status is None:
            own_status, own_reason = _values_state(metric, first, second)
        first, second = (None if value is None or math.isnan(value) else value for value in (first, second))
        yield Pair(
            task=task,
            task_type=entry.task_type,
            variant=way,
            metric=metric,
            status=own_status,
            reason=own_reason,
            baseline=first,
            candidate=second,
            both_failed=own_status == "failed" and before is not None and isinstance(before.outcome, Failed),
        )


def _values_state(metric: str, first: float | None, second: float | None) -> tuple[Status | None, str]:
    """Say what is wrong with a metric of a cell that both sides scored."""
    if first is None or second is None:
        which = "baseline" if first is None else "candidate"
        return "incomparable", f"the {which} holds no {metric}; evaluate it again with it"
    if math.isnan(second):
        return "failed", f"the candidate's {metric} is not a number"
    if math.isnan(first):
        return "new", f"the baseline failed here: its {metric} is not a number"
    return None, ""


def _judged(values: tuple[dict[str, float], dict[str, float]], main: str, policy: Policy) -> list[str]:
    """Name the metrics that the policy judges; the main one where a cell has none."""
    present = dict.fromkeys([*values[0], *values[1]])
    return [name for name in present if policy.judges(name, main)] or [main]


def _metric_values(cell: CellRecord | None) -> dict[str, float]:
    """Return a cell's values by metric; none if it failed or is not there."""
    if cell is None or not isinstance(cell.outcome, Scored):
        return {}
    return {name: metric.value for name, metric in cell.outcome.metrics.items()}


def _state(
    task: str, before: CellRecord | None, after: CellRecord | None, parties: tuple[Party, Party]
) -> tuple[Status | None, str]:
    """Say what is wrong with a cell by itself, before any comparison."""
    if after is None:
        return "missing", _absent(task, "candidate", parties[0], parties[1])
    if isinstance(after.outcome, Failed):
        also = "both sides failed: " if before is not None and isinstance(before.outcome, Failed) else ""
        return "failed", also + after.outcome.reason
    if before is None:
        return "new", _absent(task, "baseline", parties[1], parties[0])
    if isinstance(before.outcome, Failed):
        return "new", f"the baseline failed here: {before.outcome.reason}"
    return None, ""


def _absent(task: str, what: str, has: Party, lacks: Party) -> str:
    """Say that a side has no such cell, or no such task; name a task of the same data under another name."""
    if task in lacks.tasks:
        return f"the {what} was not evaluated at this variant"
    own = has.tasks[task].fingerprint
    twins = [name for name, entry in lacks.tasks.items() if own and entry.fingerprint == own]
    hint = f"; its {twins[0]!r} holds the same data: renamed?" if twins else ""
    return f"the {what} has no task {task!r}{hint}"


def _obstacle(task: str, baseline: Party, candidate: Party, policy: Policy) -> str:
    """Say what forbids comparing a task on both sides; empty if nothing does."""
    before, after = baseline.tasks.get(task), candidate.tasks.get(task)
    if before is None or after is None:
        return ""
    reasons = [*_questions(before, after), *_protocols(before, baseline, candidate)]
    if policy.prompts == "same":
        reasons += _prompts(baseline.entry.prompts, candidate.entry.prompts)
    return "; ".join(reasons)


def _questions(before: TaskEntry, after: TaskEntry) -> Iterator[str]:
    """Compare what was asked: data, kind, metric, parts."""
    for what, first, second in (
        ("kind of task", before.kind, after.kind),
        ("main metric", before.main_metric, after.main_metric),
        ("split", before.split, after.split),
        ("road", before.road, after.road),
        ("language filter", _words(before.languages), _words(after.languages)),
        ("subsets", _subsets(before), _subsets(after)),
    ):
        if first != second:
            yield f"another {what}: {first or 'none'} in the baseline, {second or 'none'} in the candidate"
    if before.fingerprint and after.fingerprint:
        if before.fingerprint != after.fingerprint:
            yield f"the task's data differ{_counts(before, after)}"
    elif before.fingerprint or after.fingerprint or before.source != after.source:
        yield "it cannot be told whether the task's data are the same: a side has no data fingerprint"


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _subsets(task: TaskEntry) -> str:
    return ", ".join(sorted(f"{part.split}/{part.subset}" for part in task.parts))


def _counts(before: TaskEntry, after: TaskEntry) -> str:
    """Say by how much two data sets differ in size."""
    names = dict.fromkeys([*before.counts, *after.counts])
    changes = [
        f"{before.counts.get(name, 0)} {name} in the baseline, {after.counts.get(name, 0)} in the candidate"
        for name in names
        if before.counts.get(name) != after.counts.get(name)
    ]
    return ": " + "; ".join(changes) if changes else " (texts or judgements changed, their number did not)"


def _protocols(task: TaskEntry, baseline: Party, candidate: Party) -> Iterator[str]:
    """Compare how ties are broken, where a metric depends on it."""
    first, second = (party.run.record.provenance.tie_rule for party in (baseline, candidate))
    if task.main_metric.partition("@")[0] in RANKED and first != second:
        yield f"another tie rule: {first!r} in the baseline, {second!r} in the candidate"


def _prompts(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """Name the prompts that differ."""
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    if names:
        name = names[0]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield (
            f"another prompt {name!r}{more}: {before.get(name)!r} in the baseline, {after.get(name)!r} in "
            'the candidate (prompts = "any" in a policy allows it)'
        )


def _calibration(variant: Variant, parties: tuple[Party, Party]) -> str:
    """Compare what quantizers were fitted on."""
    first, second = (party.run.record.provenance.calibration for party in parties)
    if first == second or variant.precision.startswith(_UNCALIBRATED):
        return ""
    return f"another calibration: {first!r} in the baseline, {second!r} in the candidate"
