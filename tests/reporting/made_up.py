"""Runs made up in code: no model, no file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from evalsuite.core.record import (
    CellRecord,
    CheckpointEntry,
    Encoding,
    Failed,
    Fidelity,
    MetricValue,
    PartEntry,
    Provenance,
    RunRecord,
    Scored,
    TaskEntry,
)
from evalsuite.core.run import Run
from evalsuite.core.spec import SweepSpec
from evalsuite.core.variant import Variant

BITS = {"float32": 32, "float16": 16, "int8": 8, "int4": 4, "binary": 1}
NASTY = "<script>alert(1)</script>\"& 'quoted' | *bold* `code` \u202eשלום مرحبا 🚀 $x_1$\x1b[31m"

SCIFACT = {
    "float32": {384: 64.51, 192: 61.22, 96: 52.40, 48: 38.05},
    "float16": {384: 64.50, 192: 61.22, 96: 52.41, 48: 38.05},
    "int8": {384: 64.32, 192: 61.30, 96: 52.18, 48: 37.84},
    "binary": {384: 58.10, 192: 50.02, 96: 35.43, 48: 18.20},
}
STS = {
    "float32": {384: 82.03, 192: 81.34, 96: 78.15, 48: 72.10},
    "float16": {384: 82.03, 192: 81.34, 96: 78.15, 48: 72.09},
    "int8": {384: 82.00, 192: 81.31, 96: 78.12, 48: 72.01},
    "binary": {384: 78.84, 192: 75.02, 96: 68.33, 48: 57.90},
}
DOCS = {
    "float32": {384: 71.3, 192: 69.9, 96: 63.7, 48: 51.9},
    "float16": {384: 71.3, 192: 69.9, 96: 63.8, 48: 51.9},
    "int8": {384: 71.1, 192: 69.8, 96: 63.5, 48: 51.5},
    "binary": {384: 66.5, 192: 60.0, 96: 47.7, 48: 30.2},
}

Values = Mapping[str, Mapping[int, float]]


def scored(
    value: float, bytes_per_vector: float, *, metric: str, half: float = 0.04, ties: float = 0.0
) -> Scored:
    """One scored cell; `ties` is the tie share, and the bracket is as wide as a tenth of it."""
    tied = {"expected": value - ties / 50, "ties_won": value + ties / 10, "ties_lost": value - ties / 10}
    metrics = {
        metric: MetricValue(value=value, lower=value - half, upper=value + half, **(tied if ties else {})),
        "recall@100": MetricValue(value=min(value + 0.2, 1), lower=value, upper=1),
    }
    return Scored(
        n=300,
        metrics=metrics,
        tie_share=ties if ties else None,
        bytes_per_vector=bytes_per_vector,
        seconds=0.1,
    )


def task_entry(
    name: str, *, kind: str = "retrieval", warnings: Sequence[str] = (), data: str = ""
) -> TaskEntry:
    """A task; `data` stands for its content."""
    sts = kind == "sts"
    return TaskEntry(
        name=name,
        kind="sts" if sts else "retrieval",
        task_type="STS" if sts else "Retrieval",
        split="test",
        source=f"bundled {name}",
        main_metric="cosine_spearman" if sts else "ndcg@10",
        fingerprint=f"{data or name}-fingerprint",
        counts={"pairs": 1379} if sts else {"documents": 5183, "queries": 300, "judgements": 339},
        warnings=tuple(warnings),
    )


def checkpoint_entry(label: str, *, dim: int = 384, warnings: Sequence[str] = ()) -> CheckpointEntry:
    """A checkpoint."""
    return CheckpointEntry(
        label=label,
        source=f"models/{label}",
        revision=None,
        fingerprint="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        dtype="float32",
        dim=dim,
        matryoshka_dims=(),
        max_seq_length=256,
        prompts={"query": "search query: "},
        prompts_origin="checkpoint",
        warnings=tuple(warnings),
    )


def cells_of(checkpoint: str, task: TaskEntry, values: Values) -> list[CellRecord]:
    """Turn a table of points into cells; binary cells of retrieval tasks have ties."""
    return [
        CellRecord(
            checkpoint=checkpoint,
            task=task.name,
            variant=str(Variant(dim, precision)),
            outcome=scored(
                value / 100,
                dim * BITS[precision] / 8,
                metric=task.main_metric,
                half=0.012 if task.kind == "sts" else 0.043,
                ties=24 / dim if precision == "binary" and task.kind == "retrieval" else 0.0,
            ),
        )
        for precision, row in values.items()
        for dim, value in row.items()
    ]


def make_run(
    checkpoints: Sequence[CheckpointEntry],
    tasks: Sequence[TaskEntry],
    cells: Sequence[CellRecord],
    folder: str = "run",
) -> Run:
    """A run around cells."""
    provenance = Provenance(
        created="2025-01-02T03:04:05Z",
        command="evalsuite run models/all-MiniLM-L6-v2 --tasks scifact,stsb",
        versions={"evalsuite": "0.1.0", "python": "3.11.9", "torch": "2.6.0"},
        platform="Linux x86_64",
        device="cpu",
        threads=2,
        git={"commit": "27cd111", "dirty": "no"},
        tie_rule="score descending, then document id descending (trec_eval)",
        calibration="the corpus of each task",
        interval="95 % percentile bootstrap over queries, 1000 resamples",
        seconds={"load": 1.2, "encode": 83.4, "score": 12.0, "total": 97.1},
        encodings=tuple(
            Encoding(checkpoint=entry.label, texts=8123, encoded=8000, seconds=83.4) for entry in checkpoints
        ),
    )
    record = RunRecord(
        asked=SweepSpec(
            models=tuple(entry.source for entry in checkpoints),
            tasks=tuple(task.name for task in tasks) or ("none",),
        ),
        checkpoints=tuple(checkpoints),
        tasks=tuple(tasks),
        cells=tuple(cells),
        provenance=provenance,
    )
    return Run(record, Path(folder))


def realistic_run(label: str = "all-MiniLM-L6-v2", *, lower: float = 0.0) -> Run:
    """SciFact, STSb and the standard library's documentation; `lower` points worse than MiniLM."""
    tasks = [task_entry("SciFact"), task_entry("STSb", kind="sts"), task_entry("Standard library")]
    cells = []
    for task, table in zip(tasks, (SCIFACT, STS, DOCS), strict=True):
        worse = {p: {d: v - lower for d, v in row.items()} for p, row in table.items()}
        cells += cells_of(label, task, worse)
    return make_run([checkpoint_entry(label)], tasks, cells)


