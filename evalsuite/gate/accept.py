"""Accepting a run as a baseline: the only way to change what later checkpoints are compared with."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evalsuite.core.errors import RunFileError, UsageError, known_names
from evalsuite.core.files import atomic_file, storage_errors, write_text
from evalsuite.core.record import CellRecord, RunRecord, Scored, TaskEntry
from evalsuite.core.run import Run
from evalsuite.gate.baseline import (
    BASELINE_FILE,
    BASELINES_FOLDER,
    FORMAT,
    MARGINAL,
    TOP_FILE,
    VALUES_FOLDER,
    is_baseline,
    load_baseline,
    record_checksum,
    text_checksum,
    top_checksum,
    write_lines,
)
from evalsuite.gate.match import Party
from evalsuite.gate.moved import TOP_SHOWN
from evalsuite.gate.policy import matches
from evalsuite.gate.values import DECIMALS
from evalsuite.gate.words import change, points

DEFAULT_NAME = "main"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Accepted:
    """What accepting did.

    Attributes:
        folder: The baseline.
        changes: One line a change, in words; empty if nothing changed.
        unchanged: Cells and metrics whose value stayed.
    """

    folder: Path
    changes: tuple[str, ...]
    unchanged: int


def accept(
    run: Run,
    name: str = DEFAULT_NAME,
    *,
    checkpoint: str | None = None,
    metrics: Sequence[str] = ("main",),
    folder: Path = BASELINES_FOLDER,
    allow_failed: bool = False,
) -> Accepted:
    """Make a run the baseline of this name, whole or not at all.

    Args:
        run: The run.
        name: Name of the baseline.
        checkpoint: Label of the checkpoint; may be left out when the run has only one.
        metrics: Metrics kept: `main`, or globs such as `recall@100`.
        folder: Where baselines are kept.
        allow_failed: Accept a run with failed cells; a candidate that fails there will only be warned about.

    Raises:
        UsageError: If the name cannot be a folder's, the checkpoint is not named where it must be, or the
            run, or what is kept of it, holds nothing to compare with.
        StorageError: If the disk is full or read-only.
    """
    if _NAME.fullmatch(name) is None:
        message = f"{name!r} cannot name a baseline; use letters, digits, dots and dashes, such as main"
        raise UsageError(message)
    party = Party.of(run, checkpoint)
    _check(party, allow_failed=allow_failed)
    record = _essentials(party, metrics)
    _check_kept(party, record, metrics)
    target = folder / name
    before, damage = _before(target)
    _write(target, party, record)
    lines = [*damage, *_changes(before, record)]
    return Accepted(target, tuple(line for line in lines if line), lines.count(""))


def _before(target: Path) -> tuple[RunRecord | None, list[str]]:
    """Read the baseline that is replaced; what is wrong with it is said, and replaced too."""
    if not is_baseline(target):
        return None, []
    try:
        return load_baseline(target).record, []
    except RunFileError as error:
        return None, [f"! the baseline that was here is replaced unread: {error}"]


def _check(party: Party, *, allow_failed: bool) -> None:
    """Refuse what cannot be compared with."""
    failed = [f"{task} · {variant}" for task, variant in party.cells if party.scored(task, variant) is None]
    if not party.cells or len(failed) == len(party.cells):
        message = f"{party.run.folder}: no cell was scored: nothing to compare with; evaluate again"
        raise UsageError(message)
    if failed and not allow_failed:
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        message = (
            f"{party.run.folder}: failed cells would never be judged again: {', '.join(failed[:5])}{more}; "
            "evaluate again, or accept them with --allow-failed"
        )
        raise UsageError(message)


def _check_kept(party: Party, record: RunRecord, metrics: Sequence[str]) -> None:
    """Refuse metrics that the run does not have, and to keep a task without any: nothing would be judged."""
    scored = [cell.outcome for cell in party.cells.values() if isinstance(cell.outcome, Scored)]
    known = list(dict.fromkeys(name for outcome in scored for name in outcome.metrics))
    problems = [
        f"the run has no metric {asked!r}; it has: {known_names(known)}"
        for asked in metrics
        if asked != "main" and not any(matches((asked,), name) for name in known)
    ]
    cells = record.cells
    bare = dict.fromkeys(c.task for c in cells if isinstance(c.outcome, Scored) and not c.outcome.metrics)
    problems += [f"no metric of {task} would be kept; add main to the metrics" for task in bare]
    if problems:
        raise UsageError("\n".join([f"{party.run.folder}: cannot be accepted so", *problems]))


def _essentials(party: Party, metrics: Sequence[str]) -> RunRecord:
    """Keep what a comparison needs: one checkpoint, the chosen metrics, rounded numbers, no times."""
    record = party.run.record
    cells = tuple(_essential_cell(cell, party.tasks[cell.task], metrics) for cell in party.cells.values())
    names = {cell.task for cell in cells}
    encodings = tuple(
        each.model_copy(update={"seconds": round(each.seconds, 3)})
        for each in record.provenance.encodings
        if each.checkpoint == party.entry.label
    )
    provenance = record.provenance.model_copy(update={"seconds": {}, "encodings": encodings})
    kept: dict[str, Any] = {
        "checkpoints": (party.entry,),
        "tasks": tuple(task for task in record.tasks if task.name in names),
        "cells": cells,
        "per_query": (),
        "official": (),
        "spread": tuple(
            entry.model_copy(update={"cosines": None, "spectrum": None})
            for entry in record.spread
            if entry.checkpoint == party.entry.label and entry.task in names
        ),
        "ann": (),
        "ann_missing": (),
        "provenance": provenance,
    }
    return record.model_copy(update=kept)


def _essential_cell(cell: CellRecord, task: TaskEntry, metrics: Sequence[str]) -> CellRecord:
    """Keep one cell's chosen metrics."""
    if not isinstance(cell.outcome, Scored):
        return cell
    kept = {
        name: value
        for name, value in cell.outcome.metrics.items()
        if (name == task.main_metric and "main" in metrics) or matches(tuple(metrics), name)
    }
    return cell.model_copy(
        update={"outcome": cell.outcome.model_copy(update={"metrics": kept, "seconds": 0.0})}
    )


