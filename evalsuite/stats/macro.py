"""Macro averages: the mean of task means, and what is known about it.

Tasks are strata: queries are resampled within their task, and the tasks stay the ones they are. That answers
"how does it do on these tasks"; resampling tasks would answer "on tasks like these", another question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.stats.paired import Spread
from evalsuite.stats.strata import Doubles


@dataclass(frozen=True)
class Macro:
    """The mean of independent estimates.

    Attributes:
        estimate: Mean of the tasks' estimates.
        spread: Its standard error and Welch and Satterthwaite's degrees of freedom, (1,).
        resampled: float64 (B,), the mean in each stratified resample.
    """

    estimate: float
    spread: Spread
    resampled: Doubles


def mean_of_tasks(
    estimates: Sequence[float],
    spreads: Sequence[tuple[float, float]],
    resampled: Sequence[npt.NDArray[np.floating[Any]]],
) -> Macro:
    """Average tasks that were resampled independently of each other.

    Args:
        estimates: One a task.
        spreads: Standard error and degrees of freedom, one pair a task.
        resampled: (B,), one a task; equally many resamples each.
    """
    count = len(estimates)
    parts = np.array([(error / count) ** 2 for error, _ in spreads])
    freedoms = np.array([freedom for _, freedom in spreads])
    variance = float(parts.sum())
    below = float((parts**2 / freedoms).sum())
    freedom = variance**2 / below if below > 0 and np.isfinite(variance) else float(freedoms.sum())
    return Macro(
        estimate=float(np.mean(estimates)),
        spread=Spread(np.array([variance**0.5]), np.array([freedom])),
        resampled=np.asarray(np.mean(np.stack(resampled), axis=0), dtype=np.float64),
    )
