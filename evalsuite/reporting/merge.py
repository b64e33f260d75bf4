"""Several runs side by side: every checkpoint label and every task name means one thing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from evalsuite.core.ann import AnnEntry, AnnMissing
from evalsuite.core.record import CellRecord, CheckpointEntry, RunRecord, TableFile, TaskEntry
from evalsuite.core.run import FRAME_COLUMNS, Run
from evalsuite.core.spread import SpreadEntry

_OfBoth = CellRecord | TableFile | SpreadEntry | AnnEntry | AnnMissing
"""What belongs to one checkpoint on one task."""

_Judged = tuple[str, str]
"""Fingerprint of a checkpoint, and the road of the run that judged it."""


def unify(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Rename checkpoints and tasks so that the runs can be read as one.

    Two runs may call different checkpoints by one label: the later one gets a number, `name (2)`; where it is
    the same checkpoint on another road of MTEB, the road tells them apart: `name (mteb road)`. Tasks of one
    name whose data or main metric differ get a number too, an MTEB task beside one of another kind is
    `name (MTEB)`. Tasks that are equal keep sharing a name. A task that could not be loaded has no
    fingerprint and shares the name of any other.

    Returns:
        One run each, in the order given, with the renamed record and the folder as it was.
    """
    labels: dict[str, _Judged] = {}
    tasks: dict[str, TaskEntry] = {}
    unified = []
    for run in runs:
        road = _road(run.record)
        label_map = {
            entry.label: _free(entry.label, labels, _hint(labels.get(entry.label), entry, road))
            for entry in run.record.checkpoints
        }
        labels |= {label_map[entry.label]: (entry.fingerprint, road) for entry in run.record.checkpoints}
        task_map = {entry.name: _task_name(entry, tasks) for entry in run.record.tasks}
        for entry in run.record.tasks:
            if entry.fingerprint or task_map[entry.name] not in tasks:
                tasks[task_map[entry.name]] = entry
        unified.append(Run(_renamed(run.record, label_map, task_map), run.folder))
    return tuple(unified)


def merged_csv(runs: Sequence[Run]) -> str:
    """Write the rows of runs that went through `unify`, one run below the other, as CSV.

    Not by pandas, whose import takes longer than all the rest. An absent value is an empty field.
    """
    lines = io.StringIO()
    # Rows are made with these columns; comparing names again in every row takes as long as writing it.
    writer = csv.DictWriter(lines, FRAME_COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(row for run in runs for row in run.rows())
    return lines.getvalue()


def _road(record: RunRecord) -> str:
    """Name the one road on which a run's MTEB tasks were scored; empty if there is none or several."""
    roads = {task.road for task in record.tasks if task.road}
    return str(roads.pop()) if len(roads) == 1 else ""


def _hint(other: _Judged | None, entry: CheckpointEntry, road: str) -> str:
    """Say what tells a checkpoint from another one of its label; empty if only a number can."""
    same = other is not None and other[0] == entry.fingerprint
    return f"{road} road" if same and road and other is not None and other[1] != road else ""


def _free(name: str, taken: Iterable[str], hint: str = "") -> str:
    """Return `name`; if that is taken `name (hint)`, if there is a hint; else `name (2)`, `name (3)`, ..."""
    taken, free, number = set(taken), name, 1
    if free in taken and hint:
        free = f"{name} ({hint})"
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _task_name(entry: TaskEntry, known: dict[str, TaskEntry]) -> str:
    """Find the name under which an equal task is known, or a free one."""
    for name, other in known.items():
        if name == entry.name or name.startswith(f"{entry.name} ("):
            same_data = entry.fingerprint == other.fingerprint or not (
                entry.fingerprint and other.fingerprint
            )
            same_name = other.name == entry.name and other.kind == entry.kind
            if same_name and same_data and entry.main_metric == other.main_metric:
                return name
    first = known.get(entry.name)
    beside_own = entry.kind == "mteb" and first is not None and first.kind != "mteb"
    return _free(entry.name, known, "MTEB" if beside_own else "")


def _renamed(record: RunRecord, labels: dict[str, str], tasks: dict[str, str]) -> RunRecord:
    """Copy a record with every mention of a checkpoint or a task renamed."""

    def both(entry: _OfBoth) -> dict[str, str]:
        return {"checkpoint": labels[entry.checkpoint], "task": tasks[entry.task]}

    encodings = tuple(  # a record cut to one checkpoint may still say how the others were encoded
        e.model_copy(update={"checkpoint": labels[e.checkpoint]})
        for e in record.provenance.encodings
        if e.checkpoint in labels
    )
    return record.model_copy(
        update={
            "checkpoints": tuple(c.model_copy(update={"label": labels[c.label]}) for c in record.checkpoints),
            "tasks": tuple(t.model_copy(update={"name": tasks[t.name]}) for t in record.tasks),
            "cells": tuple(cell.model_copy(update=both(cell)) for cell in record.cells),
            "per_query": tuple(file.model_copy(update=both(file)) for file in record.per_query),
            "official": tuple(file.model_copy(update=both(file)) for file in record.official),
            "spread": tuple(entry.model_copy(update=both(entry)) for entry in record.spread),
            "ann": tuple(entry.model_copy(update=both(entry)) for entry in record.ann),
            "ann_missing": tuple(entry.model_copy(update=both(entry)) for entry in record.ann_missing),
            "provenance": record.provenance.model_copy(update={"encodings": encodings}),
        }
    )
