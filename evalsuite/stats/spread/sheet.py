"""A sheet to fill in: every statistic of a side ends up measured or missing with its reason."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

from scipy.stats import norm

from evalsuite.core.spread import SpreadValue
from evalsuite.stats.intervals import CONFIDENCE

Z = float(norm.ppf((1 + CONFIDENCE) / 2))

FEWEST = 10
"""Texts below which no interval is given: estimated from so few, a standard error is far too small."""

Interval = tuple[float, float]


def around(value: float, sd: float) -> Interval:
    """Bound an asymptotically normal estimate."""
    return value - Z * sd, value + Z * sd


def around_log(value: float, log_sd: float) -> Interval:
    """Bound a positive estimate whose logarithm is asymptotically normal.

    Of vectors that hardly differ, rounding is most of the error: bounds beyond all numbers are infinite.
    """
    beyond = Z * log_sd > math.log(sys.float_info.max)
    factor = math.inf if beyond else math.exp(Z * log_sd)
    return value / factor, value * factor


class Sheet:
    """The statistics of one side at one dimension.

    Args:
        names: Every statistic that the sheet must account for.
        texts: Texts on the side, or on the smaller of two; with fewer than ten there is no interval.
    """

    def __init__(self, names: Sequence[str], texts: int) -> None:
        self._names = tuple(names)
        self._enough = texts >= FEWEST
        self._values: dict[str, SpreadValue] = {}
        self._missing: dict[str, str] = {}

    def put(
        self, name: str, value: float, ideal: float | None = None, interval: Interval | None = None
    ) -> None:
        """Write a statistic down; one that is not finite is missing, for these texts do not define it."""
        if name not in self._names:
            message = f"{name} is not a statistic of this sheet"
            raise KeyError(message)
        if not math.isfinite(value):
            self._missing[name] = (
                "not defined for these vectors: too few of them or of their dimensions, or no variance"
            )
            return
        bounded = self._enough and interval is not None and all(math.isfinite(end) for end in interval)
        lower, upper = interval if interval is not None and bounded else (None, None)
        self._values[name] = SpreadValue(
            value=value, ideal=_finite(ideal), lower=_finite(lower), upper=_finite(upper)
        )

    def put_mapped(self, name: str, source: str, transform: Callable[[float], float]) -> None:
        """Derive a statistic, its ideal and its interval from another by a monotone function."""
        known = self._values.get(source)
        if known is None:
            self.skip(self._missing[source], name)
            return
        ends = [known.lower, known.upper]
        mapped = sorted(transform(end) for end in ends if end is not None)
        ideal = None if known.ideal is None else transform(known.ideal)
        self.put(name, transform(known.value), ideal, (mapped[0], mapped[1]) if len(mapped) == 2 else None)

    def skip(self, reason: str, *names: str) -> None:
        """Say why statistics are missing."""
        self._missing.update(dict.fromkeys(names, reason))

    def result(self) -> tuple[dict[str, SpreadValue], dict[str, str]]:
        """Return what was measured and what is missing, both in the sheet's order.

        Raises:
            KeyError: If a statistic is in neither: nothing vanishes.
        """
        values = {name: self._values[name] for name in self._names if name in self._values}
        missing = {name: self._missing[name] for name in self._names if name not in values}
        return values, missing


def _finite(number: float | None) -> float | None:
    """Keep a finite number."""
    return float(number) if number is not None and math.isfinite(number) else None
