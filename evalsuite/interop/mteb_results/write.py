"""A run's official metrics, written as mteb's own result files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from evalsuite import __version__
from evalsuite.core.errors import UsageError
from evalsuite.core.files import storage_errors
from evalsuite.core.record import CellRecord, CheckpointEntry, Scored, TaskEntry
from evalsuite.core.run import Run
from evalsuite.core.variant import Variant
from evalsuite.interop.mteb_results.layout import MARK, experiment_kwargs, model_name
from evalsuite.models.registry import mteb_version

if TYPE_CHECKING:
    import pandas as pd

_LOCAL_DATA = "local"
"""Start of the dataset revision of a task whose data came from a folder; the data's fingerprint follows."""

_SHOWN_FINGERPRINT = 12


def write_mteb_results(run: Run, folder: str | Path) -> list[Path]:
    """Write the MTEB cells of a run as mteb would have written them, readable by `mteb.ResultCache(folder)`.

    Float32 at full width goes to `results/ORG__NAME/FINGERPRINT/`, any other variant to an experiment below
    it. Results that are already there for other splits or subsets of the same data stay.

    Args:
        run: The run; tasks of evalsuite's own have no place in mteb's results, see `left_out`.
        folder: The cache folder; `results/` is made in it.

    Returns:
        One path a scored cell.

    Raises:
        UsageError: If mteb is not installed.
        RunFileError: If the run lacks a table of official metrics, or it cannot be read.
        StorageError: If the folder cannot be written to.
    """
    mteb_version()
    from mteb.cache import ResultCache

    folder = Path(folder)
    written = []
    with storage_errors(folder):
        cache = ResultCache(folder)
        for checkpoint, task in _pairs(run):
            table = run.official(checkpoint.label, task.name)
            for cell, outcome in _scored(run, checkpoint.label, task.name):
                rows = table[table["variant"] == cell.variant]
                content = _Cell(Variant.parse(cell.variant), outcome, rows)
                written.append(_write_cell(cache, checkpoint, task, content))
    return written


def left_out(run: Run) -> tuple[str, ...]:
    """Say which of a run's results mteb has no place for, one sentence each."""
    own = [task.name for task in run.record.tasks if task.kind != "mteb"]
    notes = [f"{name}: a task of evalsuite's own, which mteb's results have no place for" for name in own]
    together: dict[tuple[str, str], list[str]] = {}
    for (checkpoint, task), variants in _failed(run, own).items():
        together.setdefault((checkpoint, variants), []).append(task)
    notes += [
        f"{checkpoint} on {', '.join(tasks)}, {variants}: failed, nothing to write"
        for (checkpoint, variants), tasks in together.items()
    ]
    return tuple(notes)


def _failed(run: Run, own: Sequence[str]) -> dict[tuple[str, str], str]:
    """Say of every checkpoint and MTEB task with failed cells which variants those are."""
    failed: dict[tuple[str, str], list[str]] = {}
    for cell in run.failures:
        if cell.task not in own:
            failed.setdefault((cell.checkpoint, cell.task), []).append(cell.variant)
    return {
        place: f"at {', '.join(variants)}" if any(_scored(run, *place)) else "at every variant"
        for place, variants in failed.items()
    }


@dataclass(frozen=True)
class _Cell:
    """One cell to write: its variant, its outcome and its rows of the official table."""

    variant: Variant
    outcome: Scored
    rows: pd.DataFrame


def _pairs(run: Run) -> Iterator[tuple[CheckpointEntry, TaskEntry]]:
    """Yield every checkpoint with every MTEB task it has a scored cell of."""
    for checkpoint in run.record.checkpoints:
        for task in run.record.tasks:
            if task.kind == "mteb" and any(_scored(run, checkpoint.label, task.name)):
                yield checkpoint, task


def _scored(run: Run, checkpoint: str, task: str) -> Iterator[tuple[CellRecord, Scored]]:
    """Yield the scored cells of one checkpoint on one task."""
    for cell in run.record.cells:
        if (cell.checkpoint, cell.task) == (checkpoint, task) and isinstance(cell.outcome, Scored):
            yield cell, cell.outcome


