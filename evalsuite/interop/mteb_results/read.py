"""mteb's result files as a run, so that published models stand beside measured ones."""

from __future__ import annotations

import datetime
import functools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.core.errors import RunFileError
from evalsuite.core.measure import RANKED
from evalsuite.core.record import (
    CellRecord,
    CheckpointEntry,
    Failed,
    MetricValue,
    Outcome,
    PartEntry,
    Provenance,
    RunRecord,
    Scored,
    TaskEntry,
)
from evalsuite.core.run import Run
from evalsuite.core.spec import SweepSpec
from evalsuite.core.variant import Scoring, Variant
from evalsuite.interop.mteb_results.find import ResultFile, ResultFolder, result_folders
from evalsuite.interop.mteb_results.layout import BITS, DIM_KEY, FULL_PRECISION, OUR_NAMES, PRECISION_KEY

_UNKNOWN = "unknown"
_MTEB_SCORING = "mteb"
_USUAL = ("ndcg_at_10", "cosine_spearman", "v_measure", "max_ap", "map_at_1000", "accuracy", "f1")
"""Main metrics of most tasks: which one it is where several have the value of the main score."""

_LABELS = ("main_score", "hf_subset", "languages", "mteb_version")


@dataclass(frozen=True)
class _Source:
    """One checkpoint: a model at a revision, loaded in one way, at any number of variants."""

    model: str
    revision: str
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Found:
    """One cell before it has names."""

    source: _Source
    variant: Variant
    file: ResultFile

    @functools.cached_property
    def data(self) -> tuple[Any, ...]:
        """What must be equal for two scores to be comparable: the task, its data and the parts used."""
        parts = sorted((split, str(entry.get("hf_subset"))) for split, entry in self.file.entries)
        return (self.file.task, str(self.file.content.get("dataset_revision")), tuple(parts))


def read_mteb_results(path: str | Path) -> Run:
    """Read mteb's results as a run, without mteb.

    Scores have no intervals and no per-query values, and how many queries are behind them is not known. A
    precision that mteb's own wrapper made is labelled as such, `256/int8+mteb`; what evalsuite wrote comes
    back as it was. Results for other splits, subsets or data of a task are another task, `NAME (2)`.

    Args:
        path: A `ResultCache` folder, or a model, revision or experiment folder in one.

    Raises:
        RunFileError: If there are no results, they cannot be read, or a model's width is not known.
    """
    path = Path(path)
    folders = result_folders(path)
    _check_widths(folders)
    # What was evaluated here comes after what was fetched, and wins.
    cells = {(c.source, c.data, c.variant): c for folder in folders for c in _cells(folder)}
    found = list(cells.values())
    return Run(_record(found, folders, path), path)


def _record(found: Sequence[_Found], folders: Sequence[ResultFolder], path: Path) -> RunRecord:
    """Give checkpoints and tasks their names and put everything into a record."""
    labels, tasks = _labels(found), _tasks(found)
    cells = tuple(
        CellRecord(
            checkpoint=labels[cell.source],
            task=tasks[cell.data].name,
            variant=str(cell.variant),
            outcome=_outcome(cell.file, cell.variant, tasks[cell.data].main_metric),
        )
        for cell in found
    )
    return RunRecord(
        asked=SweepSpec(
            models=tuple(labels.values()),
            tasks=tuple(entry.name for entry in tasks.values()),
            dims=tuple(sorted({cell.variant.dim for cell in found}, reverse=True)),
            precisions=tuple(dict.fromkeys(cell.variant.level for cell in found)),
        ),
        checkpoints=tuple(_checkpoint(labels[s], s, _of(folders, s), path) for s in labels),
        tasks=tuple(tasks.values()),
        cells=cells,
        provenance=_provenance(found, path),
    )


def _check_widths(folders: Sequence[ResultFolder]) -> None:
    """Make sure that every variant has a dimension.

    Raises:
        RunFileError: Lists the folders whose width is not known.
    """
    missing = [f for f in folders if f.dim is None and DIM_KEY not in f.experiment and not _marked(f)]
    if missing:
        lines = [f"  - {f.path}: how wide the vectors are is not known" for f in missing]
        advice = 'write it into model_meta.json as "embed_dim", beside "name" and "revision":'
        raise RunFileError("\n".join([advice, *lines]))


