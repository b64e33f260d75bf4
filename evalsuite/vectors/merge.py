"""Merging rankings of parts of a corpus: what a search of the whole would have found, ties included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evalsuite.vectors.search import Ranking, key_rows, key_scores, pack_keys

Ints = npt.NDArray[np.int64]


def merge_rankings(left: Ranking, right: Ranking, k: int) -> Ranking:
    """Merge the rankings of two disjoint parts of a corpus, for the same queries and watched pairs.

    Merging is associative and does not mind the order of its sides, so parts may be merged as a tree. Every
    document that the k best of the whole can hold is among the k best of its part, and the documents that tie
    with the last one kept are counted from each part's own count.

    Args:
        left: The k best documents of one part, or all where it has fewer; rows count over the whole corpus.
        right: Those of the other part.
        k: Documents kept a query.

    Returns:
        The k best documents of both, or all where there are fewer. A watched pair has the score that one of
        the sides saw, NaN where neither did.
    """
    sides = (left, right)
    keys = np.concatenate([pack_keys(side.scores, side.rows) for side in sides], axis=1)
    width = min(k, keys.shape[1])
    kept = np.sort(np.partition(keys, width - 1, axis=1)[:, :width], axis=1)
    scores = key_scores(kept)
    boundary = sum((_tied_with(scores[:, -1:], side) for side in sides), start=np.zeros(len(kept), np.int64))
    watched = np.where(np.isnan(left.watched), right.watched, left.watched)
    return Ranking(key_rows(kept), scores, boundary, watched)


def _tied_with(last: npt.NDArray[np.float32], side: Ranking) -> Ints:
    """Count a side's documents whose score equals `last`, float32 (queries, 1): those it did not keep too."""
    kept = (side.scores == last).sum(axis=1)
    return np.where(side.scores[:, -1] == last[:, 0], side.boundary, kept).astype(np.int64)
