"""Rules and names of a policy that mean nothing here: most often one in them is misspelt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.gate.match import Pair
from evalsuite.gate.policy import ANY, Policy, Selector, matches

MAIN = "main"


def unused(policy: Policy, pairs: Sequence[Pair]) -> Iterator[str]:
    """Say which metrics, rules and listed names of a policy match nothing that is compared.

    Required cells and limits are not here: what they find missing is a finding, no note.

    Args:
        policy: The policy.
        pairs: Every cell and metric of both sides.
    """
    for glob in policy.metrics:
        if glob != MAIN and not any(matches((glob,), pair.metric) for pair in pairs):
            yield f"metrics of the policy: {glob!r} matches no metric of either side"
    deciding = {id(policy.margin_for(*pair.key)) for pair in pairs}
    for number, rule in enumerate(policy.margin, 1):
        name = f"[[margin]] number {number} of the policy"
        if not any(rule.matches(*pair.key) for pair in pairs):
            yield f"{name} matches no cell"
        elif id(rule) not in deciding:
            yield f"{name} decides nothing: rules before it match the same cells, and the first one decides"
        else:
            yield from _unmatched_names(name, rule, pairs)
    for table, rules in (("retention", policy.retention), ("bytes", policy.bytes)):
        for number, each in enumerate(rules, 1):
            if any(each.matches(*pair.key[:3]) for pair in pairs):
                yield from _unmatched_names(f"[[{table}]] number {number} of the policy", each, pairs)


def _unmatched_names(name: str, rule: Selector, pairs: Sequence[Pair]) -> Iterator[str]:
    """Name the globs of a list that match nothing while others of the list do."""
    found = {
        "task": {pair.task for pair in pairs},
        "type": {pair.task_type for pair in pairs},
        "dim": {str(pair.variant.space) for pair in pairs},
        "precision": {pair.variant.level for pair in pairs},
    }
    for field, values in found.items():
        for glob in getattr(rule, field):
            if (glob,) != ANY and not any(matches((glob,), value) for value in values):
                yield f"{name}: {field} {glob!r} matches no cell"
