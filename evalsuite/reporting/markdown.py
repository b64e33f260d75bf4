"""A report as Markdown: the same tables, for a repository, a pull request or a model card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from evalsuite.core.variant import Variant
from evalsuite.reporting.by_type import condensed, filter_text, is_crowded
from evalsuite.reporting.encoder_side import encoder_tables
from evalsuite.reporting.fidelity import HOW_TO_READ, fidelity_table
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell
from evalsuite.reporting.series import FEW, by_dimension, grouped, remark
from evalsuite.reporting.tables import TextTable, means_table, published_table, task_tables
from evalsuite.reporting.text import MISSING, byte_count, clean, factor, metric_title, percent, plural, points
from evalsuite.reporting.view import CheckpointView, ReportView

LONG_TABLE = 20
"""A table of more rows is folded away."""

_MARK = "**\\***"
"""Sign of a Pareto-optimal variant."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$<>&:-])")


def escape(text: str) -> str:
    """Write a foreign text so that Markdown shows it as it is, on one line.

    HTML's characters become entities, because several renderers pass a backslash and the tag behind it on.
    """
    entities = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
    return _SPECIAL.sub(lambda match: entities.get(match[0], "\\" + match[0]), clean(text))


def render_markdown(view: ReportView, figures: Mapping[str, str] | None = None) -> str:
    """Write the report as Markdown.

    Args:
        view: The report.
        figures: Caption to the path of an image, relative to the Markdown file.
    """
    lines = [f"# {escape(view.title)}", ""]
    lines += [line for checkpoint in view.checkpoints for line in _advice(checkpoint, view)]
    lines += list(_failures(view))
    for caption, path in (figures or {}).items():
        lines += [f"## {escape(caption)}", "", f"![{escape(caption)}]({path})", ""]
    for checkpoint in view.checkpoints:
        lines += list(_means(checkpoint, view))
    for checkpoint in condensed(view).checkpoints:
        lines += list(_variants(checkpoint))
    for panel in condensed(view).panels:
        lines += [*_panel(panel), *_fidelity(panel)]
    if is_crowded(view):
        lines += [line for checkpoint in view.checkpoints for line in _tasks(checkpoint)]
    for table in encoder_tables(view):
        lines += list(_text_table(table, level=2))
    for published in view.published:
        lines += list(_text_table(published_table(published), level=2))
    if view.warnings:
        lines += [
            "## Warnings",
            "",
            *(f"- {escape(name)}: {escape(text)}" for name, text in view.warnings),
            "",
        ]
    lines += list(_provenance(view))
    return "\n".join(lines).rstrip() + "\n"


def _advice(checkpoint: CheckpointView, view: ReportView) -> Iterator[str]:
    """Say what to ship."""
    advice = checkpoint.recommendation
    who = f"{escape(checkpoint.label)}: " if len(view.checkpoints) > 1 else ""
    yield f"**{who}{advice.headline}.** {escape(advice.sentence)}"
    yield ""
    yield f"*{escape(advice.rule)}*"
    yield ""


def _failures(view: ReportView) -> Iterator[str]:
    """List the failed cells, if there are any."""
    if not view.failures:
        return
    yield f"## {plural(len(view.failures), 'failed cell')}"
    yield ""
    for panel, cell in view.failures:
        yield f"- {escape(panel.checkpoint)} on {escape(panel.task)} at {cell.variant}: {escape(cell.reason)}"
    yield ""


def _variants(checkpoint: CheckpointView) -> Iterator[str]:
    """Tabulate the variants of one checkpoint over all tasks, smallest first."""
    tasks = list(dict.fromkeys(panel.task for panel in checkpoint.panels))
    yield f"## Every variant of {escape(checkpoint.label)}"
    yield ""
    yield f"Retention in percent of full-width float32; {_MARK} none is as small and keeps as much."
    yield ""
    table = _table(
        ["variant", "bytes", "smaller", "mean retention", *map(escape, tasks)],
        [
            [
                f"{summary.variant} {_MARK}" if summary.pareto else _named(summary.variant),
                byte_count(summary.bytes_per_vector),
                factor(summary.compression),
                percent(summary.mean_retention),
                *(percent(summary.retentions[task]) for task in tasks),
            ]
            for summary in checkpoint.variants
        ],
    )
    yield from _folded(table, len(checkpoint.variants))


def _means(checkpoint: CheckpointView, view: ReportView) -> Iterator[str]:
    """Tabulate MTEB's means, or at least say which languages count."""
    table = means_table(checkpoint, view.tasks)
    if table is not None:
        title = f"{table.title} of {checkpoint.label}"
        yield from _text_table(replace(table, title=title), level=2)
    elif filter_text(view.tasks):
        yield escape(filter_text(view.tasks))
        yield ""