def _write(target: Path, party: Party, record: RunRecord) -> None:
    """Write everything beside the old baseline, then swap the folders."""
    staging, old = (target.with_name(f".{target.name}.{kind}") for kind in ("new", "old"))
    with storage_errors(target):
        shutil.rmtree(staging, ignore_errors=True)
        files = _write_values(staging, party, record)
        kept = _rounded(_record_content(record))
        content = {
            "format": FORMAT,
            "record_sha256": record_checksum(kept),
            "top_sha256": top_checksum(staging),
            "values": files,
            "record": kept,
        }
        write_text(staging / BASELINE_FILE, write_lines(content))
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        staging.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _write_values(staging: Path, party: Party, record: RunRecord) -> list[dict[str, str]]:
    """Write a table a task and metric; return their list."""
    files, tops = [], []
    for number, task in enumerate(record.tasks):
        try:
            table = party.run.per_query_table(party.entry.label, task.name)
            table = table.assign(id=table["id"].astype(str))
        except RunFileError:
            # Results of other tools hold none; the verdict will say so for each cell.
            continue
        for column in _columns(table, task, record):
            slug = re.sub(r"[^A-Za-z0-9.]+", "-", task.name).strip("-.")[:60] or "task"
            path = f"{VALUES_FOLDER}/{number:03d}-{slug}.{re.sub(r'[^A-Za-z0-9@._-]', '-', column)}.csv"
            text = _wide(table, column, record, task.name)
            write_text(staging / path, text)
            checksum = text_checksum(text.encode("utf-8"))
            files.append({"task": task.name, "column": column, "path": path, "sha256": checksum})
        if "top" in table.columns:
            tops.append(_tops(table, task.name))
    if tops:
        with atomic_file(staging / TOP_FILE) as file:
            pd.concat(tops, ignore_index=True).to_parquet(file, index=False, compression="zstd")
    return files


