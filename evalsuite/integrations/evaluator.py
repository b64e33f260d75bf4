"""GridEvaluator: every dimension and precision from one encode, while sentence-transformers trains.

::

    question = Question(tasks=["near-miss"], dims=[256, 128])
    evaluator = GridEvaluator(question, gate=StepGate("best", "gate.toml"), log=["wandb:my-model"])
    trainer = SentenceTransformerTrainer(
        model, args, evaluator=evaluator, callbacks=[StopOnRegression(evaluator)], ...
    )

For transformers' `EarlyStoppingCallback`, set `metric_for_best_model=f"eval_{evaluator.primary_metric}"`.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

# A subclass cannot be written without its base; this module is imported only by those who train.
from sentence_transformers.base.evaluation import BaseEvaluator

from evalsuite.api.question import Question
from evalsuite.core.errors import RunFileError
from evalsuite.core.run import RECORD_FILE, Run
from evalsuite.core.verdict import Verdict
from evalsuite.integrations.flat import EXIT_CODE, MEAN, flat_metrics, value_of
from evalsuite.integrations.loggers import METRICS_FILE, JsonLinesLogger, Logger, open_loggers
from evalsuite.integrations.step_gate import StepGate
from evalsuite.models.opening import open_checkpoint

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_STEP_FOLDER = re.compile(r"step-(\d+)")


class GridEvaluator(BaseEvaluator):  # type: ignore[misc]
    """A sentence-transformers evaluator that saves a run a step and returns flat metrics a variant.

    The weights in memory are the checkpoint: each step has its own content fingerprint. Its vectors are kept
    only while it is evaluated, because those weights do not come back.

    Attributes:
        primary_metric: Name of the metric that chooses the best checkpoint; higher is better.
        run: The run of the last step.
        verdict: What the gate said about it; None before there was anything to compare with.

    Args:
        question: Tasks, dimensions and precisions.
        name: Put before every metric, where a training has several evaluators.
        primary: Which of `flat_metrics` is the primary metric.
        metrics: Which metrics of each cell are returned: `main`, or globs such as `recall@*`.
        gate: Judges each step; its verdict lies beside the run and sets the metric `gate_exit_code`.
        log: Loggers, or words such as `tensorboard:DIR` and `wandb:PROJECT`, beside `metrics.jsonl`.

    Raises:
        UserError: If a task, a precision, a dimension or a logger cannot be used; before the training begins.
    """

    def __init__(
        self,
        question: Question | None = None,
        *,
        name: str = "",
        primary: str = MEAN,
        metrics: Sequence[str] = ("main",),
        gate: StepGate | None = None,
        log: Sequence[str | Logger] = (),
    ) -> None:
        super().__init__()
        self.question = question or Question()
        self.question.check()
        self.name = name
        self.primary_metric = f"{name}_{primary}" if name else primary
        self.run: Run | None = None
        self.verdict: Verdict | None = None
        self._primary = primary
        self._metrics = tuple(metrics)
        self._gate = gate
        self._loggers = open_loggers(log)
        self._resumed = False
        self._step = -1

    def __call__(
        self,
        model: SentenceTransformer,
        output_path: str | None = None,
        epoch: float = -1,
        steps: int = -1,
    ) -> dict[str, float]:
        """Evaluate the model as it is now.

        Args:
            model: The model in training; left in the mode (train or eval) it came in.
            output_path: Folder for `step-N` (or `final`, without a step) and `metrics.jsonl`; without one the
                run goes to `reports/runs`.
            epoch: Epochs trained, for the model card.
            steps: Steps trained; -1 if not in training.

        Returns:
            Metrics by name, see `flat_metrics`; NaN where a cell failed.

        Raises:
            UserError: If the model cannot be evaluated, or there is no such primary metric.
        """
        folder = None if output_path is None else Path(output_path)
        # What is evaluated after the training is logged behind its last step.
        self._step = steps if steps >= 0 else self._step + 1
        self._resume(folder, steps)
        self.run = self._evaluate(model, folder, steps)
        flat = flat_metrics(self.run, self._metrics)
        score = value_of(flat, self._primary)
        if self._gate is not None:
            self.verdict = self._gate.judge(self.run, score)
            if self.verdict is not None:
                flat[EXIT_CODE] = float(self.verdict.exit_code)
        if folder is not None:
            JsonLinesLogger(folder / METRICS_FILE).log(self._step, flat)
        self._loggers.log(self._step, flat)
        named: dict[str, float] = self.prefix_name_to_metrics(flat, self.name)
        self.store_metrics_in_model_card_data(model, named, epoch, steps)
        return named

    @property
    def description(self) -> str:
        """What the model card calls it."""
        return "Matryoshka grid"

    def get_config_dict(self) -> dict[str, Any]:
        """Return what the model card says about the question."""
        asked = self.question.as_json()
        return {key: asked[key] for key in ("tasks", "dims", "precisions")}

    def close(self) -> None:
        """Close the loggers; call it when the training is over."""
        self._loggers.close()

    def _evaluate(self, model: SentenceTransformer, folder: Path | None, steps: int) -> Run:
        """Evaluate the weights in memory under the name of the step."""
        name = f"step-{steps}" if steps >= 0 else "final"
        with _mode_kept(model), tempfile.TemporaryDirectory(prefix="evalsuite-") as store:
            asked = self.question
            checkpoint = open_checkpoint(model, batch_size=asked.batch_size, prompts=asked.prompts)
            return asked.ask(
                checkpoint.relabel(f"{checkpoint.label}/{name}"),
                None if folder is None else folder / name,
                cache_dir=store,
                command=f"GridEvaluator at {name}",
            )

    def _resume(self, folder: Path | None, steps: int) -> None:
        """Tell the gate, once, about the earlier steps of a training that goes on."""
        if self._gate is None or self._resumed or folder is None:
            return
        self._resumed = True
        for step, run in sorted(earlier_runs(folder, self.question).items()):
            if step < steps:
                self._gate.remember(run, value_of(flat_metrics(run, self._metrics), self._primary))


def earlier_runs(folder: Path, question: Question) -> dict[int, Run]:
    """Read the runs of earlier steps, by step; those of another question, or unreadable, are left out."""
    found: dict[int, Run] = {}
    for path in folder.glob(f"step-*/{RECORD_FILE}"):
        match = _STEP_FOLDER.fullmatch(path.parent.name)
        with contextlib.suppress(RunFileError):
            run = Run.load(path)
            if match is not None and _same_question(run, question):
                found[int(match[1])] = run
    return found


def _same_question(run: Run, question: Question) -> bool:
    """Tell whether a run answers this question."""
    asked = run.record.asked
    dims = None if question.dims is None else tuple(question.dims)
    same = asked.tasks == tuple(os.fspath(task) for task in question.tasks) and asked.dims == dims
    return same and asked.precisions == tuple(question.precisions)


@contextlib.contextmanager
def _mode_kept(model: SentenceTransformer) -> Iterator[None]:
    """Put a model back into training mode afterwards, if it was in it; encoding switches dropout off."""
    training = model.training
    try:
        yield
    finally:
        model.train(training)
