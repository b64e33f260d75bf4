"""What stands beside a run on its page, made up: spread, search, a comparison, an ablation, values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from evalsuite.core.ablation import AblationReport, Comparison, Dose, Effect, TrainedArm
from evalsuite.core.ann import AnnCurve, AnnEntry, AnnMissing, AnnPoint, AnnProbe, HnswBuild, IvfBuild
from evalsuite.core.record import TableFile
from evalsuite.core.run import Run
from evalsuite.core.spread import CROSS_STATISTICS, SIDE_STATISTICS, Curve, SpreadEntry, SpreadValue
from evalsuite.core.verdict import Evidence, Finding, QueryMove, Side, Verdict, by_harm

SIDES = ("document", "query", "query-document")


def spread_entries(
    checkpoints: Sequence[str] = ("m",),
    tasks: Sequence[str] = ("SciFact",),
    dims: Sequence[int] = (48, 96, 192, 384),
) -> list[SpreadEntry]:
    """Spread that grows worse with the dimension, and with every further checkpoint."""
    return [
        spread_entry(checkpoint, task, side, dim, crowd=1.3 + number)
        for number, checkpoint in enumerate(checkpoints)
        for task in tasks
        for side in SIDES
        for dim in dims
    ]


def spread_entry(checkpoint: str, task: str, side: str, dim: int, *, crowd: float) -> SpreadEntry:
    """One side at one dimension: M2·d is `crowd` at 48 dimensions."""
    m2d = crowd * (dim / 48) ** 0.4
    names = CROSS_STATISTICS if side == "query-document" else SIDE_STATISTICS
    values = {name: SpreadValue(value=0.1 + 0.001 * dim) for name in names}
    values |= {
        "second_moment_x_dim": SpreadValue(value=m2d, ideal=1.0, lower=0.97 * m2d, upper=1.03 * m2d),
        "effective_dimension": SpreadValue(value=dim / m2d, ideal=float(dim)),
        "mean_cosine": SpreadValue(value=0.05 * crowd, ideal=0.0),
        "hub_skew": SpreadValue(value=1.2 * crowd, ideal=0.3),
    }
    missing = {}
    if side == "query":
        del values["twonn_dimension"]
        missing = {"twonn_dimension": "fewer than 20 texts"}
    x = [-0.6 + 0.02 * step for step in range(61)]
    ranks = [float(rank) for rank in (1, 2, 3, 5, 8, 13, 21, 34, dim)]
    return SpreadEntry(
        checkpoint=checkpoint, task=task, side=side, dim=dim, n=5183, ideal_rank=dim, values=values,
        missing=missing,
        cosines=Curve(
            x=tuple(x), y=tuple(bell(at - 0.05 * crowd, math.sqrt(m2d / dim)) for at in x),
            ideal=tuple(bell(at, 1 / math.sqrt(dim)) for at in x),
        ),
        spectrum=Curve(
            x=tuple(ranks), y=tuple(0.1 * crowd * rank**-0.8 for rank in ranks),
            ideal=tuple(1 / dim for _ in ranks),
        ),
    )  # fmt: skip


def bell(x: float, sd: float) -> float:
    """The normal density."""
    return math.exp(-0.5 * (x / sd) ** 2) / (sd * math.sqrt(2 * math.pi))


def probes(checkpoints: Sequence[str] = ("m",), tasks: Sequence[str] = ("SciFact",)) -> list[AnnEntry]:
    """HNSW and IVF over two ways to store the vectors; the coarse one never reaches 95 %."""
    return [
        AnnEntry(checkpoint=checkpoint, task=task, probe=probe(dim, precision, 1.0 + 0.4 * number))
        for number, checkpoint in enumerate(checkpoints)
        for task in tasks
        for dim, precision in ((384, "float32"), (96, "int8"), (96, "binary"))
    ]


def probe(dim: int, precision: str, work: float) -> AnnProbe:
    """One probe."""
    best = 0.9 if precision == "binary" else 0.999
    curves = tuple(
        AnnCurve(
            index=index, dim=dim, precision=precision, asked=asked, truth=truth, distance="inner product",
            points=tuple(
                AnnPoint(parameter=2**step, work=work * 40 * 2**step, recall=best * (1 - 0.5 * 0.5**step))
                for step in range(7)
            ),
            auc=0.61,
            work_at={0.9: 300.0 * work, 0.95: None if best < 0.95 else 520.0 * work, 0.99: None},
            build=HnswBuild(m=16, ef_construction=100, seed=0)
            if index == "hnsw" else IvfBuild(lists=64, training_documents=5183, seed=0),
        )
        for index in ("hnsw", "ivf")
        for asked in ("query", "document")
        for truth in ("float32", "codes")
    )  # fmt: skip
    return AnnProbe(
        dim=dim, precision=precision, k=10, documents=5183, queries=300, held_out=200, seed=0, curves=curves
    )


def verdict(findings: int = 30, name: str = "SciFact") -> Verdict:
    """A comparison that failed: one regression with the queries behind it, one open, the rest passed."""
    moved = (
        QueryMove(
            id="q1", before=1.0, after=0.0, change=-1.0, text="what is <b>bold</b>?", top_before=("d1",)
        ),
    )
    found = [
        finding(name, "256/int8", "regressed", "fails", -0.041, moved=moved),
        finding(name, "128/binary", "inconclusive", "warns", -0.004),
        Finding(subject="required", task="STSb", variant="64/int8", status="missing", effect="blocks",
                reason="the candidate has no such cell; evaluate it again"),
        *(finding(name, f"{dim}/float32", "passed", "none", 0.001) for dim in range(8, 8 + findings)),
    ]  # fmt: skip
    side = {"fingerprint": "abc", "created": "2025-01-02T03:04:05Z"}
    return Verdict(
        baseline=Side(label="main", source="reports/baselines/main", **side),
        candidate=Side(label="step-900", source="reports/runs/step-900", **side),
        policy="default", alpha=0.05, power=0.8,
        method="Paired permutation tests over queries, Holm's correction.",
        findings=by_harm(found), notes=("a rule for `rerank` matched nothing",),
    )  # fmt: skip


def finding(task: str, variant: str, status: str, effect: str, delta: float, **more: object) -> Finding:
    """One finding with its statistics."""
    evidence = Evidence(
        n=300, delta=delta, lower=delta - 0.012, upper=delta + 0.012, interval="percentile bootstrap",
        margin=0.01, p_drop=0.003, p_drop_adjusted=0.012, p_gain_adjusted=1.0, p_noninferior=0.9,
        p_flip=0.004, p_exploratory=0.02, effect_size=-0.3, wins=20, losses=60, detectable=0.014,
        retention=0.94, retention_lower=0.92, retention_upper=0.96,
    )  # fmt: skip
    return Finding(
        task=task, task_type="Retrieval", variant=variant, metric="ndcg@10", status=status, effect=effect,
        reason=f"{100 * delta:+.1f} points over 300 queries", baseline=0.645, candidate=0.645 + delta,
        evidence=evidence, **more,
    )  # fmt: skip


def ablation() -> AblationReport:
    """Three arms of three seeds: spread falls, binary retention rises, float32 quality stays."""
    effects = [
        effect("quality", "ndcg@10", "float32", -0.1, 0.8),
        effect("retention", "ndcg@10", "binary", 3.2, 0.001),
        effect("spread", "document second_moment_x_dim", "float32", -1.7, 0.0001),
        effect("ann", "hnsw work at recall 0.95", "float32", -80.0, None),
    ]  # fmt: skip
    doses = [
        Dose(quantity="retention", task="SciFact", name="ndcg@10", dim=dim, precision="binary", weight=weight,
             arm=f"gor-{weight:g}", values=(70 + 3 * weight + dim / 100, 71 + 3 * weight + dim / 100))
        for dim in (128, 256) for weight in (0.0, 0.5, 1.0)
    ]  # fmt: skip
    arms = [
        TrainedArm(arm=f"gor-{weight:g}", seed=seed, losses={"nce": 1.0, "gor": weight},
                   folder=f"gor-{weight:g}-{seed}", steps=900, seconds=61.0, history=())
        for weight in (0.0, 0.5, 1.0) for seed in (0, 1, 2)
    ]  # fmt: skip
    return AblationReport(
        recipe="small", arms=tuple(arms), doses=tuple(doses), method="paired over seeds and queries",
        comparisons=(Comparison(treated="gor-1", control="gor-0", effects=tuple(effects)),),
    )  # fmt: skip


def effect(quantity: str, name: str, precision: str, difference: float, p: float | None) -> Effect:
    """One effect with its interval."""
    return Effect(
        quantity=quantity, task="SciFact", name=name, dim=128, precision=precision, control=70.0,
        treated=70.0 + difference, difference=difference, p=p, adjusted_p=p, seeds=3, n=300,
        lower=None if p is None else difference - 0.5, upper=None if p is None else difference + 0.5,
    )  # fmt: skip


def with_values(run: Run, folder: Path, *, queries: int = 40, hostile: str = "") -> Run:
    """The same run in a folder, with per-query tables whose means are the recorded values."""
    files = []
    for number, (checkpoint, task) in enumerate(
        dict.fromkeys((c.checkpoint, c.task) for c in run.record.cells)
    ):
        entry, rng = run.task(task), np.random.default_rng(number)
        base, gold = rng.uniform(-0.3, 0.3, queries), rng.uniform(0, 5, queries)
        rows = []
        for cell in run.record.cells:
            if (cell.checkpoint, cell.task) != (checkpoint, task) or cell.outcome.status != "scored":
                continue
            value, noise = cell.outcome.metrics[entry.main_metric].value, rng.normal(size=queries)
            own = value + base - base.mean() + (1 - value) * 0.1 * (noise - noise.mean())
            column = "cosine" if entry.kind == "sts" else entry.main_metric
            table = {
                "variant": cell.variant,
                "id": [f"{hostile}q{i:03}" for i in range(queries)],
                column: own,
            }
            extra = {"gold": gold} if entry.kind == "sts" else {
                "top": [[f"{hostile}d{(i + j) % 97}" for j in range(10)] for i in range(queries)]
            }  # fmt: skip
            rows.append(pd.DataFrame({**table, **extra}))
        if rows:
            path = Path("per_query") / f"{number:03}.parquet"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            pd.concat(rows, ignore_index=True).to_parquet(folder / path)
            files.append(TableFile(checkpoint=checkpoint, task=task, path=str(path)))
    record = run.record.model_copy(update={"per_query": tuple(files)})
    (folder / "record.json").write_text(record.to_json(), encoding="utf-8")
    return Run(record, folder)


def with_parts(run: Run) -> Run:
    """The same run with spread and search of its first task, and a probe that could not be made."""
    labels, tasks = ([entry.label for entry in run.record.checkpoints], [run.record.tasks[0].name])
    missing = (AnnMissing(checkpoint=labels[0], task=tasks[0], reason="48/int4: faiss refused <it>"),)
    found = {
        "spread": tuple(spread_entries(labels, tasks)),
        "ann": tuple(probes(labels, tasks)),
        "ann_missing": missing,
    }
    return Run(run.record.model_copy(update=found), run.folder)
