"""Score an STS task at every variant: cosines of what is stored, correlated with the scores by people."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalsuite.core.record import Failed, MetricValue, Outcome, Scored
from evalsuite.core.variant import Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.metrics.sts import cosines, pearson, spearman
from evalsuite.stats.intervals import pearson_interval, spearman_interval
from evalsuite.sweep.scored import TaskScores
from evalsuite.tasks.task import StsTask
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import quantizer


def score_sts(
    task: StsTask, first: StoredVectors, second: StoredVectors, variants: Sequence[Variant]
) -> TaskScores:
    """Score every variant from stored full-width vectors.

    Args:
        task: The task.
        first: Vectors of the left sentences.
        second: Vectors of the right sentences.
        variants: What to score.

    Returns:
        Outcomes, and per pair the cosine and the score by people (`gold`).
    """
    left, right = first.all(), second.all()
    gold = np.asarray(task.scores, dtype=np.float64)
    outcomes: dict[Variant, Outcome] = {}
    tables = []
    for variant in variants:
        began = time.perf_counter()
        level = quantizer(variant.precision)
        decoded = [level.decode(level.encode(unit_prefix(side, variant.dim))) for side in (left, right)]
        similarity = cosines(*decoded)
        size = level.bytes_per_vector(variant.dim)
        outcomes[variant] = _outcome(similarity, gold, size, began)
        tables.append(
            pd.DataFrame(
                {"variant": str(variant), "id": list(task.pair_ids), "cosine": similarity, "gold": gold}
            )
        )
    return TaskScores(outcomes, pd.concat(tables, ignore_index=True))


def _outcome(
    similarity: npt.NDArray[np.float64], gold: npt.NDArray[np.float64], size: float, began: float
) -> Outcome:
    """Correlate, or say why that is impossible."""
    n = len(gold)
    try:
        rho, r = spearman(similarity, gold), pearson(similarity, gold)
    except ValueError as error:
        return Failed(reason=str(error))
    return Scored(
        n=n,
        metrics={
            "cosine_spearman": _bounded(rho, spearman_interval(rho, n)),
            "cosine_pearson": _bounded(r, pearson_interval(r, n)),
        },
        bytes_per_vector=size,
        seconds=time.perf_counter() - began,
    )


def _bounded(value: float, interval: tuple[float, float]) -> MetricValue:
    """Put a correlation beside its interval."""
    return MetricValue(value=value, lower=interval[0], upper=interval[1])
