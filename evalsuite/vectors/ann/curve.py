"""From a sweep of settings to two numbers: the area under the curve, and the work at a recall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evalsuite.core.ann import RECALL_TARGETS, AnnPoint

Doubles = npt.NDArray[np.float64]

SMALLEST_BUDGET = 0.01
"""The area starts at this share of the documents."""


def area_under_curve(points: Sequence[AnnPoint], documents: int) -> float:
    """Return the mean recall over budgets log-uniform from 1 % to 100 % of the documents.

    The range does not depend on the curve, so curves over equally many documents compare. A budget below the
    cheapest setting finds nothing; between settings recall is linear in log(work); above the dearest it
    stays. An index that never works less than exhaustive search has area 0, whatever it finds.

    Args:
        points: The sweep.
        documents: Documents in the index.
    """
    work, found = _ascending(points)
    low, high = np.log(documents * SMALLEST_BUDGET), np.log(documents)
    start = max(low, work[0])
    if start >= high:
        return 0.0
    budgets = np.unique([start, high, *work[(work > start) & (work < high)]])
    return float(np.trapezoid(np.interp(budgets, work, found), budgets) / (high - low))


def work_at(points: Sequence[AnnPoint]) -> dict[float, float | None]:
    """Return the least work that reaches each of `RECALL_TARGETS`; None where no setting does.

    Between the last setting below the recall and the first that reaches it log(work) is linear in recall.
    """
    work, found = _ascending(points)
    return {target: _first_crossing(work, found, target) for target in RECALL_TARGETS}


def _first_crossing(work: Doubles, found: Doubles, target: float) -> float | None:
    """Return the work at which recall first comes up to the target."""
    reached = np.flatnonzero(found >= target)
    if not len(reached):
        return None
    after = int(reached[0])
    if after == 0:
        return float(np.exp(work[0]))
    before = after - 1
    share = (target - found[before]) / (found[after] - found[before])
    return float(np.exp(work[before] + share * (work[after] - work[before])))


def _ascending(points: Sequence[AnnPoint]) -> tuple[Doubles, Doubles]:
    """Return float64 log(work) and recall, cheapest setting first."""
    ordered = sorted(points, key=lambda point: point.work)
    return np.log([point.work for point in ordered]), np.array([point.recall for point in ordered])
