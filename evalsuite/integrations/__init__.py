"""Evalsuite inside other tools: pytest, the trainer, trackers.

What is named here is imported when it is first used: a pytest plugin is imported by every project's tests,
and `GridEvaluator` brings sentence-transformers along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.api.question import Question
    from evalsuite.integrations.evaluator import GridEvaluator
    from evalsuite.integrations.loggers import Logger, open_loggers
    from evalsuite.integrations.step_gate import StepGate
    from evalsuite.integrations.stop import StopOnRegression
    from evalsuite.integrations.watch import Watch

_HOMES = {
    "GridEvaluator": "evalsuite.integrations.evaluator",
    "Logger": "evalsuite.integrations.loggers",
    "Question": "evalsuite.api.question",
    "StepGate": "evalsuite.integrations.step_gate",
    "StopOnRegression": "evalsuite.integrations.stop",
    "Watch": "evalsuite.integrations.watch",
    "open_loggers": "evalsuite.integrations.loggers",
}

__all__ = ["GridEvaluator", "Logger", "Question", "StepGate", "StopOnRegression", "Watch", "open_loggers"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    import importlib

    if name not in _HOMES:
        message = f"module 'evalsuite.integrations' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
