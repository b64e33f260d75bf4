"""Runs on disk, made up in code: records and small Parquet files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evalsuite.core.run import Run
from evalsuite.core.spread import SpreadEntry, SpreadValue
from evalsuite.sweep.writer import RunWriter
from tests.reporting.made_up import cells_of, checkpoint_entry, make_run, task_entry

VALUES = {"float32": {4: 80.0, 2: 60.0}, "binary": {4: 50.0}}


def at(run: Run, created: str) -> Run:
    """The same run, ended at another time."""
    provenance = run.record.provenance.model_copy(update={"created": created})
    return Run(run.record.model_copy(update={"provenance": provenance}), run.folder)


def small_run(label: str = "m", *, created: str = "2025-01-01T00:00:00Z", lower: float = 0.0) -> Run:
    """One checkpoint on a retrieval task and an STS task, three variants each."""
    tasks = [task_entry("SciFact"), task_entry("STSb", kind="sts")]
    values = {level: {dim: value - lower for dim, value in row.items()} for level, row in VALUES.items()}
    cells = [cell for task in tasks for cell in cells_of(label, task, values)]
    return at(make_run([checkpoint_entry(label)], tasks, cells), created)


def with_spread(run: Run, value: float, *, dims: tuple[int, ...] = (4, 2), tasks: int = 1) -> Run:
    """The same run with M2·d of its first tasks' documents: `value` at the first dimension, then one less."""
    label = run.record.checkpoints[0].label
    entries = tuple(
        SpreadEntry(
            checkpoint=label, task=task.name, side="document", dim=dim, n=9, ideal_rank=dim,
            values={
                "second_moment_x_dim": SpreadValue(value=value - less, ideal=1.0, lower=value - less - 0.1,
                                                   upper=value - less + 0.1)
            },
            missing={"margin": "no queries"},
        )
        for task in run.record.tasks[:tasks]
        for less, dim in enumerate(dims)
    )  # fmt: skip
    return Run(run.record.model_copy(update={"spread": entries}), run.folder)


def tables(run: Run) -> dict[str, pd.DataFrame]:
    """Per-query values by task: two queries a variant, with columns that differ between the kinds."""
    variants = [variant for variant in ("4/float32", "2/float32", "4/binary") for _ in range(2)]
    ids = ["q1", "q2"] * 3
    ranked = {"variant": variants, "id": ids, "ndcg@10": [1.0, 0.6, 0.6, 0.6, 0.5, 0.5], "top": [["d1"]] * 6}
    pairs = {"variant": variants, "id": ids, "cosine": [0.1] * 6, "gold": [3.0] * 6}
    return {"SciFact": pd.DataFrame(ranked), "STSb": pd.DataFrame(pairs)}


def write(run: Run, folder: Path, *, official: bool = False) -> Path:
    """Put a run on disk, with its tables; return its folder."""
    label = run.record.checkpoints[0].label
    with RunWriter(folder) as writer:
        for task, table in tables(run).items():
            writer.add_table(label, task, table)
        if official:
            row = {"variant": "4/float32", "split": "test", "subset": "default", "languages": "eng-Latn",
                   "metric": "ndcg_at_10", "value": 0.8}  # fmt: skip
            writer.add_official(label, "SciFact", pd.DataFrame([row]))
        writer.finish(run.record)
    return folder
