"""Score a retrieval task at every variant: search once, then see where the relevant documents stand."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalsuite.core.measure import CUTOFFS, Measure
from evalsuite.core.progress import stage
from evalsuite.core.record import Failed, MetricValue, Outcome, Scored
from evalsuite.core.variant import Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.metrics.judgements import Hits, Judgements
from evalsuite.metrics.official import retrieval_scores
from evalsuite.metrics.retrieval import score
from evalsuite.metrics.ties import expected
from evalsuite.stats.intervals import MeanBootstrap
from evalsuite.sweep.left_out import NOBODY, leave_out
from evalsuite.sweep.scored import ScoringContext, TaskScores, bytes_per_vector, index_bytes
from evalsuite.sweep.search import CorpusSearch, Found
from evalsuite.sweep.spaces import Fitted
from evalsuite.tasks.task import RetrievalTask
from evalsuite.vectors.rescore import CANDIDATES_PER_STEP
from evalsuite.vectors.search import Pairs, Ranking

TOP_DOCUMENTS = 10
"""Documents kept by name for each query, for reading which ones moved."""


def score_retrieval(
    task: RetrievalTask,
    corpus: StoredVectors,
    queries: StoredVectors,
    variants: Sequence[Variant],
    context: ScoringContext,
) -> TaskScores:
    """Score every variant from stored full-width vectors.

    Args:
        task: The task; its documents are in descending id order, the order of the tie rule.
        corpus: One vector a document.
        queries: One vector a query.
        variants: What to score.
        context: Calibration, seed and progress.

    Returns:
        Outcomes, and per query all metrics and the ids of the first documents.
    """
    judged = _Judged.of(task)
    search = CorpusSearch(
        corpus=corpus,
        queries=queries.all(),
        fitted=context.fitted,
        depth=_depth(variants, len(corpus)),
        watch=judged.pairs,
        advance=lambda documents: context.progress.advance(documents, documents),
        seed=context.calibration.seed,
        engine=context.engine,
    )
    work = search.passes(variants) * len(corpus)
    with stage(context.progress, f"searching {task.name}", work):
        found, reasons = search.run(variants)
    outcomes: dict[Variant, Outcome] = {variant: Failed(reason=text) for variant, text in reasons.items()}
    scores = _score_found(task, judged, found, context)
    return dataclasses.replace(scores, outcomes=outcomes | scores.outcomes)


def _score_found(
    task: RetrievalTask, judged: _Judged, found: Mapping[Variant, Found], context: ScoringContext
) -> TaskScores:
    """Turn every variant's ranking into metrics and tables."""
    bootstrap = MeanBootstrap(len(task.query_ids), context.calibration.rng())
    outcomes: dict[Variant, Outcome] = {}
    tables = []
    official = {}
    for variant, each in found.items():
        result = judged.without(each)
        outcomes[variant], values = _outcome(task, judged, variant, result, bootstrap, context.fitted)
        tables.append(_table(task, variant, values, result.ranking))
        if context.official:
            official[variant] = retrieval_scores(values, _kept_scores(result.ranking))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return TaskScores(outcomes, table, official)


def _depth(variants: Sequence[Variant], documents: int) -> int:
    """Choose how many documents to keep a query: the largest cut-off, or all candidates of a rescore."""
    candidates = max((variant.scoring.multiplier for variant in variants), default=0) * CANDIDATES_PER_STEP
    return min(max(*CUTOFFS, candidates), documents)


def _outcome(
    task: RetrievalTask,
    judged: _Judged,
    variant: Variant,
    found: Found,
    bootstrap: MeanBootstrap,
    fitted: Fitted,
) -> tuple[Scored, dict[str, npt.NDArray[np.float64]]]:
    """Turn one variant's ranking into metrics, and return the per-query values too."""
    began = time.perf_counter()
    hits = judged.hits(found.ranking)
    values = score(hits, judged.judgements, CUTOFFS)
    cutoff = Measure.parse(task.main_metric).cutoff or max(CUTOFFS)
    tied = found.ranking.tie_across(min(cutoff, found.ranking.rows.shape[1]))
    outcome = Scored(
        n=len(task.query_ids),
        metrics=_summaries(values, hits, judged.judgements, bootstrap),
        tie_share=float(tied.mean()),
        bytes_per_vector=bytes_per_vector(variant, fitted),
        index_bytes=index_bytes(variant, fitted),
        seconds=found.seconds + time.perf_counter() - began,
        fidelity=found.fidelity,
    )
    return outcome, values