LEVELS = (
    "float32", "float16", "bfloat16", "float8_e4m3", "float8_e5m2", "int8", "int8_affine", "int8_percentile",
    "int4", "int4_block32", "int4_affine", "ternary", "binary", "binary_centred", "sq8", "sq4", "pq_1bit",
    "pq_2bit", "opq_1bit", "rabitq_1bit", "rabitq_2bit", "rabitq_4bit", "turboquant_1bit", "turboquant_2bit",
    "turboquant_3bit", "turboquant_4bit",
)  # fmt: skip
CROWD = (
    *LEVELS,
    "int8+mteb", "binary+sbert", "binary+rescore4", "binary+rescore4:int8",
    *(f"{name}+asymmetric" for name in LEVELS[11:14] + LEVELS[16:] + ("int4", "int8")),
)  # fmt: skip
"""Forty-odd levels, deliberately not sorted by kind."""


def bits_of(precision: str) -> float:
    """A plausible size of any level, in bits a dimension."""
    digits = re.search(r"^(?:b?float|int|sq)(\d+)|_(\d)bit$", precision)
    if digits is not None:
        return float(digits[1] or digits[2])
    return 1.6 if precision == "ternary" else 1.0


def crowded_run(
    levels: Sequence[str] = CROWD, *, bonus: float = 0.0, tasks: int = 2, controls: bool = True
) -> Run:
    """A run of levels at four dimensions, with fidelity; int8 is better than float32 by `bonus` %.

    With many levels there are controls too, unless they are not wanted.
    """
    entries = [task_entry("SciFact"), task_entry("STSb", kind="sts")]
    entries += [task_entry(f"task {number}") for number in range(2, tasks)]
    texts = [f"{dim}/{level}" for level in levels for dim in (384, 256, 128, 64)]
    if len(levels) > 8 and controls:
        texts += [f"{kind}{dim}/{p}" for kind in ("pca", "random") for p in ("float32", "int8")
                  for dim in (256, 64)]  # fmt: skip
    cells = [
        CellRecord(checkpoint="m", task=task.name, variant=text, outcome=_crowded(text, task, bonus))
        for task in entries[:tasks]
        for text in texts
    ]
    return make_run([checkpoint_entry("m")], entries[:tasks], cells)