def _write_cell(cache: Any, checkpoint: CheckpointEntry, task: TaskEntry, cell: _Cell) -> Path:
    """Write one cell through mteb's classes; returns the path of its result file."""
    from mteb.results import TaskResult

    version, revision = _data_of(task)
    described = SimpleNamespace(
        metadata=SimpleNamespace(
            name=_base_name(task),
            revision=revision,
            hf_subsets_to_langscripts={
                str(subset): [each for each in str(languages).split(",") if each]
                for subset, languages in cell.rows.groupby("subset")["languages"].first().items()
            },
        )
    )
    result = TaskResult.from_task_results(described, _scores(cell.rows, version), cell.outcome.seconds)
    meta = _model_meta(checkpoint, cell.variant)
    path = Path(cache.get_task_result_path(result.task_name, meta))
    cache.save_to_cache(
        _with_other_parts(path, result), meta, encode_kwargs=_settings(checkpoint, task, cell)
    )
    return path


def _with_other_parts(path: Path, result: Any) -> Any:
    """Add the splits and subsets that an earlier run left in the file and this one does not have."""
    if not path.exists():
        return result
    before = type(result).from_disk(path)
    new, old = _parts(result), _parts(before)
    return before.merge(result) if old - new and before.is_mergeable(result) else result


def _parts(result: Any) -> set[tuple[str, str]]:
    """List the splits and subsets of a result of mteb's."""
    return {(split, entry["hf_subset"]) for split, entries in result.scores.items() for entry in entries}


def _settings(checkpoint: CheckpointEntry, task: TaskEntry, cell: _Cell) -> dict[str, Any]:
    """Say who wrote a cell and what mteb's files have no place for."""
    return {
        MARK: {
            "version": __version__,
            "checkpoint": checkpoint.label,
            "dim": checkpoint.dim,
            "dtype": checkpoint.dtype,
            "variant": str(cell.variant),
            "task_type": task.task_type,
            "main_metric": task.main_metric,
            "road": task.road,
            "bytes_per_vector": cell.outcome.bytes_per_vector,
            "index_bytes": cell.outcome.index_bytes,
        }
    }


def _model_meta(checkpoint: CheckpointEntry, variant: Variant) -> Any:
    """Describe a checkpoint at one variant to mteb."""
    from mteb.models.model_meta import ModelMeta, ScoringFunction

    return ModelMeta.create_empty(
        {
            "name": model_name(checkpoint),
            "revision": checkpoint.fingerprint,
            "embed_dim": variant.dim,
            "max_tokens": checkpoint.max_seq_length,
            "similarity_fn_name": ScoringFunction.COSINE,
            "experiment_kwargs": experiment_kwargs(variant, checkpoint.dim),
        }
    )


def _scores(rows: pd.DataFrame, version: str) -> dict[str, dict[str, Any]]:
    """Put the rows of one variant together again: split -> subset -> metrics, nested as mteb nests them."""
    found: dict[str, dict[str, Any]] = {}
    for (split, subset), part in rows.groupby(["split", "subset"], sort=False):
        metrics = nested(dict(zip(part["metric"], map(float, part["value"]), strict=True)))
        found.setdefault(str(split), {})[str(subset)] = {**metrics, "mteb_version": version}
    return found


def nested(flat: Mapping[str, float]) -> dict[str, Any]:
    """Undo the flattening of metrics: `a/0/b` is entry `b` of the first element of the list `a`.

    A level whose names are 0, 1, 2 and so on was a list.
    """
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        *outer, last = path.split("/")
        branch = tree
        for name in outer:
            branch = branch.setdefault(name, {})
        branch[last] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    """Turn levels with numbered names into lists."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    is_list = list(inner) == [str(place) for place in range(len(inner))]
    return list(inner.values()) if is_list else inner


def _base_name(task: TaskEntry) -> str:
    """Return mteb's name of a task; evalsuite adds the split where it is not the task's own."""
    return task.name.partition(":")[0]


def _data_of(task: TaskEntry) -> tuple[str, str]:
    """Read mteb's version and the dataset's revision from `mteb VERSION: PATH@REVISION` or `...: FOLDER`.

    Raises:
        UsageError: If the record's source is neither.
    """
    tool, _, place = task.source.partition(": ")
    if not tool.startswith("mteb ") or not place:
        message = f"{task.name}: its source {task.source!r} names no MTEB data; evaluate the task again"
        raise UsageError(message)
    _, at, revision = place.rpartition("@")
    if not at or Path(place).is_absolute():
        # Data of two folders must not be merged as if they were one.
        revision = f"{_LOCAL_DATA}-{task.fingerprint[:_SHOWN_FINGERPRINT]}"
    return tool.removeprefix("mteb "), revision
