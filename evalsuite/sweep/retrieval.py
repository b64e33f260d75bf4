"""Score a retrieval task at every variant: prefix, quantize, search, rank, block by block."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalsuite.core.measure import CUTOFFS, Measure
from evalsuite.core.record import MetricValue, Outcome, Scored
from evalsuite.core.variant import Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.metrics.judgements import Hits, Judgements
from evalsuite.metrics.retrieval import score
from evalsuite.metrics.ties import expected
from evalsuite.stats.intervals import MeanBootstrap
from evalsuite.sweep.scored import TaskScores
from evalsuite.tasks.task import RetrievalTask
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import Codes, Quantizer, quantizer
from evalsuite.vectors.search import Pairs, Ranking, TopK

BLOCK_SCORES = 16 * 1024 * 1024
"""Largest number of scores held at once: bounds memory whatever the corpus."""

BLOCK_DOCUMENTS = 8192
TOP_DOCUMENTS = 10
"""Documents kept by name for each query, for reading which ones moved."""


@dataclass
class _Search:
    """One variant's quantizer, encoded queries and running best documents."""

    variant: Variant
    quantizer: Quantizer
    queries: Codes
    best: TopK
    seconds: float = 0.0
    ranking: Ranking | None = field(default=None)


def score_retrieval(
    task: RetrievalTask,
    corpus: StoredVectors,
    queries: StoredVectors,
    variants: Sequence[Variant],
    rng: np.random.Generator,
) -> TaskScores:
    """Score every variant from stored full-width vectors.

    Args:
        task: The task; its documents are in descending id order, the order of the tie rule.
        corpus: One vector a document.
        queries: One vector a query.
        variants: What to score.
        rng: Source of the bootstrap resamples, shared by all variants.

    Returns:
        Outcomes, and per query all metrics and the ids of the first documents.
    """
    judged = _Judged.of(task)
    searches = _search(corpus, queries.all(), variants, judged.pairs)
    bootstrap = MeanBootstrap(len(task.query_ids), rng)
    outcomes: dict[Variant, Outcome] = {}
    tables = []
    for search in searches:
        began = time.perf_counter()
        ranking = search.best.ranking()
        hits = judged.hits(ranking)
        values = score(hits, judged.judgements, CUTOFFS)
        metrics = _summaries(values, hits, judged.judgements, bootstrap)
        cutoff = Measure.parse(task.main_metric).cutoff or max(CUTOFFS)
        outcomes[search.variant] = Scored(
            n=len(task.query_ids),
            metrics=metrics,
            tie_share=float(ranking.tie_across(cutoff).mean()),
            bytes_per_vector=search.quantizer.bytes_per_vector(search.variant.dim),
            seconds=search.seconds + time.perf_counter() - began,
        )
        tables.append(_table(task, search.variant, values, ranking))
    return TaskScores(outcomes, pd.concat(tables, ignore_index=True))


def _search(
    corpus: StoredVectors, queries: npt.NDArray[np.float32], variants: Sequence[Variant], watch: Pairs
) -> list[_Search]:
    """Stream the corpus once: each block is cut and normalised once a dimension, then searched a variant."""
    depth = min(max(CUTOFFS), len(corpus))
    searches = []
    for variant in variants:
        level = quantizer(variant.precision)
        codes = level.encode(unit_prefix(queries, variant.dim))
        searches.append(_Search(variant, level, codes, TopK(len(queries), depth, watch)))
    size = max(1024, min(BLOCK_DOCUMENTS, BLOCK_SCORES // len(queries)))
    for start in range(0, len(corpus), size):
        block = corpus.block(start, start + size)
        for dim in dict.fromkeys(variant.dim for variant in variants):
            prefix = unit_prefix(block, dim)
            for search in searches:
                if search.variant.dim == dim:
                    began = time.perf_counter()
                    documents = search.quantizer.encode(prefix)
                    search.best.update(search.quantizer.scores(search.queries, documents), start)
                    search.seconds += time.perf_counter() - began
    return searches


@dataclass(frozen=True)
class _Judged:
    """A task's judgements as arrays.

    Attributes:
        judgements: Relevant documents per query.
        pairs: The relevant documents that are in the corpus, by row.
        grade: int64 (pairs,), their grades.
    """

    judgements: Judgements
    pairs: Pairs
    grade: npt.NDArray[np.int64]

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
        return cls(judgements, pairs, found[order, 2])

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
    top = [list(names[rows]) for rows in ranking.rows[:, :TOP_DOCUMENTS]]
    return pd.DataFrame({"variant": str(variant), "id": list(task.query_ids), **values, "top": top})
