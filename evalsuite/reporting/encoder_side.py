"""Tables on what encoded the texts: rounded weights, and roads faster than the default."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.core.road import RoadEntry
from evalsuite.core.weights import WeightReport
from evalsuite.reporting.tables import TextTable
from evalsuite.reporting.text import MISSING, TIMES, factor, plural, storage
from evalsuite.reporting.view import ReportView

WEIGHTS_TITLE, ROADS_TITLE = "Weights", "How texts were encoded"

_WEIGHTS_HEADS = ("Checkpoint", "Part", "Grid", "Tensors", "Bits a weight", "Stored", "SQNR, dB")
_WEIGHTS_CAPTION = (
    "Every matrix was rounded to its grid after training (PTQ), unless the checkpoint's name says that it "
    "was trained for it (QAT); activations stayed as they were. Bits and bytes count the scales. SQNR is "
    "signal over quantization noise of the weights; without a number, nothing was changed. The record lists "
    "every tensor."
)
_ROADS_HEADS = ("Checkpoint", "Road", "Chosen", "Speed", "Texts", "Mean cosine", "Least cosine", "Difference")
_ROADS_CAPTION = (
    "The default is one process in float32. Speed is that on a sample of the run's texts over the default's; "
    "cosines are those of a text's two vectors, and difference is the mean change of the similarity of two "
    "sampled texts, in points."
)


def encoder_tables(view: ReportView) -> tuple[TextTable, ...]:
    """Return the tables that there is something to show in.

    Args:
        view: The report.
    """
    weights = tuple(_weights(view))
    roads = tuple(_roads(view))
    tables = (
        TextTable(WEIGHTS_TITLE, _WEIGHTS_CAPTION, _WEIGHTS_HEADS, weights),
        TextTable(ROADS_TITLE, _ROADS_CAPTION, _ROADS_HEADS, roads),
    )
    return tuple(table for table in tables if table.rows)


def _weights(view: ReportView) -> Iterator[tuple[str, ...]]:
    """Write a row a part of every checkpoint whose weights were rounded, and one for the whole."""
    for checkpoint in view.checkpoints:
        report = checkpoint.entry.weight_report
        if report is None:
            continue
        for group in report.groups:
            yield (
                checkpoint.label,
                group.group.replace("_", " "),
                group.grid,
                str(group.tensors),
                f"{group.bits_per_weight:.2f}",
                storage(group.bytes),
                MISSING if group.sqnr_db is None else f"{group.sqnr_db:.1f}",
            )
        yield _whole(checkpoint.label, report)


def _whole(label: str, report: WeightReport) -> tuple[str, ...]:
    """Sum a model up."""
    smaller = factor(report.native_bytes / report.bytes) if report.bytes else MISSING
    stored = f"{storage(report.bytes)}, {smaller} smaller"
    bits = f"{report.bits_per_weight:.2f}"
    return label, "whole model", report.level, str(len(report.tensors)), bits, stored, MISSING


def _roads(view: ReportView) -> Iterator[tuple[str, ...]]:
    """Write a row a checkpoint that was encoded on another road than the default."""
    for run in view.runs:
        for encoding in run.record.provenance.encodings:
            if encoding.road is not None:
                yield encoding.checkpoint, *_road(encoding.road)


def _road(entry: RoadEntry) -> tuple[str, ...]:
    """Describe a road, and how true it is to the default."""
    way = "the default"
    if entry.workers:
        threads = f" of {plural(entry.threads, 'thread')}" if entry.threads else ""
        way = f"{plural(entry.workers, 'worker')}{threads}, {entry.dtype}"
    trial = next((t for t in entry.trials if (t.workers, t.dtype) == (entry.workers, entry.dtype)), None)
    speed = f"{trial.texts_per_second / entry.trials[0].texts_per_second:.2f}{TIMES}" if trial else MISSING
    true = entry.fidelity
    if true is None:
        return way, entry.chosen, speed, MISSING, MISSING, MISSING, MISSING
    return (
        way,
        entry.chosen,
        speed,
        str(true.texts),
        f"{true.mean_cosine:.6f}",
        f"{true.min_cosine:.6f}",
        f"{100 * true.score_difference:.4f}",
    )
