"""Write the table weights x dimension x precision, with every level's paired difference from native weights.

all-MiniLM-L6-v2 on STSb, SciFact and near-miss; then the twins, heads over it that differ in one loss, to see
whether vectors that are spread out bear rounded weights better. Every level encodes every text once, into the
user's store; what is there already is not encoded again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from cutting import judged_first
from measuring import conditions
from throughput import write

if TYPE_CHECKING:
    from evalsuite.core.record import CheckpointEntry
    from evalsuite.core.run import Run
    from evalsuite.gate.estimates import Estimate

LEVELS = ("bfloat16", "q8_0", "q4_0", "int8_channel", "e4_a8_f4_p4")
DIMS, PRECISIONS = (384, 256, 128, 64), ("float32", "int8", "binary")
MODEL, TWINS = "all-MiniLM-L6-v2", ("minilm-without-gor", "minilm-with-gor")
ALPHA = 0.025
"""One-sided: intervals are of 95 %."""
TASK_NAMES = {"near-miss": "near-miss", "stsb": "STSb"}


@dataclass(frozen=True)
class Change:
    """How much one level changes one cell, in points.

    Attributes:
        delta: The change.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
        shown: Whether it is shown after Holm's correction over all cells of the table.
        resampled: float64 (B,), the change in each resample.
    """

    delta: float
    lower: float
    upper: float
    shown: bool
    resampled: np.ndarray

    def __str__(self) -> str:
        mark = " \\*" if self.shown else ""
        return f"{self.delta:+.2f} ({self.lower:+.2f} to {self.upper:+.2f}){mark}"


Key = tuple[str, str, str]
"""Weight level, task, variant without weights."""


def main() -> None:
    """Evaluate, compare, write README.md."""
    options = parse()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from evalsuite.api import load_tasks

    with tempfile.TemporaryDirectory() as name:
        (scifact,) = load_tasks([options.scifact])
        small = write(judged_first(scifact, options.documents), Path(name) / f"scifact-{options.documents}")
        tasks = ["near-miss", options.stsb, small]
        base = evaluate([MODEL], tasks, Path(name) / "base")
        twins = evaluate(list(TWINS), tasks, Path(name) / "twins")
        lines = [*head(base, options.documents), *rounding(base), *levels(base), *with_gor(twins)]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scifact", required=True, help="BEIR folder of SciFact")
    parser.add_argument("--stsb", required=True, help="folder of STSb")
    parser.add_argument("--documents", type=int, default=1000, help="SciFact is cut to so many, judged first")
    parser.add_argument("--out", type=Path, required=True, help="folder of README.md")
    return parser.parse_args()


def evaluate(models: list[str], tasks: Sequence[str], out: Path) -> Run:
    """Evaluate every level; say so if a cell failed."""
    import evalsuite
    from evalsuite.core.record import Failed

    levels = ("native", *LEVELS)
    run = evalsuite.evaluate(models, tasks, DIMS, PRECISIONS, out, weights=levels, spread=False)
    failed = [cell.outcome.reason for cell in run.record.cells if isinstance(cell.outcome, Failed)]
    if failed:
        sys.exit(f"{len(failed)} cells failed, the first: {failed[0]}")
    return run


def changes(run: Run, model: str) -> dict[Key, Change]:
    """Compare every level of one model with its native weights, cell by cell, query by query."""
    from evalsuite.stats.multiplicity import holm

    found = {
        (level, estimate.pair.task, str(estimate.pair.variant)): estimate
        for level in LEVELS
        for estimate in estimates(run, entry(run, model, "native"), entry(run, model, level))
    }
    shown = holm([estimate.p_two_sided for estimate in found.values()]) < 2 * ALPHA
    return {
        key: Change(
            100 * each.delta, 100 * each.bounds[0], 100 * each.bounds[1], bool(mark),
            100 * each.resampled.astype(np.float64),
        )
        for (key, each), mark in zip(found.items(), shown, strict=True)
    }  # fmt: skip


def estimates(run: Run, native: CheckpointEntry, level: CheckpointEntry) -> list[Estimate]:
    """Let the gate estimate the differences between two checkpoints of one run."""
    from evalsuite.gate.estimates import estimate_cells
    from evalsuite.gate.match import Party, match
    from evalsuite.gate.policy import Policy

    policy = Policy(alpha=ALPHA)
    parties = Party.of(run, native.label, "baseline"), Party.of(run, level.label, "candidate")
    pairs = match(*parties, policy)
    if any(pair.status for pair in pairs):
        sys.exit(f"{level.label} cannot be compared: {next(pair.reason for pair in pairs if pair.status)}")
    found, without = estimate_cells(pairs, parties, policy)
    if without:
        sys.exit(f"{level.label} cannot be compared: {without[0][1]}")
    return found


def entry(run: Run, model: str, level: str) -> CheckpointEntry:
    """Find a checkpoint by its model and weights."""
    return next(c for c in run.record.checkpoints if (c.source, c.weights) == (model, level))


def head(run: Run, documents: int) -> Iterator[str]:
    """Say what was done, and how."""
    import torch

    made = run.record.provenance
    yield "# Weights x dimension x precision"
    yield ""
    yield (
        f"{MODEL} with its weights rounded to six levels, at {len(DIMS)} dimensions and {len(PRECISIONS)} "
        f"precisions of the vectors, on STSb (test, 1,379 pairs), SciFact (300 queries, cut to {documents:,} "
        "documents with the judged ones first, so its scores are above those on the whole corpus) and "
        "near-miss (168 queries). All levels are post-training quantization (PTQ) of one checkpoint, run in "
        f"float32. `make gallery-weights` repeats it. Made on {made.created[:10]}: "
        f"{conditions(torch.get_num_threads())}."
    )
    yield ""


def rounding(run: Run) -> Iterator[str]:
    """Tabulate what rounding did to the model."""
    groups = ("token_embedding", "attention", "feed_forward")
    native = next(c.weight_report.native_bytes for c in run.record.checkpoints if c.weight_report)
    yield "## What rounding does to the weights"
    yield ""
    yield from heading("weights", "bits a weight", "MB", "smaller", *(f"{g} SQNR, dB" for g in groups))
    yield f"| native | 32.00 | {native / 1e6:.1f} | 1x |{' |' * len(groups)}"
    for level in LEVELS:
        report = entry(run, MODEL, level).weight_report
        if report is None:
            sys.exit(f"{level}: no weight report")
        noise = {group.group: group.sqnr_db for group in report.groups}
        cells = " | ".join(f"{noise[group]:.1f}" for group in groups)
        size = f"{report.bytes / 1e6:.1f} | {native / report.bytes:.1f}x"
        yield f"| `{level}` | {report.bits_per_weight:.2f} | {size} | {cells} |"
    yield ""


def levels(run: Run) -> Iterator[str]:
    """Tabulate scores, and paired differences from native weights."""
    from evalsuite.reporting.text import metric_title

    found = changes(run, MODEL)
    scores = {(c.checkpoint, c.task, c.variant): c.outcome for c in run.record.cells}
    for task in run.record.tasks:
        metric = metric_title(task.main_metric)
        yield f"## {title(task.name)}: {metric} in points, ± half of the 95 % interval"
        yield ""
        yield from heading("weights", *(f"{dim} {p}" for p in PRECISIONS for dim in DIMS))
        for level in ("native", *LEVELS):
            label = entry(run, MODEL, level).label
            prefix = "" if level == "native" else f"{level}@"
            outcomes = [
                scores[label, task.name, f"{prefix}{dim}/{p}"].metrics[task.main_metric]
                for p in PRECISIONS
                for dim in DIMS
            ]
            cells = [f"{100 * o.value:.1f} ±{50 * (o.upper - o.lower):.1f}" for o in outcomes]
            yield f"| `{level}` | {' | '.join(cells)} |"
        yield ""
        yield "The same queries or pairs with these weights minus native, points (95 % interval):"
        yield ""
        yield from table(found, task.name)
    yield from means(found, [task.name for task in run.record.tasks])


def means(found: dict[Key, Change], tasks: Sequence[str]) -> Iterator[str]:
    """Tabulate each level's mean change over the cells of a task and over all, and say what is shown."""
    all_tasks = "all three"
    columns = {task: (task,) for task in tasks} | {all_tasks: tuple(tasks)}
    over = corrected(
        {
            (level, column, ""): mean(
                [c for key, c in found.items() if key[0] == level and key[1] in members]
            )
            for level in LEVELS
            for column, members in columns.items()
        }
    )
    yield "## Means over the cells of a task"
    yield ""
    yield (
        f"One cell says little: Holm's correction over all {len(found)} of them marks "
        f"{sum(change.shown for change in found.values())}. The means over the {len(DIMS) * len(PRECISIONS)} "
        "cells of a task have tighter intervals. Points (95 % interval); \\* is shown after Holm's "
        f"correction over the {len(over)} means, level 5 %. (This table was added after the ones above had "
        "been seen.)"
    )
    yield ""
    yield from heading("weights", *(title(column) for column in columns))
    for level in LEVELS:
        yield f"| `{level}` | {' | '.join(str(over[level, column, '']) for column in columns)} |"
    yield ""
    for level in LEVELS:
        mine = {title(column): over[level, column, ""] for column in columns}
        shown = ", ".join(name for name, change in mine.items() if change.shown) or "nothing"
        alone = ", ".join(name for name, c in mine.items() if c.lower > 0 or c.upper < 0) or "nothing"
        words = f"a difference from native is shown on {shown}; uncorrected, 0 is outside on {alone}."
        yield f"- **`{level}`**: {words}"
    yield ""


