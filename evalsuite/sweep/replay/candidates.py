"""Rank a few given documents for each query, as reranking tasks do, under any scoring."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evalsuite.core.variant import ASYMMETRIC, PROTOCOLS, RESCORED, Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.sweep.spaces import Fitted, Space
from evalsuite.vectors.protocols import protocol
from evalsuite.vectors.protocols.base import ScoringProtocol
from evalsuite.vectors.quantizers.base import Codes
from evalsuite.vectors.rescore import CANDIDATES_PER_STEP, rerank
from evalsuite.vectors.search import Pairs, Ranking, TopK

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

NO_PAIRS = Pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


class CandidateSearch:
    """A corpus in the space of one variant, coded once.

    Args:
        variant: How vectors are stored and scored.
        fitted: Projections and quantizers.
        corpus: Full-width document vectors, in the order of the tie rule.
        queries: float32 (queries, width), all full-width queries.

    Attributes:
        documents: float32 (documents, dim), the corpus in the space of the variant.
        decoded: The same as it is stored, decoded; None under another tool's protocol.
    """

    def __init__(self, variant: Variant, fitted: Fitted, corpus: StoredVectors, queries: Floats) -> None:
        self._scoring = variant.scoring
        self._space = Space.of(variant)
        self._queries = fitted.cut(queries, self._space)
        self.documents = fitted.cut(corpus.all(), self._space)
        self.decoded: Floats | None = None
        self._protocol: ScoringProtocol | None = None
        if variant.scoring.mode in PROTOCOLS:
            self._protocol = protocol(variant.scoring.mode, variant.precision)
            self._protocol.fit(iter([self.documents]))
            self._prepared = self._protocol.queries(self._queries)
            return
        self._level = fitted.quantizer(self._space, variant.precision)
        self._codes = self._level.encode(self.documents)
        self.decoded = self._level.decode(self._codes)
        if variant.scoring.mode == RESCORED:
            copy = fitted.quantizer(self._space, variant.scoring.copy)
            self._copies = copy.decode(copy.encode(self.documents))

    def rank(self, query: int, rows: Ints) -> tuple[Ints, Floats]:
        """Rank documents for one query.

        Args:
            query: Number of the query.
            rows: int64 (n,), ascending rows of the documents.

        Returns:
            The rows, best first by the tie rule, and their scores.
        """
        best = TopK(1, len(rows), NO_PAIRS)
        best.update(self._scores(query, rows), 0)
        ranking = best.ranking()
        count = self._reordered(len(rows))
        if count:
            ranking = self._rescored(ranking, query, rows, count)
        return rows[ranking.rows[0]], ranking.scores[0]

    def _scores(self, query: int, rows: Ints) -> Floats:
        """Score the first stage: float32 (1, n)."""
        own = slice(query, query + 1)
        if self._protocol is not None:
            scores = self._protocol.scores(self._prepared[own], self.documents[rows])
            return np.asarray(scores.numpy(), dtype=np.float32)
        codes = _take(self._codes, rows)
        if self._scoring.mode == ASYMMETRIC:
            return self._level.asymmetric_scores(self._queries[own], codes)
        return self._level.scores(self._level.encode(self._queries[own]), codes)

    def _reordered(self, documents: int) -> int:
        """Count the documents that a second stage puts in a new order."""
        if self._protocol is not None:
            return min(self._protocol.rescore_candidates, documents)
        return min(self._scoring.multiplier * CANDIDATES_PER_STEP, documents)

    def _rescored(self, first: Ranking, query: int, rows: Ints, count: int) -> Ranking:
        """Reorder the best documents with stored copies, or with float32 as a protocol does."""
        copies = self.documents if self._protocol is not None else self._copies
        scores = copies[rows[first.rows[0, :count]]] @ self._queries[query]
        return rerank(first, scores[None, :], NO_PAIRS)


def _take(codes: Codes, rows: Ints) -> Codes:
    """Take the codes of some rows."""
    side = {name: values[rows] for name, values in codes.side.items()}
    return Codes(codes.values[rows], codes.dim, side)
