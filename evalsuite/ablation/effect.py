"""Effects: what a loss does to every number, paired over seeds and queries, with intervals.

Seeds and queries are both samples: another seed or other queries would give another difference. They are
crossed (every query is asked of every seed's checkpoint), so the difference is `mu + seed + query + rest`,
and the variance of its mean is found from the mean squares of a two-way table, as for readers and cases in
medical imaging (Dorfman, Berbaum & Metz 1992; Hillis 2007, Statistics in Medicine 26:596).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from evalsuite.ablation.readings import Reading, Readings
from evalsuite.ablation.recipe import Recipe, spread_weight
from evalsuite.core.ablation import (
    ALL_TASKS,
    AblationReport,
    Comparison,
    Dose,
    Effect,
    Measured,
    TrainedArm,
)
from evalsuite.stats.multiplicity import holm

Doubles = npt.NDArray[np.float64]

CONFIDENCE = 0.95

MAIN_METRICS = "main metrics"

Pairs = dict[int, tuple[Reading, Reading]]
"""Seed to the treated and the control arm's number."""

METHOD = (
    "paired differences over seeds and queries; 95 % intervals and p-values from the two-way mean squares of "
    "jackknife pseudo-values with Satterthwaite's degrees of freedom; p-values corrected by Holm over all "
    "tasks, dimensions and levels of quality, of retention, and of each statistic of spread and approximate "
    "search, means over tasks apart; spread and search have one number a checkpoint and vary over seeds only"
)

FEW_SEEDS = 5
"""With fewer, the variance over seeds is known too badly for the stated error rates."""


@dataclass(frozen=True)
class Interval:
    """A mean difference and how sure it is.

    Attributes:
        mean: The difference.
        lower: Lower end of the 95 % interval; None if nothing tells chance apart.
        upper: Upper end.
        p: Two-sided p-value of 0.
    """

    mean: float
    lower: float | None
    upper: float | None
    p: float | None


def two_level(*tasks: Doubles) -> Interval:
    """Bound the mean of crossed differences; of several tasks, the mean of their means.

    `Var = var(seed means) / S + sum_t max(MS_query - MS_rest, 0) / (S Q_t) / T²`, with Satterthwaite's
    degrees of freedom. With one seed the interval covers queries only, with one query a task seeds only.

    Args:
        tasks: float64 (seeds, queries), one array a task, all of the same seeds.

    Returns:
        The mean with its interval and p-value.
    """
    seeds = len(tasks[0])
    by_seed = np.mean([each.mean(axis=1) for each in tasks], axis=0)
    parts = [(float(by_seed.var(ddof=1)) / seeds, seeds - 1)] if seeds > 1 else []
    parts += [(_of_queries(each) / len(tasks) ** 2, each.shape[1] - 1) for each in tasks if each.shape[1] > 1]
    mean = float(by_seed.mean())
    if not parts:
        return Interval(mean, None, None, None)
    variance, below = sum(part for part, _ in parts), sum(part**2 / free for part, free in parts)
    return _student(mean, variance, variance**2 / below if below > 0 else math.inf)


def _of_queries(differences: Doubles) -> float:
    """Estimate the variance of a mean over queries that drawing other queries causes."""
    seeds, queries = differences.shape
    by_query = differences.mean(axis=0)
    if seeds == 1:
        return float(by_query.var(ddof=1) / queries)
    rest = differences - differences.mean(axis=1)[:, None] - by_query[None, :] + differences.mean()
    of_query = seeds * float(by_query.var(ddof=1))
    of_rest = float(np.square(rest).sum()) / ((seeds - 1) * (queries - 1))
    return float(max(of_query - of_rest, 0.0) / (seeds * queries))


def ablation_report(recipe: Recipe, arms: Sequence[TrainedArm], readings: Readings) -> AblationReport:
    """Compare every arm with the control.

    Args:
        recipe: What was trained.
        arms: The trained checkpoints; the last part of a folder's path is its label in the readings.
        readings: Every number of every checkpoint.

    Returns:
        The report; a number that a checkpoint lacks is left out of that seed's pair.
    """
    control = recipe.control_arm
    comparisons = tuple(
        Comparison(treated=arm, control=control, effects=_corrected(_effects(arm, control, arms, readings)))
        for arm in recipe.arms
        if arm != control
    )
    doses = tuple(dose for what, numbers in readings.items() for dose in _doses(what, numbers, recipe, arms))
    return AblationReport(
        recipe=recipe.name,
        arms=tuple(arms),
        comparisons=comparisons,
        doses=doses,
        method=METHOD + _caution(len(recipe.seeds)),
    )


def _caution(seeds: int) -> str:
    """Warn of what few seeds can show; nothing to warn of otherwise."""
    if seeds >= FEW_SEEDS:
        return ""
    return (
        f"; with {seeds} of the {FEW_SEEDS} seeds that a claim takes, intervals may be too short and effects "
        "called significant may be chance"
    )


