"""TaskScores: what scoring one checkpoint on one task gives, for every variant at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.core.record import Outcome
from evalsuite.core.variant import Variant

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TaskScores:
    """Outcomes and the per-query values behind them.

    Attributes:
        outcomes: One a variant, in the order asked.
        per_query: One row a (variant, query or pair): `variant`, `id`, then one column a metric.
    """

    outcomes: dict[Variant, Outcome]
    per_query: pd.DataFrame
