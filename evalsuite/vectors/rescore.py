"""Rescoring: the best candidates by codes, put in a new order by better scores.

The first stage of a two-stage index (Yamada et al. 2021, arXiv 2106.00882): codes choose candidates, and a
stored copy of better precision orders them. Documents that were no candidates keep their order below.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evalsuite.vectors.search import Pairs, Ranking

CANDIDATES_PER_STEP = 10
"""`rescore4` reorders 4 x 10 candidates: the cut-off of the usual main metric, times the multiplier."""

NEVER_RETRIEVED = np.float32(-1e9)
"""Score of a document that is neither a candidate nor among the documents kept."""


def rerank(ranking: Ranking, scores: npt.NDArray[np.float32], pairs: Pairs) -> Ranking:
    """Reorder the first documents of each query.

    Args:
        ranking: The first stage.
        scores: float32 (queries, c), new scores of the first c documents of each query, in ranking order;
            better than -1.5, as inner products of unit vectors are.
        pairs: The pairs watched during the first stage.

    Returns:
        A ranking with the candidates first, ordered by new score, then by row. The other documents follow in
        first-stage order; their scores become -2, -3, ... with equal first-stage scores staying equal.
    """
    count = scores.shape[1]
    candidates = ranking.rows[:, :count]
    order = np.lexsort((candidates, -scores), axis=1)
    rows = np.concatenate([np.take_along_axis(candidates, order, axis=1), ranking.rows[:, count:]], axis=1)
    rest = _levels(ranking.scores[:, count:])
    merged = np.concatenate([np.take_along_axis(scores, order, axis=1), rest], axis=1)
    watched = _watched(ranking, scores, rest, pairs)
    return Ranking(rows, merged, _boundary(ranking, count, merged), watched)


def _levels(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Replace non-increasing scores by -2, -3, ...: one level a distinct value of the row."""
    falls = np.zeros(scores.shape, dtype=np.float32)
    falls[:, 1:] = scores[:, 1:] != scores[:, :-1]
    return np.float32(-2) - np.cumsum(falls, axis=1, dtype=np.float32)


def _watched(
    ranking: Ranking, scores: npt.NDArray[np.float32], rest: npt.NDArray[np.float32], pairs: Pairs
) -> npt.NDArray[np.float32]:
    """Give watched pairs their new scores: that of the candidate, that of their level, or never retrieved.

    A document outside the kept ones that ties with the last of them shares the last level.
    """
    renewed = np.concatenate([scores, rest], axis=1)
    found = ranking.rows[pairs.query] == pairs.document[:, None]
    place = found.argmax(axis=1)
    watched = np.where(found.any(axis=1), renewed[pairs.query, place], NEVER_RETRIEVED)
    if rest.shape[1]:
        beside = ~found.any(axis=1) & (ranking.watched == ranking.scores[pairs.query, -1])
        watched = np.where(beside, rest[pairs.query, -1], watched)
    return watched.astype(np.float32)


def _boundary(ranking: Ranking, count: int, merged: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Count the documents that tie with the last one kept, now that candidates have left its level."""
    last = merged[:, -1:]
    if count == merged.shape[1]:
        return np.asarray((merged == last).sum(axis=1), dtype=np.int64)
    left = (ranking.scores[:, :count] == ranking.scores[:, -1:]).sum(axis=1)
    return np.asarray(ranking.boundary - left, dtype=np.int64)
