"""What the judges said, and where the ranking put it: the two inputs of every retrieval metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from evalsuite.core.measure import UNRANKED

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judgements:
    """Relevant documents per query, found in the corpus or not.

    Attributes:
        relevant: int64 (queries,), documents with a positive grade.
        ideal_gains: float64 (queries, d), the best `depth` grades, descending, padded with 0; d is `depth`,
            or the largest number of relevant documents of a query if that is less.
    """

    relevant: Ints
    ideal_gains: Doubles

    @classmethod
    def from_grades(cls, queries: int, query: Ints, grade: Ints, depth: int) -> Self:
        """Collect judged pairs.

        Args:
            queries: Number of queries.
            query: int64 (pairs,), query row of each judged document.
            grade: int64 (pairs,), its grade; 0 and below mean not relevant.
            depth: Largest cut-off that will be asked for.
        """
        query, grade = query[grade > 0], grade[grade > 0]
        relevant = np.bincount(query, minlength=queries).astype(np.int64)
        depth = min(depth, int(relevant.max(initial=0)))
        order = np.lexsort((-grade, query))
        query, grade = query[order], grade[order]
        place = np.arange(len(query)) - (np.cumsum(relevant) - relevant)[query]
        gains = np.zeros((queries, depth))
        within = place < depth
        gains[query[within], place[within]] = grade[within]
        return cls(relevant, gains)

    def __len__(self) -> int:
        return len(self.relevant)


@dataclass(frozen=True)
class Hits:
    """Relevant documents that are in the corpus, and where each stands in its query's ranking.

    Attributes:
        query: int64 (hits,), query row.
        grade: int64 (hits,), positive grade.
        rank: int64 (hits,), 1-based rank under the tie rule; larger than any cut-off if not retrieved.
        above: int64 (hits,), documents with a higher score; likewise.
        tied: int64 (hits,), documents with an equal score, itself included.
    """

    query: Ints
    grade: Ints
    rank: Ints
    above: Ints
    tied: Ints

    def best_case(self) -> Ints:
        """Ranks if among tied documents the relevant came first, highest grade leading."""
        order = np.lexsort((-self.grade, self.above, self.query))
        return self._scatter(order, self.above[order] + 1 + self._place(order))

    def worst_case(self) -> Ints:
        """Ranks if among tied documents the relevant came last, highest grade at the very end."""
        order = np.lexsort((self.grade, self.above, self.query))
        starts = self._starts(order)
        sizes = np.diff(np.append(np.flatnonzero(starts), len(order)))
        group_size = np.repeat(sizes, sizes)
        last = self.above[order] + self.tied[order] - group_size
        return self._scatter(order, last + 1 + self._place(order))

    def _starts(self, order: Ints) -> npt.NDArray[np.bool_]:
        """Mark the first hit of each tie group in a sorted order."""
        query, above = self.query[order], self.above[order]
        starts = np.ones(len(order), dtype=bool)
        starts[1:] = (query[1:] != query[:-1]) | (above[1:] != above[:-1])
        return starts

    def _place(self, order: Ints) -> Ints:
        """Number the hits of each tie group from 0 in a sorted order."""
        index = np.arange(len(order))
        starts = self._starts(order)
        return index - np.maximum.accumulate(np.where(starts, index, 0))

    def _scatter(self, order: Ints, ranks: Ints) -> Ints:
        """Bring ranks computed in a sorted order back to the hits' own order; the unretrieved stay so."""
        result = np.empty_like(self.rank)
        result[order] = ranks
        never = self.above == UNRANKED
        result[never] = UNRANKED
        return result
