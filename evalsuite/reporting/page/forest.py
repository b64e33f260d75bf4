"""Differences with their intervals as one row of a forest plot each, small enough for a table's cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT = 150, 16
_PAD = 5


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        value: The difference; above 0 is better.
        lower: Lower end of its interval; None if unknown.
        upper: Upper end; likewise.
        margin: Largest drop that is accepted, a positive number; None where there is none.
    """

    value: float
    lower: float | None
    upper: float | None
    margin: float | None = None

    @property
    def ends(self) -> tuple[float, ...]:
        """Everything that must fit into the plot."""
        known = (self.value, self.lower, self.upper, None if self.margin is None else -self.margin)
        return tuple(end for end in known if end is not None)


def scale_of(differences: Iterable[Difference]) -> float:
    """Return the largest distance from 0, so that the rows of one table can share a scale."""
    return max((abs(end) for each in differences for end in each.ends), default=0.0) or 1.0


def draw(difference: Difference, scale: float) -> Markup:
    """Draw one row: zero as a line, the margin dashed, the interval as a bar, the value as a mark.

    Hidden from screen readers: the numbers stand in the same row.
    """

    def place(value: float) -> str:
        share = min(max(value / scale, -1.0), 1.0)
        return f"{_WIDTH / 2 + share * (_WIDTH / 2 - _PAD):.1f}"

    parts = [f'<path class="z" d="M{place(0.0)} 1V{_HEIGHT - 1}"/>']
    if difference.margin is not None:
        parts.append(f'<path class="n" d="M{place(-difference.margin)} 1V{_HEIGHT - 1}"/>')
    if difference.lower is not None and difference.upper is not None:
        parts.append(f'<path class="i" d="M{place(difference.lower)} 8H{place(difference.upper)}"/>')
    parts.append(f'<circle cx="{place(difference.value)}" cy="8" r="3.4"/>')
    return Markup(  # noqa: S704  numbers only
        f'<svg class="forest" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


def signed(value: float, digits: str = "2f") -> str:
    """Write a difference with its sign, by default two decimals; a true minus keeps columns straight."""
    return ("\N{MINUS SIGN}" if value < 0 else "+") + f"{abs(value):.{digits}}"
