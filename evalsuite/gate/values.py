"""Per-query values of both sides, checked and laid out for the tests: same queries, same order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalsuite.core.errors import RunFileError
from evalsuite.core.measure import CORRELATIONS
from evalsuite.gate.match import Party, shipped
from evalsuite.stats.correlations import pearson_columns, spearman_columns
from evalsuite.stats.strata import Doubles, Strata

DECIMALS = 6
"""Decimals that values are compared at: those that a committed baseline keeps."""
AGREEMENT = 2e-4
"""How far a mean of kept values may be from the recorded one: other tools round to four or five decimals."""
CORRELATION_AGREEMENT = 5e-3
"""The same for correlations: at low precision many cosines differ in the last bits only, and become ties."""
RANKED_CORRELATION = CORRELATIONS[0]


class NoValuesError(Exception):
    """A cell has no usable per-query values; says why."""


@dataclass(frozen=True)
class Table:
    """The per-query values of one side on one task.

    Attributes:
        frames: A frame a variant, indexed by id.
        problem: Why there are none; empty if there are.
    """

    frames: dict[str, pd.DataFrame]
    problem: str = ""

    @classmethod
    def of(cls, party: Party, task: str) -> Table:
        """Read a side's table of a task; that it is missing is a finding, not an error."""
        try:
            table = party.run.per_query_table(party.entry.label, task)
        except RunFileError as error:
            return cls({}, str(error))
        if not {"variant", "id"} <= set(table.columns):
            return cls({}, "its table of per-query values has no ids")
        table = table.assign(id=table["id"].astype(str))
        groups = table.groupby("variant", sort=False)
        return cls({shipped(str(name)): rows.set_index("id") for name, rows in groups})

    def frame(self, variant: str) -> pd.DataFrame:
        """Return the rows of one variant.

        Raises:
            NoValuesError: If there are none, or ids repeat.
        """
        if self.problem:
            raise NoValuesError(self.problem)
        if variant not in self.frames:
            message = f"no per-query values at {variant}"
            raise NoValuesError(message)
        frame = self.frames[variant]
        if not frame.index.is_unique:
            message = f"ids of per-query values repeat at {variant}"
            raise NoValuesError(message)
        return frame


@dataclass(frozen=True)
class Aligned:
    """One cell's values on both sides.

    Attributes:
        ids: Queries or pairs, in the baseline's order.
        base: float64 (n,), the baseline's values: the metric of each query, or the cosine of each pair.
        cand: float64 (n,), the candidate's.
        gold: float64 (n,), scores by people; None unless the metric is a correlation.
        parts: The part each unit belongs to; empty for tasks of one part.
    """

    ids: tuple[str, ...]
    base: Doubles
    cand: Doubles
    gold: Doubles | None = None
    parts: tuple[str, ...] = field(default=())

    @property
    def strata(self) -> Strata:
        """Units by part."""
        return Strata.of(self.parts) if self.parts else Strata.whole(len(self.ids))

    @property
    def layout(self) -> tuple[object, ...]:
        """What cells must share to be tested together."""
        gold = None if self.gold is None else self.gold.tobytes()
        return self.ids, self.parts, gold


def align(base: pd.DataFrame, cand: pd.DataFrame, metric: str, recorded: tuple[float, float]) -> Aligned:
    """Lay out one cell and metric.

    Args:
        base: The baseline's rows of the variant.
        cand: The candidate's.
        metric: Canonical metric text.
        recorded: Both sides' values in their records; the kept values must give them.

    Raises:
        NoValuesError: If the metric is not made of kept values, or the two sides do not fit together.
    """
    if set(base.index) != set(cand.index):
        missing = sorted(set(base.index) ^ set(cand.index))
        message = f"the two sides hold different queries: {len(missing)} differ, such as {missing[0]!r}"
        raise NoValuesError(message)
    cand = cand.loc[base.index]
    correlation = metric in CORRELATIONS and {"cosine", "gold"} <= set(base.columns) & set(cand.columns)
    column = "cosine" if correlation else metric
    gold = _column(base, "gold", "baseline") if correlation else None
    if gold is not None and not np.allclose(gold, _column(cand, "gold", "candidate"), atol=1e-5):
        message = "the scores by people differ"
        raise NoValuesError(message)
    aligned = Aligned(
        ids=tuple(base.index),
        base=_column(base, column, "baseline"),
        cand=_column(cand, column, "candidate"),
        gold=gold,
        parts=tuple(base["part"].astype(str)) if "part" in base.columns else (),
    )
    _check(aligned, metric, recorded)
    return aligned


def unchanged(base: pd.DataFrame, cand: pd.DataFrame) -> bool:
    """Tell whether both sides kept the same values, whatever they are: then nothing made of them changed."""
    told = {"variant", "part", "gold", "label", "top"}
    names = [name for name in base.columns if name in cand.columns and name not in told]
    if not names or set(base.index) != set(cand.index):
        return False
    first, second = (side[names].to_numpy(dtype=np.float64) for side in (base, cand.loc[base.index]))
    return bool(np.array_equal(np.round(first, DECIMALS), np.round(second, DECIMALS), equal_nan=True))


def _column(frame: pd.DataFrame, name: str, which: str) -> Doubles:
    """Read a column of finite numbers, rounded."""
    if name not in frame.columns:
        message = f"the {which} keeps no {name} for each query"
        raise NoValuesError(message)
    values = frame[name].to_numpy(dtype=np.float64)
    if not len(values) or not np.isfinite(values).all():
        message = f"the {which}'s {name} is not a number for every query"
        raise NoValuesError(message)
    return np.round(values, DECIMALS)


def _check(aligned: Aligned, metric: str, recorded: tuple[float, float]) -> None:
    """Make sure that kept values are what the recorded number was made of."""
    for which, values, expected in zip(
        ("baseline", "candidate"), (aligned.base, aligned.cand), recorded, strict=True
    ):
        found = _value(values, aligned, metric)
        if not abs(found - expected) <= (AGREEMENT if aligned.gold is None else CORRELATION_AGREEMENT):
            message = f"the {which}'s kept values give {metric} {found:.4f}, its record says {expected:.4f}"
            raise NoValuesError(message)


def _value(values: Doubles, aligned: Aligned, metric: str) -> float:
    """Make the metric from kept values."""
    strata = aligned.strata
    if aligned.gold is None:
        return float(strata.mean(values))
    correlate = spearman_columns if metric == RANKED_CORRELATION else pearson_columns
    parts = [correlate(values[rows, None], aligned.gold[rows]) for rows in strata.members()]
    return float(np.mean(parts))


def stack(cells: Sequence[Aligned]) -> tuple[Doubles, Doubles]:
    """Put cells of one layout side by side: two float64 (n, m)."""
    return np.column_stack([cell.base for cell in cells]), np.column_stack([cell.cand for cell in cells])