@dataclass(frozen=True)
class _Judged:
    """A task's judgements as arrays.

    Attributes:
        judgements: Relevant documents per query.
        pairs: The relevant documents that are in the corpus, by row.
        grade: int64 (pairs,), their grades.
        own: int64 (queries,), row of the document that has the query's id if the task ignores it; else None.
        skip_first: Whether the task leaves out the first document of every query.
    """

    judgements: Judgements
    pairs: Pairs
    grade: npt.NDArray[np.int64]
    own: npt.NDArray[np.int64] | None
    skip_first: bool

    @classmethod
    def of(cls, task: RetrievalTask) -> _Judged:
        """Number queries and documents by row and drop judgements of "not relevant"."""
        rows = {identity: row for row, identity in enumerate(task.document_ids)}
        triples = [
            (query, rows.get(document, -1), grade)
            for query, identity in enumerate(task.query_ids)
            for document, grade in task.qrels[identity].items()
            if grade > 0
        ]
        table = np.array(triples, dtype=np.int64).reshape(-1, 3)
        judgements = Judgements.from_grades(len(task.query_ids), table[:, 0], table[:, 2], max(CUTOFFS))
        found = table[table[:, 1] >= 0]
        pairs, order = Pairs.ordered(found[:, 0], found[:, 1])
        own = None
        if task.ignore_identical_ids:
            own = np.array([rows.get(identity, NOBODY) for identity in task.query_ids], dtype=np.int64)
        return cls(judgements, pairs, found[order, 2], own, task.skip_first_result)

    def without(self, found: Found) -> Found:
        """Leave out of a ranking what the task leaves out."""
        if self.own is None and not self.skip_first:
            return found
        ranking = leave_out(found.ranking, self.pairs, self.own, skip_first=self.skip_first)
        return dataclasses.replace(found, ranking=ranking)

    def hits(self, ranking: Ranking) -> Hits:
        """Place the relevant documents in a ranking."""
        positions = ranking.positions(self.pairs)
        return Hits(self.pairs.query, self.grade, positions.rank, positions.above, positions.tied)


def _summaries(
    values: dict[str, npt.NDArray[np.float64]], hits: Hits, judgements: Judgements, bootstrap: MeanBootstrap
) -> dict[str, MetricValue]:
    """Average per-query values, with intervals and the bracket that ties leave open."""
    lower, upper = bootstrap.intervals(np.column_stack(list(values.values())))
    won = score(hits, judgements, CUTOFFS, hits.best_case())
    lost = score(hits, judgements, CUTOFFS, hits.worst_case())
    between = expected(hits, judgements, CUTOFFS)
    return {
        name: MetricValue(
            value=float(values[name].mean()),
            lower=float(lower[column]),
            upper=float(upper[column]),
            expected=float(between[name].mean()),
            ties_won=float(won[name].mean()),
            ties_lost=float(lost[name].mean()),
        )
        for column, name in enumerate(values)
    }


def _table(
    task: RetrievalTask, variant: Variant, values: dict[str, npt.NDArray[np.float64]], ranking: Ranking
) -> pd.DataFrame:
    """Lay out one variant's per-query values, with the ids of each query's first documents."""
    names = np.asarray(task.document_ids, dtype=object)
    top = [list(names[rows[rows != NOBODY]]) for rows in ranking.rows[:, :TOP_DOCUMENTS]]
    return pd.DataFrame({"variant": str(variant), "id": list(task.query_ids), **values, "top": top})


def _kept_scores(ranking: Ranking) -> npt.NDArray[np.float32]:
    """Return what mteb would have in its results: scores of the first documents, NaN where none stands."""
    rows, scores = (side[:, : max(CUTOFFS)] for side in (ranking.rows, ranking.scores))
    return np.where(rows == NOBODY, np.float32(np.nan), scores)
