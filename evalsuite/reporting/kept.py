"""Intervals of retention: how sure it is that a variant keeps what it seems to keep.

Both scores of a ratio come from the same queries, so their luck is shared and most of it cancels. The
interval is the delta method's: each query's influence on the ratio, from its influence on both scores. Tasks
are strata.
For means the influence of a query is its value; for Spearman's correlation it is that of Croux and Dehon
(2010), "Influence functions of the Spearman and Kendall correlation measures", for Pearson's that of Devlin,
Gnanadesikan and Kettenring (1975). No resampling, so every variant of a page has its interval at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.core.measure import CORRELATIONS
from evalsuite.core.variant import Variant
from evalsuite.metrics.equal_values import equal_runs
from evalsuite.reporting.choose import VariantSummary, recommend
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.values import PanelValues, ValuesOf
from evalsuite.reporting.view import CheckpointView, ReportView

Floats = npt.NDArray[np.floating[Any]]

_NORMAL = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True)
class _Task:
    """What a task adds to the variance of each variant's mean retention."""

    variances: Mapping[Variant, float]


def with_intervals(view: ReportView, values_of: ValuesOf) -> ReportView:
    """Give every variant the 95 % interval of its mean retention where per-query values are kept.

    Args:
        view: The report.
        values_of: Finds the per-query values of a panel; None where there are none.

    Returns:
        The report, its recommendations worded anew.
    """
    checkpoints = tuple(_checkpoint(each, values_of, view.min_retention) for each in view.checkpoints)
    return replace(view, checkpoints=checkpoints)


def retention_variances(panel: Panel, values: PanelValues, full: Variant) -> dict[Variant, float]:
    """Estimate the variance of each variant's retention on one task.

    Args:
        panel: The task's cells.
        values: Its per-query values.
        full: The variant that retention is measured against.

    Returns:
        Variance of the ratio by variant; a variant without values is absent.
    """
    reference = panel.cells.get(full)
    base = values.of(str(full))
    if not isinstance(reference, ScoredCell) or reference.value <= 0 or base is None:
        return {}
    influence = _influence(panel.metric, values.gold)
    whole = influence(base)
    found = {full: 0.0}
    for cell in panel.scored:
        own = values.of(str(cell.variant))
        if cell.variant == full or own is None or cell.retention is None:
            continue
        pull = (influence(own) - cell.retention * whole) / reference.value
        found[cell.variant] = _variance(pull, values.parts)
    return found


def _checkpoint(view: CheckpointView, values_of: ValuesOf, min_retention: float) -> CheckpointView:
    """Give the variants of one checkpoint their intervals."""
    counted = [panel for panel in view.panels if panel.task not in view.unreferenced]
    tasks = []
    for panel in counted:
        values = values_of(panel.checkpoint, panel.task, panel.metric)
        if values is None:
            return view
        tasks.append(_Task(retention_variances(panel, values, view.full)))
    variants = tuple(
        # The full-width variant keeps everything by definition, which is no measurement.
        summary if summary.variant == view.full else _summary(summary, tasks)
        for summary in view.variants
    )
    advice = recommend(view.label, variants, full=view.full, min_retention=min_retention)
    return replace(view, variants=variants, recommendation=advice)


def _summary(summary: VariantSummary, tasks: Sequence[_Task]) -> VariantSummary:
    """Give one variant its interval, if every task has one."""
    kept, parts = summary.mean_retention, [task.variances.get(summary.variant) for task in tasks]
    known = [part for part in parts if part is not None]
    if kept is None or not known or len(known) < len(parts):
        return summary
    half = _NORMAL * math.sqrt(sum(known)) / len(known)
    return replace(summary, lower=kept - half, upper=kept + half) if math.isfinite(half) else summary


def _influence(metric: str, gold: Floats | None) -> Callable[[Floats], Floats]:
    """Return what tells each unit's influence on a score, (n,) of values (n,), up to a constant."""
    if metric not in CORRELATIONS or gold is None:
        return _itself
    if metric == CORRELATIONS[0]:
        return partial(_spearman, _Order.of(gold))
    return partial(_pearson, gold)


def _itself(values: Floats) -> Floats:
    """Return the values: a unit pulls a mean by its own value."""
    return values


def _variance(pull: Floats, parts: npt.NDArray[np.integer[Any]] | None) -> float:
    """Return the variance of a mean of influences; of several parts, of the mean of their means."""
    groups = [pull] if parts is None else [pull[parts == part] for part in np.unique(parts)]
    if any(len(group) < 2 for group in groups):
        return math.nan
    return sum(float(group.var(ddof=1)) / len(group) for group in groups) / len(groups) ** 2


def _pearson(gold: Floats, values: Floats) -> Floats:
    """Return the influence of each pair on Pearson's correlation."""
    x, y = _standard(values), _standard(gold)
    return np.asarray(x * y - float((x * y).mean()) * (x * x + y * y) / 2)


def _standard(values: Floats) -> Floats:
    """Centre and scale to unit variance."""
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-300))


@dataclass(frozen=True)
class _Order:
    """How values lie to one another.

    Attributes:
        ascending: Their positions in ascending order, (n,).
        below: How many are smaller than each, (n,).
        up_to: How many are not larger than each, (n,).
    """

    ascending: npt.NDArray[np.intp]
    below: npt.NDArray[np.intp]
    up_to: npt.NDArray[np.intp]

    @classmethod
    def of(cls, values: Floats) -> _Order:
        """Sort values (n,), ties together."""
        ascending = np.argsort(values, kind="stable")
        below, up_to = np.empty_like(ascending), np.empty_like(ascending)
        below[ascending], up_to[ascending] = equal_runs(values[ascending])
        return cls(ascending, below, up_to)

    @property
    def shares(self) -> Floats:
        """Share of values below each value, ties counted half: the mid-distribution function."""
        return np.asarray((self.below + self.up_to) / (2.0 * len(self.below)))

    def mean_above(self, weights: Floats) -> Floats:
        """Return for each value the mean over all of `weights` where values are larger, ties counted half."""
        sums = np.concatenate([[0.0], np.cumsum(weights[self.ascending])])
        return np.asarray((sums[-1] - (sums[self.below] + sums[self.up_to]) / 2) / len(weights))


def _spearman(gold: _Order, values: Floats) -> Floats:
    """Return the influence of each pair on Spearman's correlation, up to a constant.

    12 (F(x) G(y) + E[G(Y) 1(X >= x)] + E[F(X) 1(Y >= y)]) of Croux and Dehon, with mid-distribution functions
    and divided by the share that ties leave, as in Pearson's correlation of mid-ranks.
    """
    own = _Order.of(values)
    f, g = own.shares, gold.shares
    spread = math.sqrt(max(float(f.var()) * float(g.var()), 1e-300))
    return np.asarray((f * g + own.mean_above(g) + gold.mean_above(f)) / spread)
