"""The answer: what to ship, what stands beside it, and the numbers with which the page can choose anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.reporting.choose import VariantSummary, kept_text
from evalsuite.reporting.text import MISSING, byte_count, clean, percent, plural, storage
from evalsuite.reporting.view import CheckpointView

_BESIDE = 2
"""So many smaller and so many larger variants of the Pareto front stand beside the chosen one."""


@dataclass(frozen=True)
class Candidate:
    """A row of the short list.

    Attributes:
        name: The variant.
        role: Why it is in the list.
        bytes: Bytes a vector.
        share: Of the bytes of full-width float32.
        million: Bytes of a million vectors.
        kept: Mean retention.
        interval: Its 95 % interval, or a dash.
        worst: The task that keeps least.
        chosen: Whether it is the recommended one.
    """

    name: str
    role: str
    bytes: str
    share: str
    million: str
    kept: str
    interval: str
    worst: str
    chosen: bool


@dataclass(frozen=True)
class Answer:
    """What the first screen says of one checkpoint.

    Attributes:
        headline: A few words: `Ship 192/int8`.
        keeps: What it keeps and costs; empty if nothing is recommended.
        why: The rest, in a sentence.
        rule: The rule that chose it.
        candidates: The short list, by rising bytes.
    """

    headline: str
    keeps: str
    why: str
    rule: str
    candidates: tuple[Candidate, ...]


def answer(checkpoint: CheckpointView) -> Answer:
    """Word the recommendation of one checkpoint for the first screen."""
    advice = checkpoint.recommendation
    chosen = advice.chosen
    rows = shortlist(checkpoint)
    if chosen is None or chosen.variant == checkpoint.full:
        return Answer(advice.headline, "", advice.sentence, advice.rule, rows)
    size = chosen.bytes_per_vector or math.nan
    count = sum(kept is not None for kept in chosen.retentions.values())
    full = size * (chosen.compression or math.nan)
    worst = f"least on {clean(chosen.worst[0])}, {percent(chosen.worst[1])}" if chosen.worst else ""
    over = f"Mean over {plural(count, 'task')}; {worst}. " if count > 1 and worst else ""
    why = (
        f"{over}{byte_count(size)} bytes per vector instead of {byte_count(full)}: "
        f"{storage(size * 1e6)} per million vectors instead of {storage(full * 1e6)}."
    )
    keeps = f"{kept_text(chosen)} of full quality at {share(chosen.compression)} of the bytes"
    return Answer(advice.headline, keeps, why, advice.rule, rows)


def shortlist(checkpoint: CheckpointView) -> tuple[Candidate, ...]:
    """List the recommended variant, its neighbours on the Pareto front, and full-width float32."""
    front = [summary for summary in checkpoint.variants if summary.pareto]
    full = [summary for summary in checkpoint.variants if summary.variant == checkpoint.full]
    chosen = checkpoint.recommendation.chosen
    if chosen is None:
        near = front[-2 * _BESIDE :]
    else:
        place = sum((each.bytes_per_vector or 0) < (chosen.bytes_per_vector or 0) for each in front)
        near = front[max(0, place - _BESIDE) : place + _BESIDE + 1]
    wanted = {row.variant: row for row in [*near, *([chosen] if chosen else []), *full]}
    rows = sorted(
        wanted.values(), key=lambda row: (row.bytes_per_vector or math.inf, row.mean_retention or 0)
    )
    return tuple(_candidate(row, checkpoint, chosen) for row in rows)


def share(compression: float | None) -> str:
    """Write a compression as a share of the bytes: 12 is `1/12`, 1 is `all`."""
    if compression is None:
        return MISSING
    if compression <= 1:
        return "all" if compression == 1 else percent(1 / compression)
    return "1/" + f"{compression:.1f}".removesuffix(".0")


def choices(checkpoint: CheckpointView) -> dict[str, Any]:
    """Give the page what it needs to choose anew: every variant that may be shipped, by rising bytes.

    Returns:
        `label`, `full`, `bytes` of full-width float32, and `variants`: name, bytes, mean retention, both ends
        of its interval, whether it is on the Pareto front, the task that keeps least and how much that is.
    """
    full = next((each for each in checkpoint.variants if each.variant == checkpoint.full), None)
    return {
        "label": clean(checkpoint.label),
        "full": str(checkpoint.full),
        "bytes": 4.0 * checkpoint.full.dim if full is None else full.bytes_per_vector,
        "tasks": len(checkpoint.panels) - len(checkpoint.unreferenced),
        "variants": [_choice(each) for each in _shippable(checkpoint.variants)],
    }


def _shippable(variants: Sequence[VariantSummary]) -> list[VariantSummary]:
    """Leave out controls, other tools' scoring, and what has no mean retention."""
    return [
        each
        for each in variants
        if each.mean_retention is not None
        and each.bytes_per_vector is not None
        and not each.variant.for_comparison
    ]


def _choice(summary: VariantSummary) -> list[Any]:
    """Write one variant as a short list."""
    task, least = summary.worst or ("", None)
    ends = (summary.mean_retention, summary.lower, summary.upper, least)
    kept, lower, upper, least = (None if end is None else round(end, 6) for end in ends)
    name = str(summary.variant)
    return [name, summary.bytes_per_vector, kept, lower, upper, int(summary.pareto), clean(task), least]


def _candidate(
    summary: VariantSummary, checkpoint: CheckpointView, chosen: VariantSummary | None
) -> Candidate:
    """Write one row of the short list."""
    size, has = summary.bytes_per_vector, summary.lower is not None and summary.upper is not None
    is_chosen = chosen is not None and summary.variant == chosen.variant
    return Candidate(
        name=str(summary.variant),
        role=_role(summary, checkpoint, chosen),
        bytes=byte_count(size),
        share=share(summary.compression),
        million=MISSING if size is None else storage(size * 1e6),
        kept=percent(summary.mean_retention),
        interval=f"{100 * (summary.lower or 0):.1f} to {100 * (summary.upper or 0):.1f}" if has else MISSING,
        worst=percent(summary.worst[1]) if summary.worst else MISSING,
        chosen=is_chosen,
    )


def _role(summary: VariantSummary, checkpoint: CheckpointView, chosen: VariantSummary | None) -> str:
    """Say why a variant is in the short list."""
    if chosen is not None and summary.variant == chosen.variant:
        return "recommended"
    if summary.variant == checkpoint.full:
        return "full quality"
    if chosen is None:
        return "on the front"
    smaller = (summary.bytes_per_vector or 0) < (chosen.bytes_per_vector or 0)
    return "smaller" if smaller else "larger"
