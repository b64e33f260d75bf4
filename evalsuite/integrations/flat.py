"""Flat metrics: a run as one dictionary of numbers, as trainers and trackers want it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from evalsuite.core.errors import UsageError, known_names
from evalsuite.core.record import Failed
from evalsuite.core.run import Run
from evalsuite.core.spread import SpreadEntry
from evalsuite.gate.policy import matches

MEAN = "mean"
"""Key of the mean of the main metrics over all cells; `mean_256/int8` is one variant's over the tasks."""
FAILED = "failed_cells"
EXIT_CODE = "gate_exit_code"
"""Key that a verdict goes by among the metrics: 0 passed, 1 regressed, 3 could not judge."""
SPREAD = ("second_moment_x_dim", "mean_cosine")
"""Statistics of spread that are worth a line over the steps of a training."""


def flat_metrics(run: Run, metrics: Sequence[str] = ("main",)) -> dict[str, float]:
    """Write a run of one checkpoint as numbers under flat names.

    ::

        near-miss_256/int8_ndcg@10                           a metric of a cell
        mean_256/int8                                        a variant's main metrics, mean over the tasks
        mean                                                 main metrics, mean over all cells
        failed_cells                                         how many could not be scored
        near-miss_256/spread_document_second_moment_x_dim    spread, where the run measured it

    Args:
        run: The run.
        metrics: Which metrics: `main`, or globs such as `recall@*`.

    Returns:
        Scores as fractions. A cell that failed is NaN and so is every mean it belongs to: it neither becomes
        0 nor leaves a mean.
    """
    flat: dict[str, float] = {}
    by_variant: dict[str, list[float]] = defaultdict(list)
    for cell in run.record.cells:
        main, where = run.task(cell.task).main_metric, f"{cell.task}_{cell.variant}"
        if isinstance(cell.outcome, Failed):
            values = {main: math.nan}
        else:
            values = {name: metric.value for name, metric in cell.outcome.metrics.items()}
        by_variant[cell.variant].append(values.get(main, math.nan))
        chosen = (
            name for name in values if (name == main and "main" in metrics) or matches(tuple(metrics), name)
        )
        flat |= {f"{where}_{name}": values[name] for name in chosen}
    flat |= {f"{MEAN}_{variant}": _mean(values) for variant, values in by_variant.items()}
    flat[MEAN] = _mean([value for values in by_variant.values() for value in values])
    flat[FAILED] = float(len(run.failures))
    return flat | _spread(run)


def value_of(flat: Mapping[str, float], key: str) -> float:
    """Return one number by its name.

    Raises:
        UsageError: If there is no such name; says which there are.
    """
    if key not in flat:
        message = f"no metric {key!r} in this run; it has: {known_names(list(flat))}"
        raise UsageError(message)
    return flat[key]


def _mean(values: Sequence[float]) -> float:
    """Average; NaN if there is nothing to average."""
    return math.fsum(values) / len(values) if values else math.nan


def _spread(run: Run) -> dict[str, float]:
    """Return what the run measured of its spread."""
    # A record written before spread was measured has no such field.
    entries: Sequence[SpreadEntry] = getattr(run.record, "spread", ())
    return {
        f"{entry.task}_{entry.dim}/spread_{entry.side}_{name}": entry.values[name].value
        for entry in entries
        for name in SPREAD
        if name in entry.values
    }
