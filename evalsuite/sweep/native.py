"""The native road of MTEB tasks: every part is scored by evalsuite's own search or correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from evalsuite.core.record import MetricValue, Outcome, Scored
from evalsuite.core.variant import Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.means import Part, merge_outcomes, stack, tag
from evalsuite.sweep.retrieval import score_retrieval
from evalsuite.sweep.scored import MtebScores, ScoringContext, TaskScores
from evalsuite.sweep.sts import score_sts
from evalsuite.tasks.mteb import MtebTask
from evalsuite.tasks.task import RetrievalTask, StsTask


@dataclass(frozen=True)
class NativePart:
    """A part of an MTEB task with the vectors of both of its sides.

    Attributes:
        where: Split and subset.
        task: The part as a task of our own.
        first: Vectors of what is searched, or of the left sentences.
        second: Vectors of what asks, or of the right sentences.
    """

    where: Part
    task: RetrievalTask | StsTask
    first: StoredVectors
    second: StoredVectors

    @property
    def calibration(self) -> list[StoredVectors]:
        """What quantizers are fitted on: the documents, or both sides of pairs."""
        return [self.first] if isinstance(self.task, RetrievalTask) else [self.first, self.second]


def score_native(
    task: MtebTask, parts: Sequence[NativePart], variants: Sequence[Variant], context: ScoringContext
) -> MtebScores:
    """Score every part at every variant, and average over the parts.

    Args:
        task: The task; its main metric is in every outcome.
        parts: Its parts, vectors at hand.
        variants: What to score.
        context: Calibration, seed and progress; must ask for official metrics.
    """
    scores = {part.where: _score(part, variants, context) for part in parts}
    outcomes: dict[Variant, Outcome] = {}
    for variant in variants:
        cells = {
            where: _with_main(each.outcomes[variant], task, each.official.get(variant, {}))
            for where, each in scores.items()
        }
        values = {where: _rows(each.per_query, variant) for where, each in scores.items()}
        outcomes[variant] = merge_outcomes(cells, values, context.calibration.seed)
    official = [
        where.rows(variant, metrics | {"main_score": metrics[task.main_score]})
        for where, each in scores.items()
        for variant, metrics in ((variant, dict(found)) for variant, found in each.official.items())
    ]
    tables = [tag(each.per_query, where) for where, each in scores.items() if len(each.per_query)]
    entries = tuple(part.where.entry(_count(part.task)) for part in parts)
    return MtebScores(outcomes, stack(tables), stack(official), entries)


def own_calibration(parts: Sequence[NativePart], seed: int) -> Calibration:
    """Draw what quantizers are fitted on from all parts together, so that they are fitted once a task."""
    return Calibration.draw(StoredVectors.join([each for part in parts for each in part.calibration]), seed)


def _score(part: NativePart, variants: Sequence[Variant], context: ScoringContext) -> TaskScores:
    if isinstance(part.task, RetrievalTask):
        return score_retrieval(part.task, part.first, part.second, variants, context)
    return score_sts(part.task, part.first, part.second, variants, context)


def _with_main(outcome: Outcome, task: MtebTask, official: Mapping[str, float]) -> Outcome:
    """Make sure that a cell has the task's main metric, from the official ones if it is not among ours."""
    if not isinstance(outcome, Scored) or task.main_metric in outcome.metrics:
        return outcome
    value = MetricValue(value=official[task.main_score])
    return outcome.model_copy(update={"metrics": {task.main_metric: value, **outcome.metrics}})


def _rows(table: pd.DataFrame, variant: Variant) -> pd.DataFrame:
    """Take one variant's rows of a table of values."""
    return table[table["variant"] == str(variant)] if len(table) else table


def _count(task: RetrievalTask | StsTask) -> int:
    return len(task.query_ids) if isinstance(task, RetrievalTask) else len(task.pair_ids)
