"""Exact search: the k best documents of each query, streamed over blocks of the corpus, ties settled.

The one tie rule is trec_eval's: score descending, then document id descending. Callers lay the corpus out in
descending id order, so here it reads: score descending, then row ascending. A code of 128 bits has 129
distinct scores, so the number of documents that tie with the last one kept is counted over the whole corpus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evalsuite.core.measure import UNRANKED

if TYPE_CHECKING:
    import torch

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Some (query, document) pairs, by row number.

    Attributes:
        query: int64 (p,).
        document: int64 (p,), non-decreasing.
    """

    query: Ints
    document: Ints

    @classmethod
    def ordered(cls, query: Ints, document: Ints) -> tuple[Pairs, Ints]:
        """Sort pairs by document row; also return the order that sorted them."""
        order = np.argsort(document, kind="stable")
        return cls(query[order], document[order]), order


@dataclass(frozen=True)
class Positions:
    """Where each pair's document stands among all documents of its query.

    Attributes:
        rank: int64 (p,), 1-based rank under the tie rule.
        above: int64 (p,), documents with a higher score.
        tied: int64 (p,), documents with an equal score, itself included.

    A document outside the k best that does not tie with the last of them has `rank` and `above` UNRANKED.
    """

    rank: Ints
    above: Ints
    tied: Ints


@dataclass(frozen=True)
class Ranking:
    """The k best documents of each query.

    Attributes:
        rows: int64 (queries, k), document rows, best first.
        scores: float32 (queries, k), non-increasing.
        boundary: int64 (queries,), documents of the whole corpus whose score equals the last one kept.
        watched: float32 (p,), scores of the watched pairs.
    """

    rows: Ints
    scores: npt.NDArray[np.float32]
    boundary: Ints
    watched: npt.NDArray[np.float32]

    def tie_across(self, cutoff: int) -> npt.NDArray[np.bool_]:
        """Tell which queries have equal scores on both sides of rank `cutoff`."""
        k = self.scores.shape[1]
        if cutoff < k:
            return np.asarray(self.scores[:, cutoff - 1] == self.scores[:, cutoff])
        last = self.scores[:, -1:]
        return np.asarray((self.scores == last).sum(axis=1) < self.boundary)

    def positions(self, pairs: Pairs) -> Positions:
        """Locate the watched pairs.

        Args:
            pairs: The pairs that were watched during the search.
        """
        scores, own = self.scores[pairs.query], self.watched[:, None]
        above = (scores > own).sum(axis=1)
        tied = (scores == own).sum(axis=1)
        last = self.watched == self.scores[pairs.query, -1]
        tied = np.where(last, self.boundary[pairs.query], tied)
        found = self.rows[pairs.query] == pairs.document[:, None]
        rank = np.where(found.any(axis=1), found.argmax(axis=1) + 1, UNRANKED)
        outside = self.watched < self.scores[pairs.query, -1]
        return Positions(rank, np.where(outside, UNRANKED, above), np.where(outside, 1, tied))


class TopK:
    """The running k best documents of each query, fed with blocks of scores in corpus order.

    Args:
        queries: Number of queries.
        k: Documents kept a query.
        watch: Pairs whose scores are to be reported, whether or not they are among the best.
    """

    def __init__(self, queries: int, k: int, watch: Pairs) -> None:
        import torch

        self.k = k
        self._watch = watch
        self._watched = np.full(len(watch.query), np.nan, dtype=np.float32)
        self._scores = torch.empty((queries, 0), dtype=torch.float32)
        self._rows = torch.empty((queries, 0), dtype=torch.int64)
        self._boundary = torch.zeros(queries, dtype=torch.int64)

    def update(self, scores: torch.Tensor, start: int) -> None:
        """Take in the next block.

        Args:
            scores: float32 (queries, block), scores of the documents `start`, `start + 1`, ...
            start: Row of the block's first document; blocks come in ascending order.
        """
        import torch

        self._note_watched(scores, start)
        best, columns, runner_up = _best(scores, self.k)
        merged_scores = torch.cat([self._scores, best], dim=1)
        merged_rows = torch.cat([self._rows, columns + start], dim=1)
        kept_scores, order, _ = _best(merged_scores, self.k)
        last = kept_scores[:, -1:]
        self._boundary = self._count_last(last, best, runner_up, scores)
        self._scores, self._rows = kept_scores, torch.gather(merged_rows, 1, order)

    def _count_last(
        self, last: torch.Tensor, best: torch.Tensor, runner_up: torch.Tensor | None, scores: torch.Tensor
    ) -> torch.Tensor:
        """Count the documents seen so far whose score equals the last one kept.

        Documents above the previous last score were all kept, so a rise of the last score can be counted from
        what was kept; the whole block is searched only for queries whose block ties beyond its own k best.
        """
        import torch

        before = (self._scores == last).sum(dim=1)
        if self._scores.shape[1] == self.k:
            before = torch.where(self._scores[:, -1] == last[:, 0], self._boundary, before)
        within = (best == last).sum(dim=1)
        if runner_up is not None:
            open_ended = (runner_up == last[:, 0]).nonzero()[:, 0]
            if len(open_ended):
                within[open_ended] = (scores[open_ended] == last[open_ended]).sum(dim=1)
        return before + within

    def _note_watched(self, scores: torch.Tensor, start: int) -> None:
        """Remember the scores of the watched pairs whose document lies in this block."""
        import torch

        first, stop = np.searchsorted(self._watch.document, [start, start + scores.shape[1]])
        if first < stop:
            query = torch.from_numpy(self._watch.query[first:stop])
            column = torch.from_numpy(self._watch.document[first:stop] - start)
            self._watched[first:stop] = scores[query, column].numpy()

    def ranking(self) -> Ranking:
        """Return the result over all blocks seen."""
        return Ranking(self._rows.numpy(), self._scores.numpy(), self._boundary.numpy(), self._watched)


def _best(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Take the k best columns of each row: score descending, then column ascending.

    Returns:
        float32 scores (n, k'), int64 columns (n, k') with k' = min(k, columns), and the float32 (n,) score
        that came next, or None when every column was taken.
    """
    import torch

    width = scores.shape[1]
    if width <= k:
        ordered, columns = torch.sort(scores, dim=1, descending=True, stable=True)
        return ordered, columns, None
    values, columns = torch.topk(scores, k + 1, dim=1)
    runner_up = values[:, k]
    columns = columns[:, :k]
    cut_tie = (values[:, k - 1] == runner_up).nonzero()[:, 0]
    if len(cut_tie):
        columns[cut_tie] = _lowest_columns(scores[cut_tie], runner_up[cut_tie], k)
    columns, _ = torch.sort(columns, dim=1)
    ordered, order = torch.sort(torch.gather(scores, 1, columns), dim=1, descending=True, stable=True)
    return ordered, torch.gather(columns, 1, order), runner_up


def _lowest_columns(scores: torch.Tensor, last: torch.Tensor, k: int) -> torch.Tensor:
    """Choose the k best columns when more than k reach the score `last`: among equals the lowest columns."""
    import torch

    width = scores.shape[1]
    better = scores > last[:, None]
    equal = scores == last[:, None]
    preference = torch.arange(width, 0, -1, dtype=torch.int32) * equal + (width + 1) * better
    return torch.topk(preference, k, dim=1).indices
