"""Runs made up in code, with per-query tables on disk: what the gate reads, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import pearsonr, spearmanr

from evalsuite.core.record import (
    CellRecord,
    CheckpointEntry,
    Encoding,
    Failed,
    MetricValue,
    Provenance,
    RunRecord,
    Scored,
    TableFile,
    TaskEntry,
)
from evalsuite.core.run import Run
from evalsuite.core.spec import SweepSpec

VARIANTS = ("768/float32", "768/int8", "128/float32", "128/binary")
TIE_RULE = "score descending, then document id descending (trec_eval)"


@dataclass(frozen=True)
class MadeTask:
    """A task and its values: float (n,) a variant; for pairs, cosines, with `gold`."""

    name: str
    values: Mapping[str, Any]
    gold: Any = None
    failed: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = True

    @property
    def kind(self) -> str:
        return "retrieval" if self.gold is None else "sts"

    @property
    def metric(self) -> str:
        return "ndcg@10" if self.gold is None else "cosine_spearman"


def retrieval(name: str = "scifact", n: int = 300, *, seed: int = 0, level: float = 0.0) -> MadeTask:
    """nDCG-like values; binary is 0.1 lower; `level` is added to every query."""
    rng = np.random.default_rng(seed)
    hard = rng.beta(2, 1, n)
    values = {v: hard + rng.normal(0, 0.05, n) - 0.1 * v.endswith("binary") + level for v in VARIANTS}
    return MadeTask(name, {v: np.clip(x, 0, 1) for v, x in values.items()})


def similarity(name: str = "stsb", n: int = 200, *, seed: int = 1) -> MadeTask:
    """Cosines around scores by people."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 11, n) / 2.0
    return MadeTask(name, {v: np.clip((gold + rng.normal(0, 1, n)) / 8, -1, 1) for v in VARIANTS}, gold)


def shifted(task: MadeTask, by: float, *, variants: tuple[str, ...] = VARIANTS, noise: float = 0.05,
            seed: int = 7) -> MadeTask:  # fmt: skip
    """The same task seen by another checkpoint: noise of mean 0, and `by` added at some variants."""
    rng = np.random.default_rng(seed)
    values = {}
    for variant, before in task.values.items():
        drawn = rng.normal(0, noise, len(before))
        values[variant] = before + drawn - drawn.mean() + (by if variant in variants else 0)
    return replace(task, values=values)


def make_run(folder: Path, *tasks: MadeTask, label: str = "model", prompts: Mapping[str, str] | None = None,
             **provenance: Any) -> Run:  # fmt: skip
    """Write a run."""
    (folder / "per_query").mkdir(parents=True, exist_ok=True)
    cells, files = [], []
    for number, task in enumerate(tasks):
        cells += _cells(task, label)
        if task.kept and task.values:
            path = f"per_query/{number:03d}.parquet"
            _table(task).to_parquet(folder / path, index=False)
            files.append(TableFile(checkpoint=label, task=task.name, path=path))
    record = RunRecord(
        asked=SweepSpec(models=(label,), tasks=tuple(task.name for task in tasks) or ("none",)),
        checkpoints=(_checkpoint(label, prompts or {"query": "query: "}),),
        tasks=tuple(map(_entry, tasks)),
        cells=tuple(cells),
        per_query=tuple(files),
        provenance=_provenance(label, **provenance),
    )
    (folder / "record.json").write_text(record.to_json(), encoding="utf-8")
    return Run(record, folder)


def _checkpoint(label: str, prompts: Mapping[str, str]) -> CheckpointEntry:
    return CheckpointEntry(
        label=label, source=f"models/{label}", revision=None, fingerprint=f"{label}-fingerprint",
        dtype="float32", dim=768, matryoshka_dims=(768, 128), max_seq_length=256, prompts=dict(prompts),
        prompts_origin="checkpoint",
    )  # fmt: skip


def _provenance(label: str, **changes: Any) -> Provenance:
    values: dict[str, Any] = {
        "created": "2026-01-02T03:04:05Z", "command": "evalsuite run", "versions": {}, "platform": "Linux",
        "device": "cpu", "threads": 1, "git": {}, "tie_rule": TIE_RULE, "calibration": "each corpus",
        "interval": "bootstrap", "seconds": {"total": 1.5},
        "encodings": (Encoding(checkpoint=label, texts=100, encoded=100, seconds=10.0),),
    }  # fmt: skip
    return Provenance(**{**values, **changes})


def _entry(task: MadeTask) -> TaskEntry:
    n = len(next(iter(task.values.values()))) if task.values else 0
    counts = {"documents": 1000, "queries": n} if task.gold is None else {"pairs": n}
    values = {
        "name": task.name, "kind": task.kind, "task_type": "Retrieval" if task.gold is None else "STS",
        "split": "test", "source": f"folder {task.name}", "main_metric": task.metric,
        "fingerprint": f"data of {task.name}", "counts": counts,
    }  # fmt: skip
    return TaskEntry(**{**values, **task.changes})


def _cells(task: MadeTask, label: str) -> list[CellRecord]:
    found = []
    for variant, values in task.values.items():
        metrics = _metrics(task, np.asarray(values, dtype=float))
        dim, level = variant.rpartition("@")[2].split("/")
        size = float(dim) * {"float32": 4, "int8": 1, "binary": 0.125}[level]
        outcome: Any = Scored(n=len(values), metrics=metrics, bytes_per_vector=size, seconds=0.1)
        if variant in task.failed:
            outcome = Failed(reason=task.failed[variant])
        found.append(CellRecord(checkpoint=label, task=task.name, variant=variant, outcome=outcome))
    return found


def _metrics(task: MadeTask, values: Any) -> dict[str, MetricValue]:
    if task.gold is None:
        numbers = {"ndcg@10": values.mean(), "recall@100": np.sqrt(np.abs(values)).mean()}
    else:
        numbers = {"cosine_spearman": spearmanr(np.round(values, 6), task.gold).statistic,
                   "cosine_pearson": pearsonr(values, task.gold).statistic}  # fmt: skip
    return {name: MetricValue(value=float(v), lower=float(v), upper=float(v)) for name, v in numbers.items()}


def _table(task: MadeTask) -> pd.DataFrame:
    tables = []
    for variant, values in task.values.items():
        if variant in task.failed:
            continue
        ids = [f"q{row:03d}" for row in range(len(values))]
        frame = pd.DataFrame({"variant": variant, "id": ids})
        if task.gold is None:
            tops = [
                [f"d{(row * 7 + k + int(1000 * values[row])) % 97}" for k in range(10)]
                for row in range(len(ids))
            ]
            frame = frame.assign(**{"ndcg@10": values, "recall@100": np.sqrt(np.abs(values)), "top": tops})
        else:
            frame = frame.assign(cosine=values, gold=task.gold)
        tables.append(frame)
    return pd.concat(tables, ignore_index=True)