def _marked(folder: ResultFolder) -> bool:
    return all(file.mark for file in folder.files)


def _cells(folder: ResultFolder) -> Iterator[_Found]:
    """Yield a folder's results with their variant; an experiment's other settings make another checkpoint."""
    settings = {k: str(v) for k, v in folder.experiment.items() if k not in (DIM_KEY, PRECISION_KEY)}
    for file in folder.files:
        if file.mark:
            variant = Variant.parse(str(file.mark["variant"]))
            yield _Found(_Source(folder.model, folder.revision, ()), variant, file)
            continue
        precision = _precision(folder.experiment.get(PRECISION_KEY))
        own = dict(settings) if precision in BITS else settings | {PRECISION_KEY: precision}
        kept = precision if precision in BITS else FULL_PRECISION
        scoring = Scoring() if kept == FULL_PRECISION else Scoring(_MTEB_SCORING)
        dim = int(folder.experiment.get(DIM_KEY) or folder.dim or 0)
        variant = Variant(dim, OUR_NAMES.get(kept, kept), scoring)
        yield _Found(_Source(folder.model, folder.revision, tuple(sorted(own.items()))), variant, file)


def _precision(declared: Any) -> str:
    """Return mteb's name of a precision, given alone or as a list of one."""
    if isinstance(declared, list) and len(declared) == 1:
        return str(declared[0])
    return str(declared) if declared else FULL_PRECISION


def _of(folders: Sequence[ResultFolder], source: _Source) -> list[ResultFolder]:
    """List the folders of a checkpoint."""
    return [f for f in folders if (f.model, f.revision) == (source.model, source.revision)]


def _labels(found: Sequence[_Found]) -> dict[_Source, str]:
    """Name every checkpoint: by what evalsuite called it, else by model, with what tells it from others."""
    sources = {cell.source: str(cell.file.mark.get("checkpoint") or cell.source.model) for cell in found}
    names = Counter((name, source.settings) for source, name in sources.items())
    labels: dict[_Source, str] = {}
    for source, name in sources.items():
        several = names[name, source.settings] > 1
        label = f"{name}@{source.revision[:8]}" if several else name
        if source.settings:
            label += f" ({', '.join(f'{key}={value}' for key, value in source.settings)})"
        labels[source] = _free(label, labels.values())
    return labels


def _tasks(found: Sequence[_Found]) -> dict[tuple[Any, ...], TaskEntry]:
    """Describe every task; the data that most results are of has the plain name."""
    groups: dict[tuple[Any, ...], list[_Found]] = {}
    for cell in found:
        groups.setdefault(cell.data, []).append(cell)
    tasks: dict[tuple[Any, ...], TaskEntry] = {}
    first: dict[str, str] = {}
    for data, cells in sorted(groups.items(), key=lambda item: -len(item[1])):
        name = _free(str(data[0]), {entry.name for entry in tasks.values()})
        tasks[data] = _task(name, cells, first.setdefault(str(data[0]), name))
    return tasks


def _free(name: str, taken: Iterable[str]) -> str:
    """Return `name`, or `name (2)`, `name (3)`, ... if it is taken."""
    taken, free, number = set(taken), name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _checkpoint(label: str, source: _Source, folders: Sequence[ResultFolder], path: Path) -> CheckpointEntry:
    """Describe a checkpoint by what mteb's files say of it."""
    marks = [file.mark for folder in folders for file in folder.files if file.mark]
    plain = [f.dim for f in folders if f.dim and not f.experiment]
    widths = plain or [f.dim or int(f.experiment[DIM_KEY]) for f in folders]
    by_name = "known by name and revision only: read from mteb's results"
    return CheckpointEntry(
        label=label,
        source=f"mteb results {path}: {source.model}",
        revision=source.revision,
        fingerprint=source.revision if marks else f"{source.model}@{source.revision}",
        dtype=str(marks[0]["dtype"]) if marks else _UNKNOWN,
        dim=int(marks[0]["dim"]) if marks else max(widths),
        matryoshka_dims=(),
        max_seq_length=folders[0].max_tokens,
        prompts={},
        prompts_origin=_UNKNOWN,
        warnings=() if marks else (by_name,),
    )


