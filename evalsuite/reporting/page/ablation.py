"""The ablation section: what a loss changed, paired over seeds, and how the change grows with its weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from evalsuite.core.ablation import ALL_TASKS, AblationReport, Comparison, Dose, Effect, Quantity
from evalsuite.reporting.page.axes import linear
from evalsuite.reporting.page.chart import DASHES, SHAPES, TONES, Chart, Key, Look, Series
from evalsuite.reporting.page.forest import Difference, draw, scale_of, signed
from evalsuite.reporting.tables import TextTable
from evalsuite.reporting.text import MISSING, clean, duration, metric_title, plural

TITLES: dict[Quantity, str] = {
    "quality": "Quality, in points",
    "retention": "Retention, in percent",
    "spread": "Spread",
    "ann": "Approximate search",
}
_DOSES = 12
"""So many dose-response charts are drawn."""
_MOST_ROWS = 60
"""So many effects of one quantity are tabulated; `ablation.json` has all."""
_LINES = 6
"""So many variants fit one of them."""


@dataclass(frozen=True)
class EffectRow:
    """One effect, ready to show."""

    name: str
    metric: str
    control: str
    treated: str
    change: str
    plot: Markup
    p: str
    seeds: int
    verdict: str


@dataclass(frozen=True)
class EffectTable:
    """All effects on one quantity."""

    title: str
    counts: str
    summary: str
    rows: tuple[EffectRow, ...]


@dataclass(frozen=True)
class ArmComparison:
    """One treated arm against the control."""

    title: str
    tables: tuple[EffectTable, ...]


@dataclass(frozen=True)
class DoseChart:
    """One dose-response chart with what its lines stand for."""

    chart: Chart
    legend: tuple[Key, ...]


@dataclass(frozen=True)
class AblationSection:
    """The whole section."""

    report: AblationReport
    comparisons: tuple[ArmComparison, ...]
    doses: tuple[DoseChart, ...]
    arms: TextTable


def ablation_section(report: AblationReport | None) -> AblationSection | None:
    """Work out the section; None without an ablation."""
    if report is None:
        return None
    return AblationSection(
        report=report,
        comparisons=tuple(_comparison(comparison) for comparison in report.comparisons),
        doses=tuple(_dose_charts(report.doses))[:_DOSES],
        arms=_arms(report),
    )


def _comparison(comparison: Comparison) -> ArmComparison:
    """Tabulate one comparison, a table a quantity."""
    title = f"{clean(comparison.treated)} minus {clean(comparison.control)}"
    tables = (
        _table(TITLES[quantity], [each for each in comparison.effects if each.quantity == quantity])
        for quantity in TITLES
    )
    return ArmComparison(title, tuple(table for table in tables if table.rows))


def _table(title: str, effects: Sequence[Effect]) -> EffectTable:
    """Tabulate the effects on one quantity; rows of one metric share the scale of their plots."""
    scales = {
        name: scale_of(_difference(effect) for effect in effects if effect.name == name)
        for name in {effect.name for effect in effects}
    }
    counts = {word: sum(effect.verdict == word for effect in effects) for word in ("higher", "lower")}
    rest = len(effects) - sum(counts.values())
    told = f"{counts['higher']} higher, {counts['lower']} lower, {rest} without an effect shown"
    shown = _most_telling(effects)
    less = ". The {} that tell most are below, all are in ablation.json" if len(shown) < len(effects) else ""
    return EffectTable(
        title=title,
        counts=f"{told}, of {plural(len(effects), 'number')}",
        summary=f"Of {plural(len(effects), 'number')}: {told}{less.format(len(shown))}.",
        rows=tuple(_row(effect, scales[effect.name]) for effect in shown),
    )


def _most_telling(effects: Sequence[Effect]) -> list[Effect]:
    """Choose what is tabulated, in the order it came: means over tasks, then the smallest p-values."""

    def key(place: int) -> tuple[bool, float, int]:
        p = effects[place].p if effects[place].adjusted_p is None else effects[place].adjusted_p
        return effects[place].task != ALL_TASKS, 1.0 if p is None else p, place

    return [effects[place] for place in sorted(sorted(range(len(effects)), key=key)[:_MOST_ROWS])]


def _level(value: float, digits: str) -> str:
    """Write what one arm has; statistics of spread range from thousandths to thousands."""
    if digits == "2f":
        return f"{value:.2f}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _row(effect: Effect, scale: float) -> EffectRow:
    """Write one effect."""
    has = effect.lower is not None and effect.upper is not None
    digits = "2f" if effect.quantity in ("quality", "retention") else "3g"
    ends = f" [{signed(effect.lower or 0, digits)}, {signed(effect.upper or 0, digits)}]" if has else ""
    p = effect.p if effect.adjusted_p is None else effect.adjusted_p
    return EffectRow(
        name=f"{clean(effect.task)} · {effect.dim}/{effect.precision}",
        metric=metric_title(clean(effect.name)),
        control=_level(effect.control, digits),
        treated=_level(effect.treated, digits),
        change=f"{signed(effect.difference, digits)}{ends}",
        plot=draw(_difference(effect), scale),
        p=MISSING if p is None else f"{p:.2g}",
        seeds=effect.seeds,
        verdict=effect.verdict,
    )


def _difference(effect: Effect) -> Difference:
    return Difference(effect.difference, effect.lower, effect.upper)


def _dose_charts(doses: Sequence[Dose]) -> Iterator[DoseChart]:
    """Draw a chart a task and number: a line a variant over the weight of the loss."""
    if len({dose.weight for dose in doses}) < 3:
        return
    for quantity, task, name in dict.fromkeys((dose.quantity, dose.task, dose.name) for dose in doses):
        some = [dose for dose in doses if (dose.quantity, dose.task, dose.name) == (quantity, task, name)]
        variants = list(dict.fromkeys((dose.dim, dose.precision) for dose in some))[:_LINES]
        lines = [
            _dose_line([d for d in some if (d.dim, d.precision) == variant], place)
            for place, variant in enumerate(variants)
        ]
        title = f"{clean(task)}, {metric_title(clean(name))}"
        x = linear("Weight of the loss", [dose.weight for dose in some])
        y = linear(TITLES[quantity], [value for dose in some for value in dose.values])
        words = f"{title} over the weight of the loss: {plural(len(lines), 'variant')}; see the table."
        legend = tuple(Key(f"{d}/{p}", _look(place)) for place, (d, p) in enumerate(variants))
        yield DoseChart(Chart(title, TITLES[quantity], x, y, lines, words), legend)


def _dose_line(doses: Sequence[Dose], place: int) -> Series:
    """Draw one variant over the weight: means over seeds, whiskers from the least to the largest."""
    ordered = sorted(doses, key=lambda dose: dose.weight)
    return Series(
        _look(place),
        [(dose.weight, dose.mean) for dose in ordered],
        [
            f"{clean(dose.arm)}, weight {dose.weight:g}, {dose.dim}/{dose.precision}: {dose.mean:.2f} over "
            f"{plural(len(dose.values), 'seed')}"
            for dose in ordered
        ],
        bands=[(min(dose.values), max(dose.values)) if len(dose.values) > 1 else None for dose in ordered],
    )


def _look(place: int) -> Look:
    return Look(
        tone=TONES[place % len(TONES)], dash=DASHES[place % len(DASHES)], shape=SHAPES[place % len(SHAPES)]
    )


def _arms(report: AblationReport) -> TextTable:
    """Tabulate what was trained."""
    rows = tuple(
        (
            f"{clean(arm.arm)}, seed {arm.seed}",
            ", ".join(f"{clean(name)} × {weight:g}" for name, weight in arm.losses.items()),
            f"{arm.steps:,}",
            duration(arm.seconds),
        )
        for arm in report.arms
    )
    return TextTable("Trained", clean(report.method), ("Arm", "Losses", "Steps", "Wall time"), rows)