def _crowded(text: str, task: TaskEntry, bonus: float) -> Scored:
    """One cell: the fewer bits and dimensions, the worse; the better scored, the better."""
    variant = Variant.parse(text)
    bits = bits_of(variant.precision)
    better = {"asymmetric": 0.5, "rescore": 0.8}.get(variant.scoring.mode, 0.0)
    value = 0.65 * (1 - 20 / variant.dim) * (1 - 0.3 * (1 - better) / bits)
    if variant.precision == "float32":
        value = 0.65 * (1 - 20 / variant.dim)
    if variant.precision == "int8" and bonus:
        value = 0.65 * (1 - 20 / variant.dim) * (1 + bonus / 100)
    size = variant.dim * (bits + variant.scoring.multiplier * 2) / 8
    cell = scored(value, size, metric=task.main_metric, half=0.02)
    retrieval = task.kind == "retrieval"
    fidelity = Fidelity(
        sqnr_db=6 * bits - 16.5 if variant.precision != "float32" else None,
        mean_cosine=0.9812, rank_correlation=0.97, noise_ratio=0.0123,
        overlap_10=0.912 if retrieval else None, overlap_100=0.934 if retrieval else None,
    )  # fmt: skip
    return cell.model_copy(update={"fidelity": fidelity, "index_bytes": 1536.0})


def broken(run: Run, reasons: Mapping[tuple[str, str], str]) -> Run:
    """The same run with some (task, variant) cells failed."""
    cells = tuple(
        cell.model_copy(update={"outcome": Failed(reason=reasons[cell.task, cell.variant])})
        if (cell.task, cell.variant) in reasons
        else cell
        for cell in run.record.cells
    )
    return Run(run.record.model_copy(update={"cells": cells}), run.folder)


MTEB_TYPES = {
    "Retrieval": "ndcg@10", "STS": "cosine_spearman", "Classification": "accuracy",
    "Clustering": "v_measure", "PairClassification": "max_ap", "Reranking": "map@1000",
    "BitextMining": "f1", "Summarization": "cosine_spearman", "MultilabelClassification": "accuracy",
    "InstructionReranking": "p-MRR",
}  # fmt: skip
"""MTEB's kinds of text task, and the main metric of each."""


def mteb_entry(
    name: str, task_type: str, *, languages: Sequence[str] = (), subsets: Sequence[str] = ("default",),
    road: str = "mteb",
) -> TaskEntry:  # fmt: skip
    """An MTEB task."""
    return TaskEntry(
        name=name, kind="mteb", task_type=task_type, split="test", source=f"mteb 2.26.24: mteb/{name}@0228",
        main_metric=MTEB_TYPES[task_type], fingerprint=f"mteb-{name}-fingerprint", counts={"texts": 1000},
        road=road, languages=tuple(languages),
        parts=tuple(PartEntry(split="test", subset=subset, n=None) for subset in subsets),
    )  # fmt: skip


def mteb_cells(label: str, task: TaskEntry, values: Values) -> list[CellRecord]:
    """Cells as mteb's evaluator gives them: no interval, no known number of values."""
    return [
        cell.model_copy(update={"outcome": _without_interval(cell.outcome)})
        for cell in cells_of(label, task, values)
    ]


def _without_interval(outcome: Scored) -> Scored:
    metrics = {
        name: MetricValue(value=metric.value, lower=None, upper=None)
        for name, metric in outcome.metrics.items()
    }
    return outcome.model_copy(update={"metrics": metrics, "n": None})


def mteb_run(tasks: int = 131, *, label: str = "m", languages: Sequence[str] = ()) -> Run:
    """A benchmark of many kinds at sixteen variants; every kind loses a little more than the one before."""
    kinds = list(MTEB_TYPES)
    entries = [
        mteb_entry(f"Task{number:03}", kinds[number % len(kinds)], languages=languages)
        for number in range(tasks)
    ]
    cells = []
    for number, task in enumerate(entries):
        lower = number % len(kinds)
        table = {p: {d: v - lower for d, v in row.items()} for p, row in STS.items()}
        cells += mteb_cells(label, task, table)
    return make_run([checkpoint_entry(label)], entries, cells, folder="mteb")