def _task(name: str, cells: Sequence[_Found], main: str) -> TaskEntry:
    """Describe a task by what mteb's files say of it; `main` is its name where most results are."""
    task, revision, parts = cells[0].data
    mark = cells[0].file.mark
    languages = {
        (split, str(entry.get("hf_subset"))): tuple(map(str, entry.get("languages") or ()))
        for split, entry in cells[0].file.entries
    }
    return TaskEntry(
        name=name,
        kind="mteb",
        task_type=str(mark.get("task_type") or ""),
        split=",".join(dict.fromkeys(split for split, _ in parts)),
        # Without mteb's version: the same data scored by two versions are the same data.
        source=f"mteb results: {task}@{revision}",
        main_metric=_main_metric(cells),
        fingerprint="",
        counts={},
        warnings=() if name == main else (f"other splits, subsets or data than {main}",),
        road=mark.get("road") or "mteb",
        parts=tuple(
            PartEntry(split=split, subset=subset, languages=languages[split, subset])
            for split, subset in parts
        ),
    )


def _main_metric(cells: Sequence[_Found]) -> str:
    """Find the metric that has the value of the main score in every result of a task."""
    marks = [str(cell.file.mark["main_metric"]) for cell in cells if cell.file.mark]
    if marks:
        return marks[0]
    entries = [entry for cell in cells for _, entry in cell.file.entries]
    equal = [
        name
        for name in _numbers(entries[0])
        if all(entry.get(name) == entry.get("main_score") for entry in entries)
    ]
    found = [name for name in _USUAL if name in equal] or equal or ["main_score"]
    return canonical(found[0])


def canonical(name: str) -> str:
    """Write mteb's name of a ranked metric as evalsuite's: `ndcg_at_10` is `ndcg@10`."""
    metric, _, rank = name.partition("_at_")
    return f"{metric}@{rank}" if metric in RANKED and rank.isdecimal() else name


def _numbers(entry: Mapping[str, Any]) -> list[str]:
    """List the metrics of one split and subset that are single numbers."""
    return [
        name
        for name, value in entry.items()
        if name not in _LABELS and isinstance(value, int | float) and math.isfinite(value)
    ]


def _outcome(file: ResultFile, variant: Variant, main_metric: str) -> Outcome:
    """Average every metric over splits and subsets, as mteb's `TaskResult.get_score` does."""
    entries = [entry for _, entry in file.entries]
    main = [entry.get("main_score") for entry in entries]
    if not main or not all(isinstance(each, int | float) and math.isfinite(each) for each in main):
        return Failed(reason=f"{file.path}: lacks the main score of a split or subset; evaluate it again")
    shared = [name for name in _numbers(entries[0]) if all(name in _numbers(entry) for entry in entries)]
    values = {canonical(name): _mean([entry[name] for entry in entries]) for name in shared}
    values = {main_metric: _mean(main)} | {name: v for name, v in values.items() if name != main_metric}
    packed = (BITS.get(variant.precision, 8) * variant.dim + 7) // 8
    return Scored(
        n=None,
        metrics={name: MetricValue(value=value) for name, value in values.items()},
        bytes_per_vector=float(file.mark.get("bytes_per_vector", packed)),
        index_bytes=float(file.mark.get("index_bytes", 0.0)),
        seconds=float(file.content.get("evaluation_time") or 0.0),
    )


def _mean(values: Sequence[Any]) -> float:
    return math.fsum(map(float, values)) / len(values)


def _provenance(found: Sequence[_Found], path: Path) -> Provenance:
    """Say where the numbers came from; what mteb's files do not tell stays open."""
    dates = [cell.file.content.get("date") for cell in found]
    newest = max((float(date) for date in dates if isinstance(date, int | float)), default=None)
    created = "" if newest is None else datetime.datetime.fromtimestamp(newest, datetime.UTC).isoformat()
    stated = sorted({str(cell.file.content.get("mteb_version") or _UNKNOWN) for cell in found})
    versions = {name: version for cell in found for name, version in cell.file.versions.items()}
    return Provenance(
        created=created,
        command=f"read from mteb's results in {path}",
        versions={"mteb": ", ".join(stated), **versions},
        platform=_UNKNOWN,
        device=_UNKNOWN,
        threads=0,
        git={},
        tie_rule="mteb's: score descending, then document id descending (pytrec_eval)",
        calibration="of mteb's own precisions: each encode call by itself",
        interval="none: mteb keeps no per-query values",
        seconds={},
    )
