"""Axes of the page's small charts: limits, ticks and places, linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_MOST_TICKS = 5
_MARGIN = 0.06
_LEAST = 1e-9
"""Least margin: nothing that a chart shows differs by less."""


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        title: What it shows.
        low: Lower limit.
        high: Upper limit, larger than `low`.
        ticks: Values with their labels.
        log: Whether it is logarithmic; both limits are positive then.
    """

    title: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies: 0 at the lower limit, 1 at the upper one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def shows(self, value: float) -> bool:
        """Tell whether a value can be drawn: finite, and positive on a logarithmic axis."""
        return math.isfinite(value) and (value > 0 or not self.log)


def linear(title: str, values: Iterable[float], *, include: Iterable[float] = ()) -> Axis:
    """Fit a linear axis around values.

    Args:
        title: What it shows.
        values: What must fit; what is not finite is ignored.
        include: Values that must be inside too, such as 0 or an ideal.
    """
    known = [value for value in (*values, *include) if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    margin = max(_MARGIN * (high - low) or 0.1 * abs(high) or 1.0, _LEAST)
    low, high = low - margin * (low not in include), high + margin
    step = _step(high - low)
    first = math.ceil(low / step - 1e-9)
    count = math.floor((high - first * step) / step + 1e-9)
    ticks = tuple((n * step, number(n * step, step)) for n in range(first, first + count + 1))
    return Axis(title, low, high, ticks)


def logarithmic(title: str, values: Iterable[float]) -> Axis:
    """Fit a logarithmic axis around positive values, with ticks at powers of ten, or closer ones."""
    known = [value for value in values if math.isfinite(value) and value > 0] or [1.0, 10.0]
    low, high = min(known) / 1.15, max(known) * 1.15
    decades = math.log10(high / low)
    steps = (1.0,) if decades > 3 else (1.0, 3.0) if decades > 1.2 else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    every = max(1, math.ceil(decades / 6))
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [base * 10.0**power for power in powers if power % every == 0 for base in steps]
    shown = [tick for tick in ticks if low <= tick <= high] or [known[0]]
    return Axis(title, low, high, tuple((tick, short(tick)) for tick in shown), log=True)


def dimensions(dims: Iterable[int]) -> Axis:
    """Fit a logarithmic axis with a tick at every dimension that has room for its label."""
    ordered = sorted(set(dims))
    low, high = ordered[0] / 1.12, ordered[-1] * 1.12
    shown: list[tuple[float, str]] = []
    for dim in reversed(ordered):
        room = math.log(shown[-1][0] / dim) / math.log(high / low) if shown else 1.0
        if room > 0.1:
            shown.append((float(dim), str(dim)))
    return Axis("Dimensions kept", low, high, tuple(reversed(shown)), log=True)


def number(value: float, step: float) -> str:
    """Write a tick with as many decimals as its step needs."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if f"{step:.3e}".startswith("2.5") else 0))
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}") if value else "0"


def short(value: float) -> str:
    """Write a positive number in few characters: `250`, `1.5k`, `0.003`, `1e-6`."""
    if value >= 1e9:
        return f"{value:.0e}".replace("e+0", "e")
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    if value >= 1e3:
        return f"{value / 1e3:g}k"
    return f"{value:g}" if value >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")


def _step(span: float) -> float:
    """Choose the distance of ticks, a nice number."""
    rough = span / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(nice * power for nice in _NICE if nice * power >= rough - 1e-12)
