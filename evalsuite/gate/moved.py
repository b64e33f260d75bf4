"""The queries that moved most: where a difference comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from evalsuite.core.verdict import QueryMove
from evalsuite.gate.values import Aligned
from evalsuite.stats.compare import ROUNDING
from evalsuite.stats.strata import Doubles

SHOWN = 5
TOP_SHOWN = 5


def most_moved(values: Aligned, before: pd.DataFrame, after: pd.DataFrame) -> tuple[QueryMove, ...]:
    """Choose the five queries or pairs that changed most.

    Args:
        values: One cell's values on both sides.
        before: The baseline's rows of the cell, indexed by id; may have a column `top` of document ids.
        after: The candidate's.

    Returns:
        Those of the largest change in either direction, the most harmful first; fewer if fewer changed.
    """
    change = changes(values)
    largest = np.argsort(-np.abs(change), kind="stable")[:SHOWN]
    chosen = sorted((row for row in largest if abs(change[row]) > ROUNDING), key=lambda row: change[row])
    return tuple(
        QueryMove(
            id=values.ids[row],
            before=float(values.base[row]),
            after=float(values.cand[row]),
            change=float(change[row]),
            top_before=_top_documents(before, values.ids[row]),
            top_after=_top_documents(after, values.ids[row]),
        )
        for row in chosen
    )


def changes(values: Aligned) -> Doubles:
    """Return float64 (n,): how much better each query or pair became.

    A pair has no score of its own. It counts how much nearer its rank by cosine came to its rank by people.
    """
    if values.gold is None:
        return values.cand - values.base
    wanted = rankdata(values.gold)
    before, after = (np.abs(rankdata(side) - wanted) for side in (values.base, values.cand))
    return np.asarray((before - after) / len(wanted))


def _top_documents(frame: pd.DataFrame, key: str) -> tuple[str, ...]:
    """Return the first documents of a query; none for tasks without rankings."""
    if "top" not in frame.columns:
        return ()
    return tuple(str(document) for document in frame["top"].loc[key][:TOP_SHOWN])
