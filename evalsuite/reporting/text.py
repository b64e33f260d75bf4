"""How numbers and foreign texts are written in everything people read."""

from __future__ import annotations

import re

NO_BREAK = "\N{NO-BREAK SPACE}"
TIMES = "\N{MULTIPLICATION SIGN}"
MISSING = "\N{EN DASH}"

_SPACE = re.compile(rf"[^\S{NO_BREAK}]+")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters that are no space, surrogates, and overrides of the direction of writing."""
_METRIC_TITLES = {
    "ndcg": "nDCG",
    "map": "MAP",
    "mrr": "MRR",
    "recall": "Recall",
    "precision": "Precision",
    "hit_rate": "Hit rate",
    "cosine_spearman": "Cosine Spearman",
    "cosine_pearson": "Cosine Pearson",
    "v_measure": "V-measure",
    "accuracy": "Accuracy",
    "f1": "F1",
    "lrap": "LRAP",
    "max_ap": "Best average precision",
    "p-MRR": "p-MRR",
    "main_score": "Main score",
}


def points(value: float | None) -> str:
    """Write a fraction in points, one decimal: 0.6451 is `64.5`."""
    return MISSING if value is None else f"{100 * value:.1f}"


def percent(fraction: float | None) -> str:
    """Write a fraction as a percentage, one decimal: 0.986 is `98.6 %`."""
    return MISSING if fraction is None else f"{100 * fraction:.1f}{NO_BREAK}%"


def fine_percent(fraction: float) -> str:
    """Write a fraction as a percentage; a second decimal where it would else look like nothing or all."""
    decimals = 2 if 0 < fraction < 0.01 or 0.99 < fraction < 1 else 1
    return f"{100 * fraction:.{decimals}f}{NO_BREAK}%"


def short_percent(fraction: float) -> str:
    """Write a fraction as a percentage without needless decimals: 0.98 is `98 %`."""
    return f"{100 * fraction:g}{NO_BREAK}%"


def byte_count(count: float | None) -> str:
    """Write a number of bytes with thousands separators, and decimals only where there are any."""
    if count is None:
        return MISSING
    return f"{count:,.0f}" if float(count).is_integer() else f"{count:,.1f}"


def storage(count: float) -> str:
    """Write a number of bytes in decimal units with three digits: 1.536e9 is `1.54 GB`."""
    size, unit = count, "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g}{NO_BREAK}{unit}"


def factor(value: float | None) -> str:
    """Write a compression factor: 8.0 is `8×`."""
    if value is None:
        return MISSING
    return f"{value:.1f}".removesuffix(".0") + TIMES


def duration(seconds: float) -> str:
    """Write a wall time: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f}{NO_BREAK}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{NO_BREAK}s"
    if whole < 3600:
        return f"{whole // 60}{NO_BREAK}min {whole % 60}{NO_BREAK}s"
    return f"{whole // 3600}{NO_BREAK}h {whole % 3600 // 60}{NO_BREAK}min"


def metric_title(metric: str) -> str:
    """Write a canonical metric text as the field prints it: `ndcg@10` is `nDCG@10`."""
    name, at, cutoff = metric.partition("@")
    return _METRIC_TITLES.get(name, name) + at + cutoff


def plural(count: int, singular: str) -> str:
    """Write a count with its noun: `1 task`, `3 tasks`."""
    return f"{count:,} {singular}{'' if count == 1 else 's'}"


def clean(text: str) -> str:
    """Make a foreign text safe to show on one line.

    Control characters (such as those that begin a terminal escape) and direction overrides vanish, line
    breaks become spaces; letters of every script, emoji and no-break spaces stay.
    """
    return _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()


def shorten(text: str, width: int) -> str:
    """Cut a text to at most `width` characters, in the middle: names differ at their ends."""
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - (width - 1 - head) :]}"
