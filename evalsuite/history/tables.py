"""What records hold, as Arrow tables: columns of one type whatever the runs, and NULL for what is unknown.

To SQL, NaN is a value: a mean over a failed cell would be NaN. NULL is left out of means, as it should be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from evalsuite.core.record import CheckpointEntry
from evalsuite.core.run import FRAME_COLUMNS, Run

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

IDENTITY = ("run", "created", "fingerprint", "revision", "task_fingerprint")
"""Columns that tell whose a row is: folder and time of the run, content of the checkpoint and of the task."""

RESULT_COLUMNS = (*IDENTITY, *FRAME_COLUMNS)

SPREAD_COLUMNS = (
    *IDENTITY, "checkpoint", "task", "side", "dim", "n", "ideal_rank", "statistic",
    "value", "ideal", "lower", "upper", "reason",
)  # fmt: skip

RUN_COLUMNS = (
    "run", "created", "command", "checkpoints", "tasks", "cells", "failed", "evalsuite", "python", "platform",
    "device", "git_commit", "git_dirty", "tie_rule", "calibration", "seconds",
)  # fmt: skip

_COUNTS = ("dim", "n", "cells", "failed", "ideal_rank")
_FLAGS = ("main",)
_MEASURES = ("seconds",)
_TEXTS = {
    *IDENTITY, *RUN_COLUMNS, "checkpoint", "task", "kind", "projection", "precision", "variant", "metric",
    "status", "reason", "side", "statistic",
}.difference(_COUNTS, _MEASURES)  # fmt: skip


def results(runs: Iterable[Run]) -> pa.Table:
    """Return one row a cell and metric of every run, values as fractions; columns are `RESULT_COLUMNS`.

    A failed cell has one row, under the task's main metric, with the `reason` and without a value.
    """
    return _table(RESULT_COLUMNS, (row for run in runs for row in _result_rows(run)))


def spread(runs: Iterable[Run]) -> pa.Table:
    """Return one row a statistic, side, dimension, task and checkpoint; columns are `SPREAD_COLUMNS`.

    A statistic that could not be computed has the `reason` and no value. Runs that measured no spread have no
    row.
    """
    return _table(SPREAD_COLUMNS, (row for run in runs for row in _spread_rows(run)))


def overview(runs: Iterable[Run]) -> pa.Table:
    """Return one row a run; columns are `RUN_COLUMNS`, several names are joined by commas."""
    return _table(RUN_COLUMNS, map(_run_row, runs))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Turn a table into pandas; whole numbers stay whole where some are unknown."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get)
    return frame


def _table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Put rows into a table; what a row does not name is NULL."""
    import pyarrow as pa

    schema = pa.schema([(name, _type(name)) for name in columns])
    return pa.Table.from_pylist(list(rows), schema=schema)


def _type(column: str) -> pa.DataType:
    """Choose the type of a column: a number unless its name says otherwise."""
    import pyarrow as pa

    if column in _COUNTS:
        return pa.int64()
    if column in _FLAGS:
        return pa.bool_()
    return pa.string() if column in _TEXTS else pa.float64()


def _result_rows(run: Run) -> Iterator[dict[str, Any]]:
    """Spread the cells of one run over rows."""
    tasks = {entry.name: entry.fingerprint for entry in run.record.tasks}
    known = {entry.label: entry for entry in run.record.checkpoints}
    for row in run.to_frame().to_dict("records"):
        owner = _identity(run, known[row["checkpoint"]], tasks[row["task"]])
        yield owner | {str(name): value for name, value in row.items() if not _is_nan(value)}


def _is_nan(value: object) -> bool:
    """Tell whether pandas put NaN where nothing is known."""
    return isinstance(value, float) and math.isnan(value)


def _spread_rows(run: Run) -> Iterator[dict[str, Any]]:
    """Spread the statistics of one run over rows."""
    tasks = {entry.name: entry.fingerprint for entry in run.record.tasks}
    known = {entry.label: entry for entry in run.record.checkpoints}
    # A record written before spread was measured has no such field.
    for entry in getattr(run.record, "spread", ()):
        shared = {
            **_identity(run, known[entry.checkpoint], tasks[entry.task]),
            **entry.model_dump(include={"checkpoint", "task", "side", "dim", "n", "ideal_rank"}),
        }
        for name, value in entry.values.items():
            yield {**shared, "statistic": name, **value.model_dump()}
        for name, reason in entry.missing.items():
            yield {**shared, "statistic": name, "reason": reason}


def _identity(run: Run, checkpoint: CheckpointEntry, task_fingerprint: str) -> dict[str, Any]:
    """Say whose a row is."""
    return {
        "run": str(run.folder),
        "created": run.record.provenance.created,
        "fingerprint": checkpoint.fingerprint,
        "revision": checkpoint.revision,
        "task_fingerprint": task_fingerprint,
    }


def _run_row(run: Run) -> dict[str, Any]:
    """Sum one run up."""
    record, origin = run.record, run.record.provenance
    return {
        **origin.model_dump(include={"created", "command", "platform", "device", "tie_rule", "calibration"}),
        "run": str(run.folder),
        "checkpoints": ", ".join(entry.label for entry in record.checkpoints),
        "tasks": ", ".join(entry.name for entry in record.tasks),
        "cells": len(record.cells),
        "failed": len(run.failures),
        "evalsuite": origin.versions.get("evalsuite"),
        "python": origin.versions.get("python"),
        "git_commit": origin.git.get("commit"),
        "git_dirty": origin.git.get("dirty"),
        "seconds": origin.seconds.get("total"),
    }