def _columns(table: pd.DataFrame, task: TaskEntry, record: RunRecord) -> list[str]:
    """Name the columns that the kept metrics are made of."""
    outcomes = (cell.outcome for cell in record.cells if cell.task == task.name)
    kept = {name for outcome in outcomes if isinstance(outcome, Scored) for name in outcome.metrics}
    return [name for name in table.columns if name in ("cosine", "similarity") or name in kept]


def _wide(table: pd.DataFrame, column: str, record: RunRecord, task: str) -> str:
    """Lay out one column: a row a query, a column a variant, numbers of 6 decimals."""
    margins = [name for name in MARGINAL if name in table and (name != "gold" or column == "cosine")]
    order = [cell.variant for cell in record.cells if cell.task == task]
    keys = table[margins].drop_duplicates("id").set_index("id")
    wide = table.pivot(index="id", columns="variant", values=column).loc[keys.index]
    wide = wide[[variant for variant in order if variant in wide.columns]]
    text: str = keys.join(wide).reset_index().to_csv(index=False, float_format=_number, lineterminator="\n")
    return text


def _number(value: object) -> str:
    """Write a number without needless digits: 0.5, 1, 0.630930."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _tops(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """Keep the first documents of each query."""
    first = [list(map(str, top[:TOP_SHOWN])) for top in table["top"]]
    return pd.DataFrame(
        {"task": task, "variant": table["variant"], "id": table["id"].astype(str), "top": first}
    )


def _record_content(record: RunRecord) -> dict[str, Any]:
    """Write a record as plain values; cells without the numbers that do not apply to them."""
    content = record.model_dump(mode="json")
    for cell in content["cells"]:
        outcome = cell["outcome"]
        if "metrics" in outcome:
            outcome["metrics"] = {name: _given(value) for name, value in outcome["metrics"].items()}
            outcome["fidelity"] = _given(outcome["fidelity"])
    return content


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _rounded(value: Any) -> Any:
    """Round every float of a JSON value: to 6 decimals, and what is small to 6 significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{DECIMALS}g}") if abs(value) < 1 else round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def _changes(before: RunRecord | None, after: RunRecord) -> Iterator[str]:
    """Say what changed, a line each; an empty line for each value that did not."""
    if before is None:
        yield f"new baseline of {after.checkpoints[0].label}"
    else:
        yield from _identity_changes(before, after)
    old, new = ({} if record is None else _values(record) for record in (before, after))
    for key in dict.fromkeys([*old, *new]):
        first, second = old.get(key), new.get(key)
        if key not in new:
            yield f"- {key}: was {points(first)}"
        elif key not in old:
            yield f"+ {key}: {points(second)}"
        elif first is None or second is None or abs(second - first) > 10**-DECIMALS:
            delta = None if first is None or second is None else second - first
            yield "" if first is second else f"~ {key}: {points(first)} → {points(second)} ({change(delta)})"
        else:
            yield ""


def _identity_changes(before: RunRecord, after: RunRecord) -> Iterator[str]:
    """Say whether the checkpoint or a task's data changed."""
    old, new = before.checkpoints[0], after.checkpoints[0]
    if old.fingerprint != new.fingerprint:
        yield (f"~ checkpoint: {old.label} ({old.fingerprint[:12]}) → {new.label} ({new.fingerprint[:12]})")
    data = {task.name: task.fingerprint for task in before.tasks}
    for task in after.tasks:
        if task.name in data and data[task.name] != task.fingerprint:
            yield f"~ data of {task.name}: {data[task.name][:12]} → {task.fingerprint[:12]}"


def _values(record: RunRecord) -> dict[str, float | None]:
    """List a record's values by name; None for failed cells."""
    found: dict[str, float | None] = {}
    for cell in record.cells:
        name = f"{cell.task} · {cell.variant}"
        if isinstance(cell.outcome, Scored):
            found |= {f"{name} · {metric}": v.value for metric, v in cell.outcome.metrics.items()}
        else:
            found[name] = None
    return found
