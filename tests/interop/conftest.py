"""Results that mteb itself wrote for two mock tasks, and a run of evalsuite's with the same scores."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mteb
import mteb.mocks
import pandas as pd
import pytest
from datasets import disable_progress_bars, enable_progress_bars
from mteb.models.compression_wrappers.compression_wrapper import CompressionWrapper
from mteb.types import OutputDType

from evalsuite.core.record import (
    CellRecord,
    CheckpointEntry,
    Failed,
    MetricValue,
    PartEntry,
    Provenance,
    RunRecord,
    Scored,
    TableFile,
    TaskEntry,
)
from evalsuite.core.run import Run
from evalsuite.core.spec import SweepSpec
from evalsuite.sweep.replay.outcome import flatten

MODEL = "mteb/baseline-random-encoder"
TASKS = ("MockRetrievalTask", "MockMultilingualSTSTask", "MockClassificationTask")
MAIN = {"MockRetrievalTask": "ndcg@10", "MockMultilingualSTSTask": "cosine_spearman"}
FINGERPRINT = "ab" * 32


@dataclass(frozen=True)
class Evaluated:
    """mteb's own cache folder and the results it returned, by task, for the plain model and for int8."""

    folder: Path
    plain: Mapping[str, Any]
    int8: Mapping[str, Any]


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Evaluate a random encoder with mteb. Read only."""
    folder = tmp_path_factory.mktemp("mteb-cache")
    tasks = [task for task in mteb.mocks.MOCK_TASK_TEST_GRID if task.metadata.name in TASKS]
    found = []
    disable_progress_bars()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        int8 = CompressionWrapper(mteb.get_model(MODEL, embed_dim=32), OutputDType.INT8)
        for model in (mteb.get_model(MODEL), int8):
            results = mteb.evaluate(
                model, tasks, cache=mteb.ResultCache(folder), show_progress_bar=False, raise_error=False
            )
            found.append({each.task_name: each for each in results})
    enable_progress_bars()
    return Evaluated(folder, found[0], found[1])


def checkpoint(label: str = "runs/final", **changes: Any) -> CheckpointEntry:
    """Describe a local checkpoint."""
    values: dict[str, Any] = {
        "label": label,
        "source": "/somewhere/runs/final",
        "revision": None,
        "fingerprint": FINGERPRINT,
        "dtype": "float32",
        "dim": 32,
        "matryoshka_dims": (),
        "max_seq_length": 128,
        "prompts": {},
        "prompts_origin": "none",
    }
    return CheckpointEntry(**{**values, **changes})


def official_rows(result: Any, variant: str) -> list[dict[str, Any]]:
    """Flatten a result of mteb's into rows of an official table."""
    return [
        {
            "variant": variant,
            "split": split,
            "subset": entry["hf_subset"],
            "languages": ",".join(entry["languages"]),
            "metric": metric,
            "value": value,
        }
        for split, entries in result.scores.items()
        for entry in entries
        for metric, value in flatten(entry).items()
    ]


def run_like(
    folder: Path,
    results: Mapping[str, Any],
    variants: tuple[str, ...],
    *,
    model: CheckpointEntry | None = None,
) -> Run:
    """Make a run with mteb's scores at every variant, one failed cell a task and one own task."""
    model = model or checkpoint()
    tables, cells, tasks = [], [], [_own_task()]
    for name, result in results.items():
        frame = pd.DataFrame([row for v in variants for row in official_rows(result, v)])
        path = Path("official") / f"{name}.parquet"
        (folder / "official").mkdir(parents=True, exist_ok=True)
        frame.to_parquet(folder / path)
        tables.append(TableFile(checkpoint=model.label, task=name, path=str(path)))
        tasks.append(_task(name, result))
        scored = Scored(
            n=4,
            metrics={tasks[-1].main_metric: MetricValue(value=float(result.get_score()))},
            bytes_per_vector=36.0,
            index_bytes=7.0,
            seconds=0.5,
        )
        cells += [CellRecord(checkpoint=model.label, task=name, variant=v, outcome=scored) for v in variants]
        lost = Failed(reason="it broke")
        cells.append(CellRecord(checkpoint=model.label, task=name, variant="8/binary", outcome=lost))
    record = RunRecord(
        asked=SweepSpec(models=(model.source,), tasks=tuple(results)),
        checkpoints=(model,),
        tasks=tuple(tasks),
        cells=tuple(cells),
        official=tuple(tables),
        provenance=_provenance(),
    )
    (folder / "record.json").write_text(record.to_json(), "utf-8")
    return Run(record, folder)


def _task(name: str, result: Any) -> TaskEntry:
    parts = [PartEntry(split=split, subset=e["hf_subset"]) for split, es in result.scores.items() for e in es]
    return TaskEntry(
        name=name,
        kind="mteb",
        task_type="Any",
        split=",".join(result.scores),
        source=f"mteb 2.26.24: mteb/{name}@NA",
        main_metric=MAIN.get(name, "accuracy"),
        fingerprint="cd" * 32,
        counts={},
        road="native",
        parts=tuple(parts),
    )


def _own_task() -> TaskEntry:
    return TaskEntry(
        name="mine",
        kind="sts",
        task_type="STS",
        split="test",
        source="card",
        main_metric="cosine_spearman",
        fingerprint="ef" * 32,
        counts={},
    )


def _provenance() -> Provenance:
    return Provenance(
        created="2026-11-23T00:00:00+00:00",
        command="test",
        versions={},
        platform="test",
        device="cpu",
        threads=1,
        git={},
        tie_rule="",
        calibration="",
        interval="",
        seconds={},
    )