def with_gor(run: Run) -> Iterator[str]:
    """Tabulate what rounding costs the twin with GOR minus what it costs the one without."""
    without, spread = (changes(run, twin) for twin in TWINS)
    gains = {key: minus(spread[key], without[key]) for key in spread}
    gains = corrected(gains)
    yield "## Does a spread-out space bear rounded weights better?"
    yield ""
    yield (
        "The twins are heads over this model that differ in one loss: GOR, which spreads vectors over the "
        "sphere. Below: the change that a weight level makes to the twin with GOR minus the change it makes "
        "to the one without, in points; above 0, GOR helps. The rounding covers encoder and head. The twins "
        "that are shipped are **one seed**: intervals are over queries and pairs, they say nothing of other "
        "seeds."
    )
    yield ""
    for task in run.record.tasks:
        yield f"### {title(task.name)}"
        yield ""
        yield from table(gains, task.name)
    yield "### Over all cells, means"
    yield ""
    yield from heading("weights", "GOR's gain (95 % interval)", "shown", "change without", "change with")
    for level in LEVELS:
        mine = [gain for key, gain in gains.items() if key[0] == level]
        own = [np.mean([c.delta for k, c in side.items() if k[0] == level]) for side in (without, spread)]
        shown = f"{sum(gain.shown for gain in mine)} of {len(mine)}"
        yield f"| `{level}` | {mean(mine)} | {shown} | {own[0]:+.2f} | {own[1]:+.2f} |"
    yield ""
    helped = [gain for gain in gains.values() if gain.shown and gain.delta > 0]
    hurt = [gain for gain in gains.values() if gain.shown and gain.delta < 0]
    yield (
        f"Of {len(gains)} cells, GOR makes rounded weights cheaper in {len(helped)} and dearer in "
        f"{len(hurt)} (Holm's correction, level 5 %). "
        + ("" if helped or hurt else "**An effect of spread on what rounded weights cost is not shown.**")
    )


