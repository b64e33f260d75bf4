"""StopOnRegression: a callback that ends a training whose gate no longer passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# A subclass cannot be written without its base; this module is imported only by those who train.
from transformers import TrainerCallback

from evalsuite.core.verdict import PASSED_CODE

if TYPE_CHECKING:
    from evalsuite.integrations.evaluator import GridEvaluator


class StopOnRegression(TrainerCallback):  # type: ignore[misc]
    """Stops when the evaluator's verdict did not pass several times in a row.

    A step that could not be judged, such as one whose vectors are NaN, counts as one that did not pass.

    Args:
        evaluator: A `GridEvaluator` that has a gate.
        patience: After how many evaluations in a row to stop.

    Attributes:
        reason: The headline of the verdict that stopped the training; empty if it went on.
    """

    def __init__(self, evaluator: GridEvaluator, patience: int = 1) -> None:
        self._evaluator = evaluator
        self._patience = patience
        self._in_a_row = 0
        self.reason = ""

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the verdict of the evaluation that just ended."""
        del args, state, kwargs
        verdict = self._evaluator.verdict
        passed = verdict is None or verdict.exit_code == PASSED_CODE
        self._in_a_row = 0 if passed else self._in_a_row + 1
        if verdict is not None and self._in_a_row >= self._patience:
            control.should_training_stop = True
            self.reason = verdict.headline
