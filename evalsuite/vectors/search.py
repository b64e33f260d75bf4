"""Exact search: the k best documents of each query, streamed over blocks of the corpus, ties settled.

The one tie rule is trec_eval's: score descending, then document id descending. Callers lay the corpus out in
descending id order, so here it reads: score descending, then row ascending. A code of 128 bits has 129
distinct scores, so the number of documents that tie with the last one kept is counted over the whole corpus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import EncodingError
from evalsuite.core.measure import UNRANKED

if TYPE_CHECKING:
    import torch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint64]
Scores: TypeAlias = "Floats | torch.Tensor"

SLICE_SCORES = 2**19
"""Scores looked through at once: few enough to stay in a core's cache between two passes."""

DENSE_SHARE = 8
"""When more than one score in this many reaches the k-th, all of a slice is merged instead of picked out."""

PILE = 2
"""The pile is merged when it holds this many times k documents of one query."""

ROW_WIDTH = np.uint64(32)
ROW_BITS = np.uint64(2**32 - 1)
NO_KEY = np.uint64(2**64 - 1)
"""Sorts behind every document."""


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

    Once k documents are kept, a document matters only if it reaches the running k-th score of its query. One
    comparison finds these few; they wait in a pile that is merged when it grows. Score and row are packed
    into one integer whose ascending order is the tie rule, so merging is sorting.

    Args:
        queries: Number of queries.
        k: Documents kept a query.
        watch: Pairs whose scores are to be reported, whether or not they are among the best.
    """

    def __init__(self, queries: int, k: int, watch: Pairs) -> None:
        self.k = k
        self._watch = watch
        self._watched = np.full(len(watch.query), np.nan, dtype=np.float32)
        self._kept: Keys = np.empty((queries, 0), dtype=np.uint64)
        self._boundary: Ints = np.zeros(queries, dtype=np.int64)
        self._threshold = np.full(queries, -np.inf, dtype=np.float32)
        self._pile: list[tuple[Ints, Keys]] = []
        self._piled: Ints = np.zeros(queries, dtype=np.int64)
        self._seen = 0

    def update(self, scores: Scores, start: int) -> None:
        """Take in the next block.

        Args:
            scores: float32 (queries, block), scores of the documents `start`, `start + 1`, ...; numpy, or
                torch on any device.
            start: Row of the block's first document, below 2**32 - 1; blocks come in ascending order.

        Raises:
            EncodingError: If a score that matters is not a number.
        """
        if not isinstance(scores, np.ndarray) and scores.device.type == "cpu":
            scores = scores.numpy()
        self._note_watched(scores, start)
        longest = max(1, SLICE_SCORES // max(1, len(self._kept)))
        first, width = 0, scores.shape[1]
        while first < width:
            # Slices that double what was seen raise the thresholds early, while merging is still cheap.
            stop = first + min(longest, max(self.k, self._seen))
            self._take(scores[:, first:stop], start + first)
            self._seen += min(stop, width) - first
            first = stop

    def ranking(self) -> Ranking:
        """Return the result over all blocks seen."""
        self._merge_pile()
        self._kept = np.sort(self._kept, axis=1)
        return Ranking(key_rows(self._kept), key_scores(self._kept), self._boundary, self._watched)

    def _take(self, scores: Scores, start: int) -> None:
        """Pile up what reaches the k-th score, or merge everything while that is too much to pick out."""
        if self._kept.shape[1] == self.k:
            query, column, found = _reaching(scores, self._threshold)
            if len(query) * DENSE_SHARE <= scores.shape[0] * scores.shape[1]:
                self._pile.append((query, pack_keys(found, column + start)))
                self._piled += np.bincount(query, minlength=len(self._kept))
                if self._piled.max(initial=0) >= PILE * self.k:
                    self._merge_pile()
                return
        rows = np.arange(start, start + scores.shape[1])
        self._merge(pack_keys(host(scores), rows[None, :]))

    def _merge_pile(self) -> None:
        """Lay the piled keys out a query a row, and merge them."""
        if not self._piled.any():
            return
        query = np.concatenate([query for query, _ in self._pile])
        keys = np.concatenate([keys for _, keys in self._pile])
        # Stable sorting of small integers is a linear radix sort.
        order = np.argsort(query.astype(np.min_scalar_type(len(self._kept))), kind="stable")
        query, first = query[order], np.cumsum(self._piled) - self._piled
        laid_out = np.full((len(self._kept), self._piled.max()), NO_KEY)
        laid_out[query, np.arange(len(query)) - first[query]] = keys[order]
        self._pile, self._piled = [], np.zeros_like(self._piled)
        self._merge(laid_out)

    def _merge(self, keys: Keys) -> None:
        """Keep the k best of what was kept and of uint64 (queries, n) `keys`, NO_KEY where there is none.

        Documents above the previous last score were all kept, so when the last score rises its ties are
        counted from what was kept and what is new; when it stays, the new ties add up.
        """
        merged = np.concatenate([self._kept, keys], axis=1)
        width = min(self.k, merged.shape[1])
        # The k-th best comes to stand last; the order of the others waits until `ranking`.
        merged = np.partition(merged, width - 1, axis=1)[:, :width].copy()
        last = merged[:, -1:] >> ROW_WIDTH
        before = (self._kept >> ROW_WIDTH == last).sum(axis=1)
        if self._kept.shape[1] == self.k:
            stays = (self._kept[:, -1:] >> ROW_WIDTH == last)[:, 0]
            before = np.where(stays, self._boundary, before)
        self._boundary = before + (keys >> ROW_WIDTH == last).sum(axis=1)
        self._kept, self._threshold = merged, key_scores(merged[:, -1])

    def _note_watched(self, scores: Scores, start: int) -> None:
        """Remember the scores of the watched pairs whose document lies in this block."""
        first, stop = np.searchsorted(self._watch.document, [start, start + scores.shape[1]])
        if first < stop:
            column = self._watch.document[first:stop] - start
            self._watched[first:stop] = host(scores[self._watch.query[first:stop], column])


def host(scores: Scores) -> Floats:
    """Bring scores to the host."""
    return scores if isinstance(scores, np.ndarray) else scores.cpu().numpy()


def _reaching(scores: Scores, threshold: Floats) -> tuple[Ints, Ints, Floats]:
    """Find the scores that are not below their query's threshold; "not below" finds NaN too.

    Returns:
        int64 query, int64 column and float32 score of each, in no promised order.
    """
    if not isinstance(scores, np.ndarray):
        return _reaching_on_device(scores, threshold)
    if scores.flags.f_contiguous:
        below = np.less(scores.T, threshold)
        column, query = np.divmod(np.flatnonzero(np.logical_not(below, out=below)), len(threshold))
    else:
        below = np.less(scores, threshold[:, None])
        query, column = np.divmod(np.flatnonzero(np.logical_not(below, out=below)), scores.shape[1])
    return query, column, scores[query, column]


def _reaching_on_device(scores: torch.Tensor, threshold: Floats) -> tuple[Ints, Ints, Floats]:
    """Do the work of `_reaching` where the scores are, and bring only what was found to the host."""
    import torch

    limit = torch.from_numpy(threshold).to(scores.device)
    query, column = (scores < limit[:, None]).logical_not_().nonzero(as_tuple=True)
    return query.cpu().numpy(), column.cpu().numpy(), scores[query, column].cpu().numpy()


def pack_keys(scores: Floats, rows: Ints) -> Keys:
    """Pack scores and rows (they broadcast) into integers whose ascending order is the tie rule.

    Adding zero turns -0.0, which equals 0.0 but has other bits, into 0.0.

    Raises:
        EncodingError: If a score is not a number.
    """
    if np.isnan(scores).any():
        message = "a score is not a number; check the vectors for NaN and infinite values"
        raise EncodingError(message)
    keys = _flip((scores + np.float32(0)).view(np.uint32)).astype(np.uint64)
    keys <<= ROW_WIDTH
    keys |= rows.astype(np.uint64)
    return keys


def key_rows(keys: Keys) -> Ints:
    """Unpack the rows of keys."""
    return (keys & ROW_BITS).astype(np.int64)


def key_scores(keys: Keys) -> Floats:
    """Unpack the scores of keys."""
    return _flip((keys >> ROW_WIDTH).astype(np.uint32)).view(np.float32)


def _flip(bits: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Map float32 bits to integers of descending order, and back.

    Bits of negative floats already ascend as the float descends; of the others all but the sign are inverted.
    """
    inverted = (bits >> np.uint32(31)) - np.uint32(1)
    return bits ^ (inverted & np.uint32(0x7FFFFFFF))
