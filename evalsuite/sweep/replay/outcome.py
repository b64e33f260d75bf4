"""From what mteb reports on one part to an outcome with intervals, and to rows of the official table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from evalsuite.core.measure import CUTOFFS, RANKED
from evalsuite.core.record import Failed, Fidelity, MetricValue, Outcome, Scored
from evalsuite.stats.intervals import pearson_interval, spearman_interval
from evalsuite.sweep.means import bootstrap_mean
from evalsuite.tasks.mteb import MtebTask

CANONICAL = (
    *(f"{name}_at_{k}" for name in RANKED for k in CUTOFFS),
    "p-MRR", "accuracy", "f1", "f1_weighted", "ap", "lrap", "hamming", "kendalltau", "r2", "mae", "rmse",
    "v_measure", "ami", "precision", "recall", "max_ap", "max_f1", "max_accuracy", "similarity_ap",
    "similarity_f1", "similarity_accuracy", "spearman", "pearson", "cosine_spearman", "cosine_pearson",
)  # fmt: skip
"""mteb's names of the metrics that go into the record; all others are in the official table."""

CLOSE = 1e-5
"""A metric is the mean of a column of values if they differ by no more than mteb's rounding."""


@dataclass(frozen=True)
class Cost:
    """What a variant stores and took.

    Attributes:
        bytes_per_vector: Stored bytes of one vector.
        index_bytes: Bytes stored once.
        seconds: Wall time of one part.
        fidelity: How true the vectors were.
        tie_share: Share of queries with ties across the cut-off.
    """

    bytes_per_vector: float
    index_bytes: float
    seconds: float
    fidelity: Fidelity
    tie_share: float | None


def outcome_of(
    task: MtebTask, scores: Mapping[str, Any], values: pd.DataFrame, cost: Cost, seed: int
) -> Outcome:
    """Record one part of a task at one variant.

    Args:
        task: The task.
        scores: mteb's scores of the part.
        values: The values behind them.
        cost: What the variant stores and took.
        seed: Seed of the bootstrap.
    """
    main = scores.get("main_score")
    if not isinstance(main, Real) or math.isnan(float(main)):
        reason = (
            f"{task.main_score} of {task.name} is not a number ({main}): what it compares is constant; "
            "look at the per-query values of another variant"
        )
        return Failed(reason=reason)
    numbers = {task.main_metric: float(main)}
    numbers |= {
        name.replace("_at_", "@"): float(scores[name])
        for name in CANONICAL
        if isinstance(scores.get(name), Real) and math.isfinite(float(scores[name]))
    }
    return Scored(
        n=len(values) or None,
        metrics=_metrics(numbers, values, seed),
        tie_share=cost.tie_share,
        bytes_per_vector=cost.bytes_per_vector,
        index_bytes=cost.index_bytes,
        seconds=cost.seconds,
        fidelity=cost.fidelity,
    )


def _metrics(numbers: Mapping[str, float], values: pd.DataFrame, seed: int) -> dict[str, MetricValue]:
    """Put intervals beside metrics: a bootstrap for means, Fisher's z for correlations over pairs."""
    means = [name for name in numbers if _is_mean(numbers[name], values, name)]
    lower = upper = np.empty(0)
    if means:
        lower, upper = bootstrap_mean([values[means].to_numpy(np.float64)], seed)
    metrics = {}
    for name, value in numbers.items():
        if name in means:
            place, exact = means.index(name), float(values[name].mean())
            metrics[name] = MetricValue(value=exact, lower=lower[place], upper=upper[place])
        elif "cosine" in values and name.endswith(("spearman", "pearson")):
            bound = spearman_interval if name.endswith("spearman") else pearson_interval
            ends = bound(value, len(values))
            metrics[name] = MetricValue(value=value, lower=ends[0], upper=ends[1])
        else:
            metrics[name] = MetricValue(value=value)
    return metrics


def _is_mean(value: float, values: pd.DataFrame, name: str) -> bool:
    """Tell whether a metric is the mean of the column of its name."""
    return name in values and abs(float(values[name].mean()) - value) <= CLOSE


def flatten(scores: Mapping[str, Any]) -> dict[str, float]:
    """List every number in mteb's scores; names of nested ones are paths."""
    return dict(_numbers("", {name: each for name, each in scores.items() if name not in _LABELS}))


_LABELS = ("hf_subset", "languages", "mteb_version", "previous_results_model_meta")
"""What is no score in mteb's entry of a subset."""


def _numbers(path: str, value: Any) -> Iterator[tuple[str, float]]:
    """Walk through dictionaries and lists."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _numbers(f"{path}/{name}" if path else str(name), each)
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _numbers(f"{path}/{place}", each)
    elif isinstance(value, Real):
        yield path, float(value)
