"""The tables of a report for LaTeX, in the style of booktabs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.reporting.page.answer import shortlist
from evalsuite.reporting.panel import FailedCell, Panel, ScoredCell
from evalsuite.reporting.series import grouped
from evalsuite.reporting.text import clean, metric_title, points
from evalsuite.reporting.view import CheckpointView, ReportView

_NARROW = 4
"""A table of more dimensions spans both columns."""
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "×": r"$\times$", "–": "--",
    "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip


def latex_tables(view: ReportView) -> str:
    r"""Write the tables: of each checkpoint what to choose between, then every task.

    Needs `\usepackage{booktabs}`. Every foreign text is escaped.
    """
    tables = [_choices(checkpoint) for checkpoint in view.checkpoints]
    tables += [_grid(panel, view) for panel in view.panels]
    head = "% Written by evalsuite; needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}.\n\n"
    return head + "\n\n".join(
        "\n".join(lines).replace("%LABEL%", f"tab:evalsuite-{number}")
        for number, lines in enumerate(map(list, tables), start=1)
    ) + "\n"  # fmt: skip


def escape(text: str) -> str:
    """Write a foreign text so that LaTeX prints it."""
    return "".join(_SPECIAL.get(char, char) for char in clean(text))


def _choices(checkpoint: CheckpointView) -> Iterator[str]:
    """Tabulate the recommended variant beside its neighbours on the Pareto front."""
    rows = [
        [
            _strong(escape(row.name)) if row.chosen else escape(row.name),
            escape(row.bytes), escape(row.share), escape(row.kept), escape(row.interval), escape(row.worst),
        ]
        for row in shortlist(checkpoint)
    ]  # fmt: skip
    rule = escape(checkpoint.recommendation.rule)
    caption = f"Variants of {escape(checkpoint.label)} on and beside the Pareto front. {rule}"
    heads = ["Variant", "Bytes", "Of full", "Keeps", r"95\% interval", "Worst task"]
    yield from _table(caption, "lrrrrr", heads, rows, wide=True)


def _grid(panel: Panel, view: ReportView) -> Iterator[str]:
    """Tabulate one checkpoint on one task: a row a precision, a column a dimension."""
    rows = [
        [escape(name), *(_cell(panel.at(dim, name)) for dim in panel.dims)]
        for name in grouped(panel.precisions)
    ]
    counts = {cell.n for cell in panel.scored if cell.n is not None}
    n = f" ({counts.pop():,} {panel.unit})" if len(counts) == 1 else ""
    who = f"{escape(panel.task)}, {escape(panel.checkpoint)}" if len(view.checkpoints) > 1 else ""
    caption = (
        f"{escape(metric_title(panel.metric))} in points on {who or escape(panel.task)}{n}, by dimension, "
        r"$\pm$ half the 95\% interval. Bold: on the Pareto front of bytes and quality."
    )
    heads = ["Precision", *map(str, panel.dims)]
    columns = "l" + "r" * len(panel.dims)
    yield from _table(caption, columns, heads, rows, wide=len(panel.dims) > _NARROW)


def _table(
    caption: str, columns: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, wide: bool
) -> Iterator[str]:
    """Write one table; a wide one spans both columns of a page."""
    environment = "table*" if wide else "table"
    yield rf"\begin{{{environment}}}[t]"
    yield r"\centering\small"
    yield rf"\begin{{tabular}}{{{columns}}}"
    yield r"\toprule"
    yield " & ".join(heads) + r" \\"
    yield r"\midrule"
    for row in rows:
        yield " & ".join(row) + r" \\"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield rf"\caption{{{caption}}}"
    yield r"\label{%LABEL%}"
    yield rf"\end{{{environment}}}"


def _cell(cell: ScoredCell | FailedCell | None) -> str:
    """Write one score with half its interval."""
    if cell is None:
        return "--"
    if isinstance(cell, FailedCell):
        return r"\emph{failed}"
    value = _strong(points(cell.value)) if cell.pareto else points(cell.value)
    half = cell.half_interval
    return value if half is None else rf"{value}{{\tiny$\,\pm${points(half)}}}"


def _strong(text: str) -> str:
    return rf"\textbf{{{text}}}"