def minus(left: Change, right: Change) -> Change:
    """Subtract two changes that were estimated on the same resamples."""
    resampled = left.resampled - right.resampled
    lower, upper = np.nanpercentile(resampled, [100 * ALPHA, 100 * (1 - ALPHA)])
    return Change(left.delta - right.delta, float(lower), float(upper), False, resampled)


def corrected(found: dict[Key, Change]) -> dict[Key, Change]:
    """Mark what is shown after Holm's correction, by a normal test with the resamples' standard deviation."""
    from dataclasses import replace

    from scipy.stats import norm

    from evalsuite.stats.multiplicity import holm

    errors = [max(float(np.nanstd(change.resampled)), 1e-12) for change in found.values()]
    p = [2 * norm.sf(abs(c.delta) / error) for c, error in zip(found.values(), errors, strict=True)]
    shown = holm(p) < 2 * ALPHA
    return {key: replace(c, shown=bool(mark)) for (key, c), mark in zip(found.items(), shown, strict=True)}


def mean(changes_: Sequence[Change]) -> Change:
    """Average changes; resamples of different tasks are independent, those of one task shared."""
    resampled = np.mean([change.resampled for change in changes_], axis=0)
    lower, upper = np.nanpercentile(resampled, [100 * ALPHA, 100 * (1 - ALPHA)])
    value = float(np.mean([change.delta for change in changes_]))
    return Change(value, float(lower), float(upper), False, resampled)


def table(found: dict[Key, Change], task: str) -> Iterator[str]:
    """Tabulate changes on one task: a row a level and precision, a column a dimension."""
    yield from heading("weights", "vectors", *map(str, DIMS))
    for level in LEVELS:
        for precision in PRECISIONS:
            cells = [str(found[level, task, f"{dim}/{precision}"]) for dim in DIMS]
            yield f"| `{level}` | {precision} | {' | '.join(cells)} |"
    yield ""


def heading(*names: str) -> Iterator[str]:
    """Write a table's head."""
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"


def title(task: str) -> str:
    """Name a task for a heading."""
    return TASK_NAMES.get(task, "SciFact" if task.startswith("scifact") else task)


if __name__ == "__main__":
    main()
