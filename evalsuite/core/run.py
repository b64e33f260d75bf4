"""Run: a record and its per-query tables, on disk and as pandas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evalsuite.core.ann import RECALL_TARGETS, AnnEntry
from evalsuite.core.errors import RunFileError, UsageError, known_names
from evalsuite.core.measure import CORRELATIONS
from evalsuite.core.record import (
    CellRecord,
    CheckpointEntry,
    Failed,
    Fidelity,
    RunRecord,
    TableFile,
    TaskEntry,
)
from evalsuite.core.spread import STATISTICS, SpreadEntry
from evalsuite.core.variant import Variant

if TYPE_CHECKING:
    import pandas as pd

RECORD_FILE = "record.json"

ROW_COLUMNS = ("variant", "part", "id", "top")
"""Columns of a per-query table that say whose a row is; the others are values."""

_T = TypeVar("_T")

FRAME_COLUMNS = (
    "checkpoint", "task", "kind", "projection", "dim", "precision", "variant", "metric", "main", "value",
    "lower", "upper", "n", "expected", "ties_won", "ties_lost", "tie_share", "bytes_per_vector",
    "index_bytes", *Fidelity.model_fields, "seconds", "status", "reason",
)  # fmt: skip

SPREAD_COLUMNS = (
    "checkpoint", "task", "side", "dim", "n", "ideal_rank", "statistic", "symbol", "value", "ideal", "lower",
    "upper", "better", "reason",
)  # fmt: skip

ANN_COLUMNS = (
    "checkpoint", "task", "dim", "precision", "index", "asked", "truth", "k", "documents", "askers",
    "parameter", "work", "recall", "auc", *(f"work_at_{recall:g}" for recall in RECALL_TARGETS),
)  # fmt: skip


class Run:
    """A finished run in a folder.

    Attributes:
        record: Everything but the per-query values.
        folder: The folder that holds `record.json` and the Parquet files.
    """

    def __init__(self, record: RunRecord, folder: Path) -> None:
        self.record = record
        self.folder = folder

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Open a run by its folder or its `record.json`.

        Raises:
            RunFileError: If there is no readable record at `path`.
        """
        path = Path(path)
        file = path if path.name == RECORD_FILE else path / RECORD_FILE
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            message = f"{file}: cannot be read ({error}); give the folder a run was written to"
            raise RunFileError(message) from error
        return cls(RunRecord.from_json(text, where=str(file)), file.parent)

    def __repr__(self) -> str:
        scored = len(self.record.cells) - len(self.failures)
        return f"Run({str(self.folder)!r}, {scored} cells scored, {len(self.failures)} failed)"

    @property
    def failures(self) -> tuple[CellRecord, ...]:
        """The cells that could not be evaluated."""
        return tuple(cell for cell in self.record.cells if isinstance(cell.outcome, Failed))

    def checkpoint(self, label: str) -> CheckpointEntry:
        """Return the entry of the checkpoint called `label`."""
        return _named("checkpoint", label, {entry.label: entry for entry in self.record.checkpoints})

    def task(self, name: str) -> TaskEntry:
        """Return the entry of the task called `name`."""
        return _named("task", name, {entry.name: entry for entry in self.record.tasks})

    def to_frame(self) -> pd.DataFrame:
        """Return one row per cell and metric, values as fractions.

        Failed cells have one row, under the task's main metric, with `value` NaN, `status` `failed` and the
        `reason`. Columns are `FRAME_COLUMNS`.
        """
        import pandas as pd

        return pd.DataFrame(list(self.rows()), columns=list(FRAME_COLUMNS))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of `to_frame` without pandas; what a row lacks is absent."""
        for cell in self.record.cells:
            yield from self._rows(cell)

    def spread_frame(self) -> pd.DataFrame:
        """Return one row per statistic of each checkpoint, task, side and dimension.

        A statistic that could not be computed has `value` NaN and the `reason`. Columns are
        `SPREAD_COLUMNS`; no rows if the spread was not measured.
        """
        import pandas as pd

        rows = [row for entry in self.record.spread for row in _spread_rows(entry)]
        return pd.DataFrame(rows, columns=list(SPREAD_COLUMNS))

    def ann_frame(self) -> pd.DataFrame:
        """Return one row per setting of each index over each checkpoint, task, dimension and precision.

        `work` is the mean distance computations of a search at the setting, `askers` how many asked. What
        sums a whole curve up, `auc` and the work at each recall, repeats on all of its rows; NaN where no
        setting reaches the recall. Columns are `ANN_COLUMNS`; no rows if nothing was probed.
        """
        import pandas as pd

        rows = [row for entry in self.record.ann for row in _ann_rows(entry)]
        return pd.DataFrame(rows, columns=list(ANN_COLUMNS))

    def _rows(self, cell: CellRecord) -> list[dict[str, Any]]:
        """Spread one cell over one row a metric."""
        task, variant, outcome = self.task(cell.task), Variant.parse(cell.variant), cell.outcome
        shared = {
            "checkpoint": cell.checkpoint,
            "task": cell.task,
            "kind": task.kind,
            "projection": variant.projection,
            "dim": variant.dim,
            "precision": variant.level,
            "variant": cell.variant,
            "status": outcome.status,
        }
        if isinstance(outcome, Failed):
            return [{**shared, "metric": task.main_metric, "main": True, "n": 0, "reason": outcome.reason}]
        shared |= {
            "n": outcome.n,
            "tie_share": outcome.tie_share,
            "bytes_per_vector": outcome.bytes_per_vector,
            "index_bytes": outcome.index_bytes,
            **outcome.fidelity.model_dump(),
            "seconds": outcome.seconds,
        }
        return [
            {**shared, "metric": name, "main": name == task.main_metric, **metric.model_dump()}
            for name, metric in outcome.metrics.items()
        ]

    def per_query(
        self, task: str, variant: str | Variant, metric: str, *, checkpoint: str | None = None
    ) -> pd.Series[float]:
        """Return the values behind one number, one a query (or a pair).

        Args:
            task: Name of the task.
            variant: Variant or its canonical text.
            metric: Canonical metric text. A correlation has no value a pair: for STS tasks every metric
                gives the cosine similarity of each pair, and `gold` gives the scores by people. Other columns
                of the table, such as `label` of pair classification, go by their own name.
            checkpoint: Label of the checkpoint; may be left out when the run has only one.

        Returns:
            float64 series indexed by query or pair id; a retrieval metric is the mean of its series. Ids of
            MTEB tasks read `split/subset:id`, and the metric is the mean over the means of the parts.

        Raises:
            UsageError: If the run has no such checkpoint, task, variant or metric.
            RunFileError: If the Parquet file is missing or damaged.
        """
        label = self._only_checkpoint() if checkpoint is None else self.checkpoint(checkpoint).label
        cell = self._scored_cell(label, self.task(task).name, str(variant))
        table = self.per_query_table(label, task)
        column = _column(metric, list(table.columns))
        rows = table[table["variant"] == cell.variant]
        return rows.set_index("id")[column].rename(metric)

    def per_query_table(self, checkpoint: str, task: str) -> pd.DataFrame:
        """Return the whole per-query table of one checkpoint on one task: every variant, every metric.

        Raises:
            RunFileError: If the run kept no such table, or it cannot be read.
        """
        return self._table(self.record.per_query, checkpoint, task, "per-query values")

    def official(self, checkpoint: str, task: str) -> pd.DataFrame:
        """Return every metric that mteb reports for one checkpoint on one MTEB task.

        Returns:
            Columns `variant`, `split`, `subset`, `languages` (joined by commas), `metric` (mteb's name; what
            is in lists and dictionaries has a path such as `scores_per_experiment/0/accuracy`), `value`.

        Raises:
            RunFileError: If the run kept no such table, or it cannot be read.
        """
        return self._table(self.record.official, checkpoint, task, "official metrics")

    def _table(self, files: Sequence[TableFile], checkpoint: str, task: str, what: str) -> pd.DataFrame:
        """Read the table of one checkpoint on one task."""
        import pandas as pd

        for entry in files:
            if (entry.checkpoint, entry.task) == (checkpoint, task):
                file = self.folder / entry.path
                try:
                    return pd.read_parquet(file)
                except (OSError, ValueError) as error:
                    message = f"{file}: cannot be read ({error}); evaluate again to write it anew"
                    raise RunFileError(message) from error
        message = f"{self.folder}: no {what} of {checkpoint} on {task}"
        raise RunFileError(message)

    def _only_checkpoint(self) -> str:
        labels = [entry.label for entry in self.record.checkpoints]
        if len(labels) != 1:
            message = f"the run holds several checkpoints; name one of: {known_names(labels)}"
            raise UsageError(message)
        return labels[0]

    def _scored_cell(self, checkpoint: str, task: str, variant: str) -> CellRecord:
        cells = {c.variant: c for c in self.record.cells if (c.checkpoint, c.task) == (checkpoint, task)}
        cell = _named("variant", variant, cells)
        if isinstance(cell.outcome, Failed):
            message = f"{checkpoint} on {task} at {variant} failed: {cell.outcome.reason}"
            raise UsageError(message)
        return cell


def _spread_rows(entry: SpreadEntry) -> Iterator[dict[str, Any]]:
    """Spread one side at one dimension over one row a statistic."""
    shared = entry.model_dump(include={"checkpoint", "task", "side", "dim", "n", "ideal_rank"})
    for name, statistic in STATISTICS.items():
        known = {**shared, "statistic": name, "symbol": statistic.symbol, "better": statistic.better}
        if name in entry.values:
            yield {**known, **entry.values[name].model_dump()}
        elif name in entry.missing:
            yield {**known, "reason": entry.missing[name]}


def _ann_rows(entry: AnnEntry) -> Iterator[dict[str, Any]]:
    """Spread one probe over one row a setting of each of its curves."""
    probe = entry.probe
    shared = {
        "checkpoint": entry.checkpoint,
        "task": entry.task,
        **probe.model_dump(include={"k", "documents"}),
    }
    for curve in probe.curves:
        whole = {
            **curve.model_dump(include={"dim", "precision", "index", "asked", "truth", "auc"}),
            "askers": probe.queries if curve.asked == "query" else probe.held_out,
            **{f"work_at_{recall:g}": curve.work_at.get(recall) for recall in RECALL_TARGETS},
        }
        yield from ({**shared, **whole, **point.model_dump()} for point in curve.points)


def _column(metric: str, columns: list[str]) -> str:
    """Name the column of a per-query table that holds the values behind `metric`."""
    known = {name: name for name in columns if name not in ROW_COLUMNS}
    if "cosine" in known:
        known |= dict.fromkeys(CORRELATIONS, "cosine")
    return _named("metric", metric, known)


def _named(what: str, name: str, known: dict[str, _T]) -> _T:
    """Look a name up, or say which names there are."""
    if name not in known:
        message = f"no {what} {name!r} in this run; it has: {known_names(list(known))}"
        raise UsageError(message)
    return known[name]
