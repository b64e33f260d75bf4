"""The section on approximate search: how much work finds how many of the nearest documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalsuite.core.ann import RECALL_TARGETS, AnnCurve, AnnEntry, AnnMissing, AnnProbe, IndexName
from evalsuite.reporting.page.axes import linear, logarithmic
from evalsuite.reporting.page.chart import DASHES, SHAPES, TONES, Chart, Key, Look, Series
from evalsuite.reporting.tables import TextTable
from evalsuite.reporting.text import MISSING, clean

CAPTION = (
    "Approximate search, measured in distance computations a query, which do not depend on the machine. "
    "Recall counts the exact neighbours by the float32 vectors of the same dimensions: codes limit it "
    "however long one searches. Lines further to the left need less work. Held-out documents that ask lie as "
    "the index expects; where queries need more work than they do, queries lie elsewhere."
)
_TITLES: dict[IndexName, str] = {"hnsw": "HNSW", "ivf": "IVF"}
_FEW_TASKS = 3
"""Of more tasks only the first index is drawn."""
_DRAWN = 4
"""So many dimensions and precisions are drawn; all are in the table."""


@dataclass(frozen=True)
class AnnTask:
    """The probes of one task."""

    task: str
    charts: tuple[Chart, ...]
    table: TextTable


@dataclass(frozen=True)
class AnnSection:
    """The whole section; `missing` says which probes could not be made, and why."""

    legend: tuple[Key, ...]
    tasks: tuple[AnnTask, ...]
    missing: tuple[str, ...] = ()


def ann_section(entries: Sequence[AnnEntry], missing: Sequence[AnnMissing] = ()) -> AnnSection | None:
    """Work out the section; None if nothing was to be probed."""
    if not entries and not missing:
        return None
    labels = tuple(dict.fromkeys(entry.checkpoint for entry in entries))
    levels = _levels(entries)
    legend = [
        Key(f"{clean(label)}, {level}" if len(labels) > 1 else level, _look(labels, number, place))
        for number, label in enumerate(labels)
        for place, level in enumerate(levels)
    ]
    tasks = dict.fromkeys(entry.task for entry in entries)
    drawn = len(_TITLES) if len(tasks) <= _FEW_TASKS else 1
    return AnnSection(
        tuple(legend),
        tuple(_task(t, [e for e in entries if e.task == t], labels, levels, drawn) for t in tasks),
        tuple(f"{clean(each.checkpoint)} on {clean(each.task)}: {clean(each.reason)}" for each in missing),
    )


def _levels(entries: Sequence[AnnEntry]) -> tuple[str, ...]:
    """Choose the dimensions and precisions to draw: the ends and some between, in the order measured."""
    every = list(dict.fromkeys(_level(entry.probe) for entry in entries))
    if len(every) <= _DRAWN:
        return tuple(every)
    return tuple(every[round(place * (len(every) - 1) / (_DRAWN - 1))] for place in range(_DRAWN))


def _level(probe: AnnProbe) -> str:
    return f"{probe.dim}/{probe.precision}"


def _task(
    task: str, entries: Sequence[AnnEntry], labels: Sequence[str], levels: Sequence[str], drawn: int
) -> AnnTask:
    """Work out one task, with charts of its first `drawn` indexes."""
    charts = tuple(_charts(entries, labels, levels))[:drawn]
    return AnnTask(clean(task), charts, _table(entries, len(labels) > 1))


def _charts(entries: Sequence[AnnEntry], labels: Sequence[str], levels: Sequence[str]) -> Iterator[Chart]:
    """Draw one chart an index."""
    for index, title in _TITLES.items():
        found = [
            (entry, curve)
            for entry in entries
            if _level(entry.probe) in levels
            for curve in entry.probe.curves
            if (curve.index, curve.asked, curve.truth) == (index, "query", "float32")
        ]
        if found:
            works = [point.work for _, curve in found for point in curve.points]
            series = [
                _line(
                    entry,
                    curve,
                    _look(labels, labels.index(entry.checkpoint), levels.index(_level(entry.probe))),
                )
                for entry, curve in found
            ]
            recalls = [100 * point.recall for _, curve in found for point in curve.points]
            words = "; ".join(_words(entry, curve) for entry, curve in found)
            x, y = logarithmic("Distance computations a query", works), linear("Recall (%)", recalls)
            yield Chart(title, f"recall@{found[0][0].probe.k}", x, y, series, f"{title}: {words}.")


def _line(entry: AnnEntry, curve: AnnCurve, look: Look) -> Series:
    """Draw one curve."""
    name = "ef" if curve.index == "hnsw" else "nprobe"
    return Series(
        look,
        [(point.work, 100 * point.recall) for point in curve.points],
        [
            f"{name} {point.parameter}: {100 * point.recall:.1f} % for {point.work:,.0f} distances"
            for point in curve.points
        ],
        f"{clean(entry.checkpoint)}, {_level(entry.probe)}",
    )


def _words(entry: AnnEntry, curve: AnnCurve) -> str:
    """Say a curve in words."""
    work = curve.work_at.get(0.95)
    needs = "never reaches 95 %" if work is None else f"needs {work:,.0f} distances for 95 %"
    return f"{clean(entry.checkpoint)} {_level(entry.probe)} {needs}"


def _table(entries: Sequence[AnnEntry], several: bool) -> TextTable:
    """Tabulate the work of every curve against float32 neighbours."""
    rows = []
    for entry in entries:
        for curve in entry.probe.curves:
            if curve.asked != "query" or curve.truth != "float32":
                continue
            who = [clean(entry.checkpoint)] if several else []
            rows.append((
                f"{_level(entry.probe)}, {_TITLES[curve.index]}", *who,
                *(_work(curve.work_at.get(recall)) for recall in RECALL_TARGETS),
                f"{curve.auc:.3f}", _gap(entry.probe, curve.index), f"{entry.probe.documents:,}",
            ))  # fmt: skip
    return TextTable(
        title="Work for a recall",
        caption=(
            "Distance computations a query until so many of the exact neighbours are found; a dash where no "
            "setting finds them. AUC: mean recall over budgets from 1 % to 100 % of the documents. "
            "Query gap: work of queries over work of held-out documents for 95 %."
        ),
        heads=(
            "Variant, index", *(["Checkpoint"] if several else []),
            *(f"Work for {100 * recall:g} %" for recall in RECALL_TARGETS), "AUC", "Query gap", "Documents",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _work(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.0f}"


def _gap(probe: AnnProbe, index: IndexName) -> str:
    """Write how much more work queries need than documents."""
    try:
        gap = probe.out_of_distribution_gap(index, "float32", 0.95)
    except KeyError:  # held-out documents were not asked
        gap = None
    return MISSING if gap is None else f"{gap:.2f}"


def _look(labels: Sequence[str], number: int, place: int) -> Look:
    """Choose colours by checkpoint where there are several, else by level; marks and lines by level."""
    tone = TONES[(number if len(labels) > 1 else place) % len(TONES)]
    return Look(tone=tone, dash=DASHES[place % len(DASHES)], shape=SHAPES[place % len(SHAPES)])
