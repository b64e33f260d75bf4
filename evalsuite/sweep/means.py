"""From the parts of a task to the task: means over parts, and their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from evalsuite.core.record import Failed, Fidelity, MetricValue, Outcome, PartEntry, Scored
from evalsuite.core.variant import Variant
from evalsuite.stats.intervals import CONFIDENCE, RESAMPLES

Doubles = npt.NDArray[np.float64]

OFFICIAL_COLUMNS = ("variant", "split", "subset", "languages", "metric", "value")


@dataclass(frozen=True)
class Part:
    """Where a part of a task lies in its data.

    Attributes:
        split: Part of the data, such as `test`.
        subset: Name of the configuration of the data set.
        languages: Languages and scripts of its texts.
    """

    split: str
    subset: str
    languages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.split}/{self.subset}"

    def entry(self, n: int | None) -> PartEntry:
        """Describe the part in a record."""
        return PartEntry(split=self.split, subset=self.subset, languages=self.languages, n=n)

    def rows(self, variant: Variant, metrics: Mapping[str, float]) -> pd.DataFrame:
        """Lay out official metrics of the part as rows of `OFFICIAL_COLUMNS`."""
        shared = [str(variant), self.split, self.subset, ",".join(self.languages)]
        table = pd.DataFrame([[*shared, *item] for item in metrics.items()], columns=list(OFFICIAL_COLUMNS))
        return table.astype({"value": "float64"})


def tag(table: pd.DataFrame, part: Part) -> pd.DataFrame:
    """Say in a table of values which part its rows belong to, and make its ids unique in the task."""
    ids = [f"{part}:{identity}" for identity in table["id"]]
    rest = table.drop(columns=["variant", "id"])
    return pd.concat([table[["variant"]].assign(part=str(part), id=ids), rest], axis=1)


def stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables below each other; no table gives an empty one."""
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def bootstrap_mean(parts: Sequence[Doubles], seed: int) -> tuple[Doubles, Doubles]:
    """Bound means over parts by a stratified percentile bootstrap: resample within each part.

    Args:
        parts: float64 (n_part, m) values, one column a metric; every part counts the same.
        seed: Seed; the same resamples are drawn for every variant, so that variants stay paired.

    Returns:
        float64 (m,) lower and (m,) upper ends (Efron & Tibshirani 1993, percentile method).
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((RESAMPLES, parts[0].shape[1]))
    for values in parts:
        n = len(values)
        drawn = rng.integers(0, n, size=(RESAMPLES, n)) + np.arange(RESAMPLES)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n)
        total += counts @ values / n
    tail = (1 - CONFIDENCE) / 2
    lower, upper = np.quantile(total / len(parts), [tail, 1 - tail], axis=0)
    return lower, upper


def bound_mean(values: Sequence[MetricValue]) -> tuple[float | None, float | None]:
    """Bound a mean of correlations from their own intervals: standard errors add in squares.

    Returns:
        The ends, within [-1, 1]; None if a part has no interval.
    """
    ends = [(each.lower, each.upper) for each in values]
    widths = [upper - lower for lower, upper in ends if lower is not None and upper is not None]
    if len(widths) < len(values):
        return None, None
    if len(values) == 1:
        return ends[0]
    quantile = float(norm.ppf((1 + CONFIDENCE) / 2))
    errors = np.asarray(widths) / (2 * quantile)
    half = quantile * math.sqrt(float(errors @ errors)) / len(values)
    mean = float(np.mean([each.value for each in values]))
    return max(-1.0, mean - half), min(1.0, mean + half)


def merge_outcomes(
    outcomes: Mapping[Part, Outcome], values: Mapping[Part, pd.DataFrame], seed: int
) -> Outcome:
    """Make one outcome of those of the parts; one part that failed fails the task.

    Args:
        outcomes: One a part.
        values: Per-query values of each part for the same variant.
        seed: Seed of the bootstrap.
    """
    reasons = [f"{part}: {each.reason}" for part, each in outcomes.items() if isinstance(each, Failed)]
    if reasons:
        return Failed(reason="\n".join(reasons))
    scored = [each for each in outcomes.values() if isinstance(each, Scored)]
    if len(scored) == 1:
        return scored[0]
    counts = [each.n or 0 for each in scored]
    return Scored(
        n=sum(counts),
        metrics=_merge_metrics(scored, list(values.values()), seed),
        tie_share=weighted([each.tie_share for each in scored], counts),
        bytes_per_vector=scored[0].bytes_per_vector,
        index_bytes=scored[0].index_bytes,
        seconds=sum(each.seconds for each in scored),
        fidelity=merge_fidelity([each.fidelity for each in scored], counts),
    )


def _merge_metrics(
    scored: Sequence[Scored], values: Sequence[pd.DataFrame], seed: int
) -> dict[str, MetricValue]:
    """Average every metric that all parts have."""
    names = [name for name in scored[0].metrics if all(name in each.metrics for each in scored)]
    resampled = [
        name
        for name in names
        if all(each.metrics[name].lower is not None for each in scored)
        and all(name in table.columns for table in values)
    ]
    ends: dict[str, tuple[float | None, float | None]] = {}
    if resampled:
        lower, upper = bootstrap_mean([table[resampled].to_numpy(np.float64) for table in values], seed)
        ends = {name: (float(lower[place]), float(upper[place])) for place, name in enumerate(resampled)}
    return {name: _merge_metric([each.metrics[name] for each in scored], ends.get(name)) for name in names}


def _merge_metric(
    values: Sequence[MetricValue], ends: tuple[float | None, float | None] | None
) -> MetricValue:
    """Average one metric over parts."""
    lower, upper = bound_mean(values) if ends is None else ends

    def mean(numbers: Sequence[float | None]) -> float | None:
        known = [number for number in numbers if number is not None]
        return float(np.mean(known)) if len(known) == len(numbers) else None

    return MetricValue(
        value=float(np.mean([each.value for each in values])),
        lower=lower,
        upper=upper,
        expected=mean([each.expected for each in values]),
        ties_won=mean([each.ties_won for each in values]),
        ties_lost=mean([each.ties_lost for each in values]),
    )


def merge_fidelity(parts: Sequence[Fidelity], counts: Sequence[int]) -> Fidelity:
    """Average each measure of fidelity, weighted; None where a part has none."""
    return Fidelity(
        **{name: weighted([getattr(each, name) for each in parts], counts) for name in Fidelity.model_fields}
    )


def weighted(values: Sequence[float | None], counts: Sequence[int]) -> float | None:
    """Average values by counts; None if there are none, one is unknown or nothing was counted."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values) or not sum(counts):
        return None
    return float(np.average(known, weights=list(counts)))
