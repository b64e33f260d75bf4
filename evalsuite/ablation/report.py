"""The report of an ablation on disk: JSON for machines, Markdown for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from evalsuite.core.ablation import ALL_TASKS, AblationReport, Comparison, Dose, Effect, Quantity
from evalsuite.core.files import write_text

JSON = "ablation.json"
MARKDOWN = "ablation.md"

TITLES: dict[Quantity, str] = {
    "quality": "Quality, in points",
    "retention": "Retention, in percent (codes: of float32 at the same dims; float32: of the full width)",
    "spread": "Spread",
    "ann": "Approximate search",
}
SHOWN_SPREAD = (
    "document second_moment_x_dim", "document mean_cosine", "document bit_imbalance",
    "document bit_correlation", "document hub_skew", "query second_moment_x_dim", "query-document margin",
)  # fmt: skip
"""Spread statistics in the Markdown; the JSON holds all."""

SHOWN_SEARCH = ("hnsw query against float32", "ivf query against float32")
"""Curves of approximate search in the Markdown."""


def write_ablation(report: AblationReport, folder: Path, figures: Mapping[str, str] | None = None) -> Path:
    """Write `ablation.json` and `ablation.md`.

    Args:
        report: What was found.
        folder: Where to.
        figures: Markdown that shows the figures `effects` and `doses`, where there are any.

    Returns:
        The Markdown file.

    Raises:
        StorageError: If the folder cannot be written to.
    """
    write_text(folder / JSON, report.model_dump_json(indent=1) + "\n")
    write_text(folder / MARKDOWN, ablation_markdown(report, figures))
    return folder / MARKDOWN


def ablation_markdown(report: AblationReport, figures: Mapping[str, str] | None = None) -> str:
    """Write the report for people: figures, what is said of each quantity, then every number."""
    figures = figures or {}
    lines = [f"# Ablation: {report.recipe}", "", f"Method: {report.method}.", ""]
    lines += [figures[key] + "\n" for key in ("effects", "doses") if key in figures]
    for comparison in report.comparisons:
        lines += [f"## {comparison.treated} minus {comparison.control}", "", *summary(comparison), ""]
        lines += [*_overview(comparison), "", *(f"- {said}" for said in sentences(comparison)), ""]
        for quantity, title in TITLES.items():
            rows = [each for each in comparison.effects if each.quantity == quantity and _shown(each)]
            if rows:
                lines += [f"### {title}", "", *_table(rows), ""]
    if len({dose.weight for dose in report.doses}) > 2:
        lines += ["## Dose and response", "", *_dose_table(report.doses), ""]
    return "\n".join(lines)


def summary(comparison: Comparison) -> list[str]:
    """Say of each quantity how many numbers rose, fell, or show no effect."""
    lines = []
    for quantity, title in TITLES.items():
        effects = [each for each in comparison.effects if each.quantity == quantity]
        if not effects:
            continue
        counts = {
            said: sum(each.verdict == said for each in effects)
            for said in ("higher", "lower", "no effect shown")
        }
        if counts["no effect shown"] == len(effects):
            lines.append(f"- {title}: **no effect is shown** in any of {len(effects)} numbers.")
        else:
            rose, fell, absent = counts.values()
            told = f"{rose} higher, {fell} lower, {absent} no effect shown"
            lines.append(f"- {title}: {told}, of {len(effects)} numbers.")
    return lines


def sentences(comparison: Comparison) -> list[str]:
    """Say the effects that are significant, of means over tasks, or of the tasks where there is only one."""
    said = [each for each in comparison.effects if each.quantity in ("quality", "retention")]
    said = [each for each in said if each.task == ALL_TASKS] or said
    shown = [each.sentence for each in said if each.verdict != "no effect shown"]
    absent = len(said) - len(shown)
    where = "means over tasks" if any(each.task == ALL_TASKS for each in said) else "numbers"
    return [*shown, f"no effect is shown in the other {absent} {where} of quality and retention"]


def _overview(comparison: Comparison) -> list[str]:
    """Lay out, a row a dimension, spread, float32 quality and what each level keeps of it."""
    means = [each for each in comparison.effects if each.task == ALL_TASKS]
    moment = "document second_moment_x_dim"
    spread = [each for each in comparison.effects if each.name == moment and each.task != ALL_TASKS]
    kept = [each for each in means if each.quantity == "retention" and each.precision != "float32"]
    levels = list(dict.fromkeys(each.precision for each in kept))
    if not means:
        return []
    lines = [
        "Means over tasks, treated minus control, 95 % intervals; * is significant after Holm's correction.",
        "",
        "| dims | M2·d of documents | float32, points |"
        + "".join(f" {level} keeps, % |" for level in levels),
        "|--:|---|---|" + "---|" * len(levels),
    ]
    for dim in dict.fromkeys(each.dim for each in means):
        moments = [each for each in spread if each.dim == dim]
        full = [e for e in means if (e.quantity, e.dim, e.precision) == ("quality", dim, "float32")]
        cells = [f"{dim}", _moments(moments), *map(_cell, full[:1])]
        cells += [_cell(e) for level in levels for e in kept if (e.dim, e.precision) == (dim, level)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _moments(effects: Sequence[Effect]) -> str:
    """Say how the spread of the documents changed, as a mean over corpora, and on how many it did."""
    if not effects:
        return ""
    control, treated = (
        sum(getattr(e, side) for e in effects) / len(effects) for side in ("control", "treated")
    )
    lower = sum(each.verdict == "lower" for each in effects)
    return f"{control:.2f} to {treated:.2f}; shown lower on {lower} of {len(effects)} corpora"


def _cell(effect: Effect) -> str:
    """Write a difference with its interval."""
    star = "" if effect.verdict == "no effect shown" else "*"
    if effect.lower is None or effect.upper is None:
        return f"{effect.difference:+.2f}{star}"
    return f"{effect.difference:+.2f} ({effect.lower:+.2f} to {effect.upper:+.2f}){star}"


def _shown(effect: Effect) -> bool:
    """Tell whether the Markdown shows a number."""
    if effect.quantity == "ann":
        return effect.name.startswith(SHOWN_SEARCH)
    return effect.quantity != "spread" or effect.name in SHOWN_SPREAD


def _table(effects: Sequence[Effect]) -> list[str]:
    """Lay effects out, one a row."""
    head = "| task | what | dim | level | control | treated | difference | 95 % interval | p (Holm) | said |"
    lines = [head, "|---|---|--:|---|--:|--:|--:|---|--:|---|"]
    for each in effects:
        form = _format(each.quantity)
        p = "none" if each.adjusted_p is None else f"{each.adjusted_p:.2g}"
        bounds = "none"
        if each.lower is not None and each.upper is not None:
            bounds = f"{each.lower:+{form}} to {each.upper:+{form}}"
        lines.append(
            f"| {each.task} | {each.name} | {each.dim} | {each.precision} | {each.control:{form}} "
            f"| {each.treated:{form}} | {each.difference:+{form}} | {bounds} | {p} | {each.verdict} |"
        )
    return lines


def _format(quantity: Quantity) -> str:
    """Choose digits: points and percent have two decimals, everything else four figures."""
    return ".2f" if quantity in ("quality", "retention") else ".4g"


def _dose_table(doses: Iterable[Dose]) -> list[str]:
    """Lay quality, retention and M2·d out, one column a weight."""
    doses = [
        each
        for each in doses
        if each.quantity in ("quality", "retention") or each.name == "document second_moment_x_dim"
    ]
    weights = sorted({each.weight for each in doses})
    lines = [
        "| task | quantity | what | dim | level |" + "".join(f" {weight:g} |" for weight in weights),
        "|---|---|---|--:|---|" + "--:|" * len(weights),
    ]
    rows: dict[tuple[object, ...], dict[float, str]] = {}
    for each in doses:
        row = rows.setdefault((each.task, each.quantity, each.name, each.dim, each.precision), {})
        row[each.weight] = f"{each.mean:{_format(each.quantity)}}"
    for key, means in rows.items():
        cells = "".join(f" {means.get(weight, '')} |" for weight in weights)
        lines.append(f"| {' | '.join(map(str, key))} |{cells}")
    return lines
