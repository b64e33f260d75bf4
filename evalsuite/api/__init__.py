"""The verbs: what can be asked of evalsuite. The command line calls these and nothing else.

Each verb's module is imported when the verb is first used: a comparison of two runs needs no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.api.evaluation import evaluate
    from evalsuite.api.judging import accept_baseline, compare, list_baselines, write_verdict
    from evalsuite.api.laboratory import ablate, train_arms
    from evalsuite.api.runs import RUNS_FOLDER, load_run, report, write_mteb_results
    from evalsuite.api.tasks import load_tasks

_HOMES = {
    "RUNS_FOLDER": "runs",
    "ablate": "laboratory",
    "accept_baseline": "judging",
    "compare": "judging",
    "evaluate": "evaluation",
    "list_baselines": "judging",
    "load_run": "runs",
    "load_tasks": "tasks",
    "report": "runs",
    "train_arms": "laboratory",
    "write_mteb_results": "runs",
    "write_verdict": "judging",
}

__all__ = [
    "RUNS_FOLDER",
    "ablate",
    "accept_baseline",
    "compare",
    "evaluate",
    "list_baselines",
    "load_run",
    "load_tasks",
    "report",
    "train_arms",
    "write_mteb_results",
    "write_verdict",
]


def __getattr__(name: str) -> Any:
    """Import a verb when it is first used."""
    import importlib

    if name not in _HOMES:
        message = f"module 'evalsuite.api' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(f"evalsuite.api.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
