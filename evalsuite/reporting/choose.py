"""Which variant to ship: the Pareto front, and a rule that is said aloud."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalsuite.core.variant import Variant
from evalsuite.reporting.text import byte_count, clean, factor, percent, plural, short_percent, storage

MIN_RETENTION = 0.98
"""Share of full-width float32 quality that a recommended variant keeps, averaged over tasks."""

_SLACK = 1e-9
"""Rounding of a mean of fractions must not cost a variant its place."""


@dataclass(frozen=True)
class VariantSummary:
    """One variant of one checkpoint, over all tasks.

    Attributes:
        variant: Dimension and precision.
        bytes_per_vector: Stored bytes a document vector; None if the variant failed on every task.
        compression: Bytes of a full-width float32 vector divided by `bytes_per_vector`.
        retentions: Task to retention (fraction of full-width float32), None where there is none.
        mean_retention: Mean of the retentions over the tasks that have a full-width float32 score; None if
            the variant lacks one of them.
        pareto: Whether no other variant has fewer or equal bytes and a higher or equal mean retention.
        lower: Lower end of the 95 % interval of the mean retention; None if none is known.
        upper: Its upper end; likewise.
    """

    variant: Variant
    bytes_per_vector: float | None
    compression: float | None
    retentions: Mapping[str, float | None]
    mean_retention: float | None
    pareto: bool = False
    lower: float | None = None
    upper: float | None = None

    @property
    def worst(self) -> tuple[str, float] | None:
        """The task that keeps least, and how much it keeps."""
        known = [(kept, task) for task, kept in self.retentions.items() if kept is not None]
        return (min(known)[1], min(known)[0]) if known else None


@dataclass(frozen=True)
class Recommendation:
    """What to ship, and why.

    Attributes:
        checkpoint: Label of the checkpoint.
        chosen: The variant the rule picks, or None.
        headline: A few words: `Ship 192/int8`.
        sentence: What it keeps and what it costs.
        rule: The rule that picked it.
    """

    checkpoint: str
    chosen: VariantSummary | None
    headline: str
    sentence: str
    rule: str


def pareto_front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Find the points that no other point beats at no greater cost.

    A point is beaten if another has a cost as low and a quality as high. Of equal points the first stays.

    Args:
        points: (cost, quality) pairs of finite numbers; lower cost and higher quality are better.

    Returns:
        Indices into `points`, by rising cost and therefore rising quality.
    """
    order = sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1], index))
    front: list[int] = []
    best = -math.inf
    for index in order:
        if points[index][1] > best:
            best = points[index][1]
            front.append(index)
    return tuple(front)


def recommend(
    checkpoint: str,
    variants: Sequence[VariantSummary],
    *,
    full: Variant,
    min_retention: float = MIN_RETENTION,
) -> Recommendation:
    """Pick the smallest variant whose mean retention is high enough.

    Among variants of equal bytes the one that keeps more wins. Controls and other tools' scoring are no
    choices.

    Args:
        checkpoint: Label of the checkpoint.
        variants: All of its variants.
        full: The full-width float32 variant that retention is measured against.
        min_retention: Least mean retention, as a fraction.
    """
    rule = (
        "Rule: the fewest bytes per vector whose mean retention, averaged over tasks, is at least "
        f"{short_percent(min_retention)} of full-width float32 ({full})."
    )
    eligible = [
        (v.bytes_per_vector, -v.mean_retention, v)
        for v in variants
        if v.bytes_per_vector is not None
        and v.mean_retention is not None
        and not v.variant.for_comparison
        and v.mean_retention >= min_retention - _SLACK
    ]
    if not eligible:
        return Recommendation(
            checkpoint, None, "No recommendation", _why_none(variants, full, min_retention), rule
        )
    chosen = min(eligible, key=lambda entry: entry[:2])[2]
    if chosen.variant == full:
        tried = any(v.variant != full and not v.variant.for_comparison for v in variants)
        return Recommendation(checkpoint, chosen, f"Keep {full}", _why_full(chosen, smaller=tried), rule)
    return Recommendation(checkpoint, chosen, f"Ship {chosen.variant}", _why(chosen), rule)


def kept_text(summary: VariantSummary) -> str:
    """Write a mean retention with its interval, if that is known: `98.6 % [98.1, 99.0]`."""
    if summary.lower is None or summary.upper is None:
        return percent(summary.mean_retention)
    interval = f"[{100 * summary.lower:.1f}, {100 * summary.upper:.1f}]"
    return f"{percent(summary.mean_retention)} {interval}"


def _why_none(variants: Sequence[VariantSummary], full: Variant, min_retention: float) -> str:
    """Say what kept the rule from choosing."""
    known = [(v.mean_retention, v) for v in variants if v.mean_retention is not None]
    if not known and all(v.variant != full for v in variants):
        return (
            f"{full} was not evaluated, so nothing says what other variants keep; "
            f"add dimension {full.dim} and precision {full.precision} to the grid."
        )
    if not known:
        return (
            "No variant has a mean retention, because cells failed or no task has a full-width float32 score."
        )
    best, summary = max(known, key=lambda entry: entry[0])
    return (
        f"No variant reaches a mean retention of {short_percent(min_retention)}; "
        f"the closest is {summary.variant} with {percent(best)}."
    )


def _why_full(chosen: VariantSummary, *, smaller: bool) -> str:
    """Say why nothing smaller is shipped, and what full width costs."""
    why = "keeps enough quality" if smaller else "was evaluated"
    return f"No smaller variant {why}. It takes {_cost(chosen)}."


def _why(chosen: VariantSummary) -> str:
    """Say what the chosen variant keeps and what it costs."""
    count = sum(kept is not None for kept in chosen.retentions.values())
    worst = chosen.worst
    spread = f"; least on {clean(worst[0])}, {percent(worst[1])}" if worst is not None and count > 1 else ""
    full_size = (chosen.bytes_per_vector or math.nan) * (chosen.compression or math.nan)
    return (
        f"It keeps {kept_text(chosen)} of full quality (mean retention over "
        f"{plural(count, 'task')}{spread}) at {_cost(chosen)} instead of {byte_count(full_size)}: "
        f"{factor(chosen.compression)} smaller."
    )


def _cost(chosen: VariantSummary) -> str:
    """Say what a vector takes, and a million of them."""
    size = chosen.bytes_per_vector or math.nan
    return f"{byte_count(size)} bytes per vector ({storage(size * 1e6)} per million)"
