"""A model card's part about evaluation: the metadata that the Hugging Face Hub reads, a table and figures.

The metadata is a `model-index`, as described in huggingface/hub-docs, `modelcard.md`: of each task the main
metric in points, for full-width float32 and for the recommended variant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from evalsuite.core.variant import Variant
from evalsuite.reporting.markdown import escape
from evalsuite.reporting.page.answer import shortlist
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.text import byte_count, clean, metric_title
from evalsuite.reporting.view import CheckpointView, ReportView

_HEADS = ("Variant", "Keeps", "95 % interval", "Worst task", "Bytes", "Of full", "A million")


def model_card(checkpoint: CheckpointView, view: ReportView, figures: Sequence[str]) -> str:
    """Write the part of a model card about one checkpoint, metadata in front.

    Args:
        checkpoint: The checkpoint.
        view: The report it belongs to.
        figures: Images to show, relative to the card; their names say what they show.
    """
    lines = ["---", *_metadata(checkpoint, view), "---", "", "## Evaluation", ""]
    advice = checkpoint.recommendation
    lines += [f"**{advice.headline}.** {escape(advice.sentence)}", "", f"*{escape(advice.rule)}*", ""]
    lines += [f"| {' | '.join(_HEADS)} |", "|---|" + "--:|" * (len(_HEADS) - 1)]
    for row in shortlist(checkpoint):
        name = f"**{row.name}**" if row.chosen else row.name
        cells = (name, row.kept, row.interval, row.worst, row.bytes, row.share, row.million)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(line for path in figures for line in (f"![{path.rsplit('.', 1)[0]}]({path})", ""))]
    commands = dict.fromkeys(run.record.provenance.command for run in view.runs)
    lines += ["Made by evalsuite:", "", *(f"    {clean(command)}" for command in commands)]
    return "\n".join(lines).rstrip() + "\n"


def _metadata(checkpoint: CheckpointView, view: ReportView) -> Iterator[str]:
    """Write the `model-index`; texts are JSON strings, which YAML reads as they are."""
    chosen = checkpoint.recommendation.chosen
    variants = dict.fromkeys((checkpoint.full, *([chosen.variant] if chosen is not None else [])))
    splits = {task.name: task.split for task in view.tasks}
    yield "model-index:"
    yield f"- name: {_quoted(checkpoint.label)}"
    yield "  results:" if any(panel.scored for panel in checkpoint.panels) else "  results: []"
    for panel in checkpoint.panels:
        cells = [cell for variant in variants if isinstance(cell := panel.cells.get(variant), ScoredCell)]
        if cells:
            kind = panel.task_type or panel.kind
            yield "  - task:"
            yield f"      type: {_quoted(kind)}"
            yield "    dataset:"
            yield f"      type: {_quoted(panel.task)}"
            yield f"      name: {_quoted(panel.task)}"
            yield f"      split: {_quoted(splits.get(panel.task) or 'test')}"
            yield "    metrics:"
            for cell in cells:
                yield from _metric(panel, cell)


def _metric(panel: Panel, cell: ScoredCell) -> Iterator[str]:
    """Write one number: named as mteb names it, in points."""
    variant: Variant = cell.variant
    size = byte_count(cell.bytes_per_vector)
    yield f"    - type: {_quoted(panel.metric.replace('@', '_at_'))}"
    yield f"      value: {100 * cell.value:.4f}"
    yield f"      name: {_quoted(f'{metric_title(panel.metric)} at {variant}, {size} bytes per vector')}"
    yield "      args:"
    yield f"        dim: {variant.dim}"
    yield f"        precision: {_quoted(variant.level)}"
    if cell.lower is not None and cell.upper is not None:
        yield f"        interval: [{100 * cell.lower:.4f}, {100 * cell.upper:.4f}]"


def _quoted(text: str) -> str:
    return json.dumps(clean(text), ensure_ascii=False)