def _tasks(checkpoint: CheckpointView) -> Iterator[str]:
    """Tabulate every task, kind by kind."""
    yield f"## Every task of {escape(checkpoint.label)}"
    yield ""
    for table in task_tables(checkpoint):
        yield from _text_table(table, level=3)


def _text_table(table: TextTable, *, level: int) -> Iterator[str]:
    """Write a table with its heading and how to read it."""
    yield f"{'#' * level} {escape(table.title)}"
    yield ""
    yield escape(table.caption)
    yield ""
    body = _table([escape(head) for head in table.heads], [[escape(t) for t in row] for row in table.rows])
    yield from _folded(body, len(table.rows), "row")


def _panel(panel: Panel) -> Iterator[str]:
    """Tabulate one checkpoint on one task: a row a dimension; a row a precision if there are many."""
    yield f"## {escape(panel.task)} · {escape(panel.checkpoint)}"
    yield ""
    yield (
        f"{metric_title(panel.metric)} in points, ± half of its 95 % interval if it has one, then retention; "
        f"{_MARK} Pareto-optimal in bytes and quality."
    )
    yield ""
    names, dims = grouped(panel.precisions), panel.dims
    if len(names) <= FEW:
        yield from _table(["dim", *names], [[str(dim), *_cells(panel, [dim], names)] for dim in dims])
    else:
        heads = ["precision", *map(str, dims)]
        yield from _folded(
            _table(heads, [[name, *_cells(panel, dims, [name])] for name in names]), len(panel.cells)
        )
    tied = panel.most_tied
    if tied is not None:
        yield (
            f"Ties: up to {percent(tied.tie_share)} of queries have one across the cut-off ({tied.variant}): "
            f"{points(tied.ties_lost)} if all are lost, {points(tied.expected)} expected, "
            f"{points(tied.ties_won)} if all are won."
        )
        yield ""


def _cells(panel: Panel, dims: Sequence[int], names: Sequence[str]) -> list[str]:
    """Write the cells of one row."""
    return [_cell(panel.at(dim, name)) for dim in dims for name in names]


def _fidelity(panel: Panel) -> Iterator[str]:
    """Tabulate how true the stored vectors are, if the run measured it."""
    table = fidelity_table(panel)
    if table is None:
        return
    yield f"### Fidelity on {escape(panel.task)} · {escape(panel.checkpoint)}"
    yield ""
    yield escape(HOW_TO_READ)
    yield ""
    rows = [
        [_named(cell.variant), *table.rows[cell]]
        for cells in by_dimension(table.rows).values()
        for cell in cells
    ]
    yield from _folded(_table(["variant", *table.heads], rows), len(rows))


def _named(variant: Variant) -> str:
    """Write a variant, and what it is if it is there for comparison."""
    words = remark(variant)
    return f"{variant} ({words})" if words else str(variant)


def _folded(lines: Iterable[str], count: int, what: str = "variant") -> Iterator[str]:
    """Fold a long table away where HTML is understood; elsewhere it just stands there."""
    if count <= LONG_TABLE:
        yield from lines
        return
    yield f"<details><summary>{plural(count, what)}</summary>"
    yield ""
    yield from lines
    yield "</details>"
    yield ""


def _cell(cell: ScoredCell | FailedCell | None) -> str:
    """Write one cell."""
    if cell is None:
        return MISSING
    if isinstance(cell, FailedCell):
        return "**failed**"
    mark = f" {_MARK}" if cell.pareto else ""
    half = f" ± {points(cell.half_interval)}" if cell.half_interval is not None else ""
    return f"{points(cell.value)}{half} ({percent(cell.retention)}){mark}"


def _provenance(view: ReportView) -> Iterator[str]:
    """Say how each run was made."""
    yield "## How it was made"
    yield ""
    for run in view.runs:
        made = run.record.provenance
        versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
        facts = {
            "command": made.command, "created": made.created, "versions": versions, "platform": made.platform,
            "device": made.device, "ties": made.tie_rule, "calibration": made.calibration,
            "interval": made.interval, "seed": str(run.record.asked.seed),
        }  # fmt: skip
        facts |= {} if made.engine == "local" else {"engine": made.engine}
        facts |= {f"checkpoint {c.label}": f"{c.fingerprint} ({c.dtype})" for c in run.record.checkpoints}
        facts |= {f"task {task.name}": task.fingerprint or MISSING for task in run.record.tasks}
        yield from (f"- {escape(name)}: {escape(value)}" for name, value in facts.items())
        yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a table whose columns after the first are aligned to the right."""
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
