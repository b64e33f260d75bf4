"""Leave documents out of finished rankings, as some MTEB tasks ask for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evalsuite.core.measure import CUTOFFS
from evalsuite.vectors.search import Pairs, Ranking

NOBODY = -1
"""Row number at places of a ranking where no document stands."""

_EMPTY = np.float32(-1e9)
"""Score of the first such place; the next ones fall further, so that they tie with nothing."""

_GONE = np.float32(-1e12)
"""Score of watched documents that were left out: below every place."""


def leave_out(
    ranking: Ranking, pairs: Pairs, own: npt.NDArray[np.int64] | None, *, skip_first: bool
) -> Ranking:
    """Take documents out of each query's ranking and let the others move up.

    As in mteb, this happens to the first `max(CUTOFFS)` documents and nothing comes after them: a query that
    loses one ranks 999. Its documents outside count as not retrieved, ties with the last one included.

    Args:
        ranking: What was found.
        pairs: The pairs watched during the search.
        own: int64 (queries,), row of the document that has the query's id, `NOBODY` if there is none; None to
            leave these in (mteb's `ignore_identical_ids`).
        skip_first: Leave out the best of the remaining documents (mteb's `skip_first_result`).
    """
    depth = max(CUTOFFS)
    rows, scores = ranking.rows[:, :depth], ranking.scores[:, :depth]
    gone = np.zeros(rows.shape, dtype=bool)
    if own is not None:
        gone |= rows == own[:, None]
    if skip_first:
        gone[np.arange(len(gone)), gone.argmin(axis=1)] = True
    order = np.argsort(gone, axis=1, kind="stable")
    empty = np.take_along_axis(gone, order, axis=1)
    rows = np.where(empty, NOBODY, np.take_along_axis(rows, order, axis=1))
    places = np.cumsum(empty, axis=1, dtype=np.float32)
    scores = np.where(empty, _EMPTY * places, np.take_along_axis(scores, order, axis=1))
    touched = gone.any(axis=1)
    kept = np.any(rows[pairs.query] == pairs.document[:, None], axis=1)
    lost = np.take(touched, pairs.query) & ~kept
    watched = np.where(lost, _GONE, ranking.watched).astype(np.float32)
    return Ranking(rows, scores, np.where(touched, 1, _boundary(ranking, scores)), watched)


def _boundary(ranking: Ranking, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Count the documents that tie with the last one of a ranking that may have been cut."""
    if scores.shape == ranking.scores.shape:
        return ranking.boundary
    within = (ranking.scores == scores[:, -1:]).sum(axis=1)
    reaches_end = ranking.scores[:, -1] == scores[:, -1]
    return np.asarray(np.where(reaches_end, ranking.boundary, within), dtype=np.int64)
