"""From pairs to numbers: read per-query values, and test cells that share their queries at once."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.core.verdict import QueryMove
from evalsuite.gate.match import Pair, Party
from evalsuite.gate.moved import most_moved
from evalsuite.gate.policy import MarginRule, Policy
from evalsuite.gate.values import DECIMALS, RANKED_CORRELATION, Aligned, NoValuesError, Table, align, stack
from evalsuite.gate.values import unchanged as values_unchanged
from evalsuite.stats.compare import Comparison, Sampling, compare_correlations, compare_means
from evalsuite.stats.macro import mean_of_tasks
from evalsuite.stats.multiplicity import benjamini_hochberg, holm
from evalsuite.stats.noninferiority import noninferiority_p
from evalsuite.stats.paired import Spread, percentile_interval, t_test
from evalsuite.stats.power import minimum_detectable_effect
from evalsuite.stats.ratio import Ratio, ratio_of_means

Resamples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Estimate:
    """What the data say about one cell, or one mean over tasks.

    Attributes:
        pair: The cell; of a mean, one whose `task` says what it is the mean of.
        subject: `cell` or `mean`.
        rule: The margin that applies.
        n: Queries or pairs.
        delta: Candidate minus baseline.
        bounds: Lower and upper end of the two-sided interval of level 1 - 2 alpha.
        interval: How it was made.
        error: Standard error of delta, and its degrees of freedom.
        p_drop: One-sided p-value of a drop.
        p_gain: One-sided p-value of a gain.
        p_noninferior: One-sided p-value of "no worse than the margin".
        p_two_sided: Two-sided p-value.
        p_flip: Two-sided p-value of the sign-flip test; None where there is none.
        retention: Candidate over baseline, with its interval; None where the baseline is not above 0.
        identical: Whether no query changed.
        wins: Queries on which the candidate is better; None where there is no value a query.
        losses: Queries on which it is worse.
        effect_size: Mean difference over the standard deviation of differences; None where there is none.
        moved: The queries that changed most.
        resampled: float32 (B,), delta in each resample.
    """

    pair: Pair
    subject: str
    rule: MarginRule
    n: int
    delta: float
    bounds: tuple[float, float]
    interval: str
    error: tuple[float, float]
    p_drop: float
    p_gain: float
    p_noninferior: float
    p_two_sided: float
    p_flip: float | None
    retention: Ratio | None
    identical: bool
    resampled: Resamples
    wins: int | None = None
    losses: int | None = None
    effect_size: float | None = None
    moved: tuple[QueryMove, ...] = ()

    @property
    def margin(self) -> float:
        """The margin as a difference."""
        return self.rule.size(self.pair.baseline or 0.0)

    @property
    def beyond_margin(self) -> bool:
        """Whether the measured drop is larger than the margin."""
        return self.delta < -self.margin

    def detectable(self, alpha: float, power: float) -> float | None:
        """Return the minimum detectable effect; None where nothing can be detected.

        A test of n units gives no p-value below 2^-n: where that exceeds the level, it finds no drop at all.
        """
        if 0.5 ** min(self.n, 1000) > alpha:
            return None
        spread = Spread(np.array([self.error[0]]), np.array([self.error[1]]))
        effect = float(minimum_detectable_effect(spread, alpha, power)[0])
        return effect if np.isfinite(effect) else None


@dataclass(frozen=True)
class Untested:
    """A cell that has no usable per-query values.

    Attributes:
        pair: The cell.
        reason: Why.
        unchanged: Whether what was kept is equal on both sides, and the metric too.
    """

    pair: Pair
    reason: str
    unchanged: bool


@dataclass(frozen=True)
class Adjusted:
    """One estimate's p-values, corrected for all that was tested.

    Attributes:
        drop: One-sided, Holm.
        gain: One-sided, Holm.
        exploratory: Two-sided, Benjamini and Hochberg.
    """

    drop: float
    gain: float
    exploratory: float


def adjust(estimates: Sequence[Estimate]) -> list[Adjusted]:
    """Correct p-values for the number of cells and means tested in this comparison."""
    drop = holm([each.p_drop for each in estimates])
    gain = holm([each.p_gain for each in estimates])
    explored = benjamini_hochberg([each.p_two_sided for each in estimates])
    return [Adjusted(*map(float, each)) for each in zip(drop, gain, explored, strict=True)]


def estimate_cells(
    pairs: Sequence[Pair], parties: tuple[Party, Party], policy: Policy
) -> tuple[list[Estimate], list[Untested]]:
    """Test every pair that can be compared.

    Args:
        pairs: Pairs without an obstacle.
        parties: Baseline and candidate.
        policy: Margins, level, seed.

    Returns:
        Estimates, and the pairs that have no usable per-query values.
    """
    estimates: list[Estimate] = []
    without: list[Untested] = []
    for task in dict.fromkeys(pair.task for pair in pairs):
        groups: dict[tuple[object, ...], list[_Cell]] = defaultdict(list)
        tables = Table.of(parties[0], task), Table.of(parties[1], task)
        for pair in (pair for pair in pairs if pair.task == task):
            try:
                cell = _Cell.of(pair, tables)
            except NoValuesError as reason:
                without.append(Untested(pair, str(reason), unchanged=_unchanged(pair, tables)))
            else:
                groups[cell.layout].append(cell)
        for cells in groups.values():
            estimates += _group(task, cells, policy)
    return estimates, without


def _unchanged(pair: Pair, tables: tuple[Table, Table]) -> bool:
    """Tell whether a metric that is no mean of kept values is the same, and made of the same values."""
    try:
        frames = [table.frame(str(pair.variant)) for table in tables]
    except NoValuesError:
        return False
    if pair.baseline is None or pair.candidate is None:
        return False
    return abs(pair.candidate - pair.baseline) <= 10**-DECIMALS and values_unchanged(*frames)


@dataclass(frozen=True)
class _Cell:
    """A pair with its values on both sides.

    Attributes:
        pair: The cell and metric.
        values: Its values.
        moved: The queries that changed most.
    """

    pair: Pair
    values: Aligned
    moved: tuple[QueryMove, ...]

    @classmethod
    def of(cls, pair: Pair, tables: tuple[Table, Table]) -> _Cell:
        """Lay out one pair's values.

        Raises:
            NoValuesError: If there are none to be used.
        """
        before, after = (table.frame(str(pair.variant)) for table in tables)
        values = align(before, after, pair.metric, (pair.baseline or 0.0, pair.candidate or 0.0))
        return cls(pair, values, most_moved(values, before, after))

    @property
    def layout(self) -> tuple[object, ...]:
        """What cells share that are tested together; correlations of two kinds are not."""
        return (*self.values.layout, self.pair.metric if self.values.gold is not None else "")


def _group(task: str, cells: Sequence[_Cell], policy: Policy) -> list[Estimate]:
    """Test cells that share their queries by the same resamples."""
    first = cells[0].values
    base, cand = stack([cell.values for cell in cells])
    sampling = Sampling((policy.seed, zlib.crc32(task.encode())), policy.resamples, 1 - 2 * policy.alpha)
    if first.gold is None:
        comparison: Comparison = compare_means(base, cand, first.strata, sampling)
    else:
        ranked = cells[0].pair.metric == RANKED_CORRELATION
        comparison = compare_correlations(base, cand, first.gold, first.strata, sampling, ranked=ranked)
    rules = [policy.margin_for(*cell.pair.key) for cell in cells]
    keep = np.array([rule.keep(value) for rule, value in zip(rules, comparison.base, strict=True)])
    tests, spread = comparison.tests(), comparison.spread()
    harmless = comparison.noninferiority(keep, np.array([rule.absolute or 0.0 for rule in rules]))
    resampled = comparison.resampled_delta
    return [
        Estimate(
            pair=cell.pair,
            subject="cell",
            rule=rules[k],
            n=comparison.n,
            delta=float(comparison.delta[k]),
            bounds=(float(comparison.lower[k]), float(comparison.upper[k])),
            interval=comparison.interval,
            error=(float(spread.error[k]), float(spread.freedom[k])),
            p_drop=float(tests.less[k]),
            p_gain=float(tests.greater[k]),
            p_noninferior=float(harmless[k]),
            p_two_sided=float(tests.two_sided[k]),
            p_flip=None if comparison.flips is None else float(comparison.flips.two_sided[k]),
            retention=_retention(comparison, k, policy),
            identical=bool(comparison.changed[k] == 0),
            resampled=resampled[:, k],
            **_shares(cell.values),
            moved=cell.moved,
        )
        for k, cell in enumerate(cells)
    ]


def _shares(values: Aligned) -> dict[str, Any]:
    """Count wins and losses; a pair of sentences has no value of its own."""
    if values.gold is not None:
        return {}
    difference = values.cand - values.base
    deviation = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    return {
        "wins": int((difference > 0).sum()),
        "losses": int((difference < 0).sum()),
        "effect_size": float(difference.mean()) / deviation if deviation > 0 else None,
    }


def _retention(comparison: Comparison, k: int, policy: Policy) -> Ratio | None:
    """Divide the candidate's value by the baseline's."""
    values = float(comparison.cand[k]), float(comparison.base[k])
    resampled = comparison.resampled_cand[:, k], comparison.resampled_base[:, k]
    return ratio_of_means(values, resampled, 1 - 2 * policy.alpha)


def estimate_means(cells: Sequence[Estimate], policy: Policy) -> list[Estimate]:
    """Average over tasks, for each type of task, variant and metric that two tasks or more share."""
    groups: dict[tuple[object, ...], list[Estimate]] = defaultdict(list)
    for cell in cells:
        groups[cell.pair.task_type, cell.pair.variant, cell.pair.metric].append(cell)
    return [_mean(members, policy) for members in groups.values() if len(members) > 1]


def _mean(cells: Sequence[Estimate], policy: Policy) -> Estimate:
    """Average one variant's tasks, queries resampled within their task."""
    macro = mean_of_tasks(
        [cell.delta for cell in cells], [cell.error for cell in cells], [cell.resampled for cell in cells]
    )
    estimate, rule = np.array([macro.estimate]), _macro_rule(cells, policy)
    count = sum(cell.n for cell in cells)
    floor = 0.5 ** min(count, 1000)
    tests = t_test(estimate, macro.spread)
    harmless = noninferiority_p(estimate, macro.spread, np.array([policy.macro_margin]))
    lower, upper = percentile_interval(macro.resampled[:, None], 1 - 2 * policy.alpha)
    first = cells[0].pair
    pair = Pair(
        task=f"mean of {len(cells)} {first.task_type} tasks",
        task_type=first.task_type,
        variant=first.variant,
        metric=first.metric,
        baseline=float(np.mean([cell.pair.baseline for cell in cells])),
        candidate=float(np.mean([cell.pair.candidate for cell in cells])),
    )
    return Estimate(
        pair=pair,
        subject="mean",
        rule=rule,
        n=count,
        delta=macro.estimate,
        bounds=(float(lower[0]), float(upper[0])),
        interval="stratified percentile bootstrap",
        error=(float(macro.spread.error[0]), float(macro.spread.freedom[0])),
        p_drop=max(float(tests.less[0]), floor),
        p_gain=max(float(tests.greater[0]), floor),
        p_noninferior=max(float(harmless[0]), floor),
        p_two_sided=max(float(tests.two_sided[0]), floor),
        p_flip=None,
        retention=None,
        identical=all(cell.identical for cell in cells),
        resampled=macro.resampled.astype(np.float32),
    )


def _macro_rule(cells: Sequence[Estimate], policy: Policy) -> MarginRule:
    """Return the margin of a mean; it only warns where every cell behind it only warns."""
    lenient = all(cell.rule.severity == "warn" for cell in cells)
    return MarginRule(absolute=policy.macro_margin, severity="warn" if lenient else "error")