def label_of(arm: TrainedArm) -> str:
    """Return the label under which a trained arm appears in runs."""
    return arm.folder.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _student(mean: float, variance: float, freedom: float) -> Interval:
    """Bound a mean by Student's t."""
    error = math.sqrt(variance)
    if error == 0.0:
        # Equal differences: none anywhere is no effect. Others are counts, whose seeds agree by rounding.
        return Interval(mean, 0.0, 0.0, 1.0) if mean == 0.0 else Interval(mean, None, None, None)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    return Interval(mean, mean - half, mean + half, float(2 * stats.t.sf(abs(mean) / error, freedom)))


def _effects(treated: str, control: str, arms: Sequence[TrainedArm], readings: Readings) -> list[Effect]:
    """Compare two arms on every number that both have for at least one seed, and on means over tasks."""
    folders = {(each.arm, each.seed): label_of(each) for each in arms}
    seeds = [seed for arm, seed in folders if arm == treated and (control, seed) in folders]
    paired: dict[Measured, Pairs] = {}
    for what, numbers in readings.items():
        pairs = {
            seed: (numbers[folders[treated, seed]], numbers[folders[control, seed]])
            for seed in seeds
            if folders[treated, seed] in numbers and folders[control, seed] in numbers
        }
        finite = {seed: pair for seed, pair in pairs.items() if all(math.isfinite(e.value) for e in pair)}
        if finite:
            paired[what] = finite
    over_tasks = [_effect(what, tasks) for what, tasks in _means(paired).items()]
    return over_tasks + [_effect(what, [pairs]) for what, pairs in paired.items()]


def _means(paired: dict[Measured, Pairs]) -> dict[Measured, list[Pairs]]:
    """Gather what is measured alike on several tasks, with the same seeds on each."""
    groups: dict[Measured, list[Pairs]] = {}
    for what, pairs in paired.items():
        if what.quantity == "ann":
            continue  # Work grows with the corpus, so a mean over corpora says nothing.
        name = what.name if what.quantity == "spread" else MAIN_METRICS
        shared = what.model_copy(update={"task": ALL_TASKS, "name": name})
        groups.setdefault(shared, []).append(pairs)
    return {
        what: tasks for what, tasks in groups.items() if len(tasks) > 1 and len({*map(tuple, tasks)}) == 1
    }


def _effect(what: Measured, tasks: Sequence[Pairs]) -> Effect:
    """Compare the paired numbers of one kind, on one task or on several."""
    differences = [np.stack([one.pseudo - two.pseudo for one, two in each.values()]) for each in tasks]
    interval = two_level(*differences)
    treated = float(np.mean([[one.value for one, _ in each.values()] for each in tasks]))
    control = float(np.mean([[two.value for _, two in each.values()] for each in tasks]))
    # Pseudo-values of a correlation average to its jackknife estimate; the difference shown is the plain one.
    shift = (treated - control) - interval.mean
    lower, upper = (None if end is None else end + shift for end in (interval.lower, interval.upper))
    return Effect(
        **dict(what),
        control=control,
        treated=treated,
        difference=treated - control,
        lower=lower,
        upper=upper,
        p=interval.p,
        seeds=len(tasks[0]),
        n=sum(each.shape[1] for each in differences),
    )


def _corrected(effects: list[Effect]) -> tuple[Effect, ...]:
    """Correct p-values by Holm within each family: a quantity, or one statistic of the space."""
    adjusted: dict[int, float] = {}
    for name in dict.fromkeys(map(_family, effects)):
        family = [
            (place, each.p)
            for place, each in enumerate(effects)
            if _family(each) == name and each.p is not None
        ]
        corrected = holm([p for _, p in family]).tolist()
        adjusted |= {place: p for (place, _), p in zip(family, corrected, strict=True)}
    return tuple(
        each.model_copy(update={"adjusted_p": adjusted.get(place)}) for place, each in enumerate(effects)
    )


def _family(effect: Effect) -> tuple[str, str, bool]:
    """Name the family an effect is corrected in."""
    of_space = effect.quantity in ("spread", "ann")
    return effect.quantity, effect.name if of_space else "", effect.task == ALL_TASKS


def _doses(
    what: Measured, numbers: dict[str, Reading], recipe: Recipe, arms: Sequence[TrainedArm]
) -> list[Dose]:
    """Collect one number of every arm, in ascending order of the spread-out loss's weight."""
    found = []
    for arm, losses in sorted(recipe.arms.items(), key=lambda item: spread_weight(item[1])):
        values = [
            numbers[label_of(each)].value for each in arms if each.arm == arm and label_of(each) in numbers
        ]
        finite = tuple(value for value in values if math.isfinite(value))
        if finite:
            found.append(Dose(**dict(what), weight=spread_weight(losses), arm=arm, values=finite))
    return found
