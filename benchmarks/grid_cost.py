"""What a whole grid of dimensions and precisions costs beside one encode.

Evaluates 4 dimensions x 12 precisions, symmetric and asymmetric, with every retrieval metric and every
measure of fidelity, and prints the time of scoring over the time of encoding in float32, both as the run's
record has them. The model is loaded and warmed up beforehand; the store is empty unless `--store` names one.
Every measurement is a fresh process with the same number of threads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutting import cut, judged_first
from measuring import WARM_UP, conditions, measured, peak_mib

if TYPE_CHECKING:
    from evalsuite.core.run import Run
    from evalsuite.models.checkpoint import Checkpoint
    from evalsuite.tasks.task import RetrievalTask

DIMS = "384,256,128,64"
PRECISIONS = (
    "float32,float16,bfloat16,float8_e4m3,int8,int8_affine,int4,int4_block32,ternary,binary,binary_centred,"
    "turboquant_4bit"
)


def main() -> None:
    """Measure, or do one measurement when called by itself."""
    options = parse()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    results = []
    for turn in range(options.repeat):
        results.append(measured("grid"))
        print(f"run {turn + 1} of {options.repeat}: {results[-1]['seconds']:.1f} s", flush=True)
    print()
    print(results[0]["conditions"])
    print_results(options, results)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="folder or hub id (default: %(default)s)")
    parser.add_argument("--task", default="near-miss", help="name or path of a retrieval task")
    parser.add_argument("--documents", type=int, help="keep so many documents, judged ones first")
    parser.add_argument("--dims", default=DIMS, help="default: %(default)s")
    parser.add_argument("--precisions", default=PRECISIONS, help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--device", help="torch device, such as cpu or cuda:0")
    parser.add_argument("--threads", type=int, help="torch threads of every measurement")
    parser.add_argument("--repeat", type=int, default=3, help="runs (default: %(default)s)")
    parser.add_argument("--store", help="folder of an embedding store; what it holds is not encoded again")
    parser.add_argument("--encode-seconds", type=float, help="encode time measured before, for a full store")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.dims = [int(dim) for dim in options.dims.split(",")]
    options.precisions = options.precisions.split(",")
    return options


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Load and warm up the model, then time the grid."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch

    from evalsuite.models.opening import open_checkpoint

    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task, reference = prepare(options, folder)
        checkpoint = open_checkpoint(options.model, device=options.device, batch_size=options.batch_size)
        checkpoint.encoder().encode(WARM_UP, "")
        answer = evaluate_grid(options, checkpoint, reference, folder)
    return {
        **answer,
        "documents": len(task.documents),
        "queries": len(task.queries),
        "peak": peak_mib(),
        "conditions": conditions(torch.get_num_threads()),
    }


def prepare(options: argparse.Namespace, folder: Path) -> tuple[RetrievalTask, str]:
    """Load the task, cut if asked for; return it and how to name it."""
    from evalsuite.api import load_tasks
    from evalsuite.tasks.task import RetrievalTask

    (task,) = load_tasks([options.task])
    if not isinstance(task, RetrievalTask):
        sys.exit(f"{options.task} has no corpus; choose a retrieval task")
    reference = options.task
    if options.documents is not None:
        shorter = judged_first(task, options.documents)
        reference = cut(shorter, len(shorter.documents), folder)
        (task,) = load_tasks([reference])
    return task, reference  # type: ignore[return-value]


def evaluate_grid(
    options: argparse.Namespace, checkpoint: Checkpoint, reference: str, folder: Path
) -> dict[str, Any]:
    """Do a whole sweep."""
    import evalsuite

    levels = [level for name in options.precisions for level in (name, f"{name}+asymmetric")]
    began = time.perf_counter()
    run = evalsuite.evaluate(
        checkpoint,
        reference,
        options.dims,
        levels,
        folder / "run",
        batch_size=options.batch_size,
        cache_dir=options.store or folder / "store",
    )
    seconds = time.perf_counter() - began
    if run.failures:
        sys.exit(f"a cell failed: {run.failures[0].variant}: {run.failures[0].outcome}")
    encoding = run.record.provenance.encodings[0]
    return {
        "seconds": seconds,
        "stages": run.record.provenance.seconds,
        "texts": encoding.texts,
        "encoded": encoding.encoded,
        "cells": len(run.record.cells),
        "by_precision": by_precision(run),
    }


def by_precision(run: Run) -> dict[str, float]:
    """Sum the cells' seconds a precision, over dimensions and scorings."""
    from evalsuite.core.variant import Variant

    sums: dict[str, float] = defaultdict(float)
    for cell in run.record.cells:
        sums[Variant.parse(cell.variant).precision] += cell.outcome.seconds  # type: ignore[union-attr]
    return dict(sums)


def print_results(options: argparse.Namespace, results: list[dict[str, Any]]) -> None:
    """Print scoring over encoding."""
    first = results[0]
    print(
        f"{options.model} on {options.task}: {first['documents']} documents, {first['queries']} queries, "
        f"{first['texts']} unique texts, batch size {options.batch_size}"
    )
    print(
        f"grid: {len(options.dims)} dimensions x {len(options.precisions)} precisions, symmetric and "
        f"asymmetric: {first['cells']} cells; runs: {len(results)}"
    )
    cold = [one["stages"]["encode"] for one in results if one["encoded"] == one["texts"]]
    if options.encode_seconds is not None:
        encode = options.encode_seconds
        print(f"encode time given with --encode-seconds, measured before: {encode:.2f} s")
    elif cold:
        encode = statistics.median(cold)
        print(f"encode time: median of {len(cold)} run(s) that encoded every text: {encode:.2f} s")
    else:
        sys.exit("the store held texts already: give --encode-seconds, or another --store")
    score = [one["stages"]["score"] for one in results]
    rest = [one["seconds"] - one["stages"]["encode"] - one["stages"]["score"] for one in results]
    print(f"scoring: {statistics.median(score):.2f} s; {listed(score)}")
    print(f"reading the task and writing the run: {statistics.median(rest):.2f} s; {listed(rest)}")
    ratio = statistics.median(score) / encode
    print(f"scoring / encode: {100 * ratio:.1f} %  (target: at most 10 %)")
    if options.encode_seconds is None:
        own = [
            one["stages"]["score"] / one["stages"]["encode"]
            for one in results
            if one["stages"]["encode"] in cold
        ]
        print("run by run: " + ", ".join(f"{100 * value:.1f} %" for value in own))
    names = options.precisions
    shares = {name: statistics.median(one["by_precision"][name] for one in results) for name in names}
    print("cells' own seconds: " + ", ".join(f"{name} {value:.2f}" for name, value in shares.items()))
    print(f"peak memory: {statistics.median(one['peak'] for one in results):.0f} MiB")


def listed(values: Sequence[float]) -> str:
    """List the runs' figures."""
    return "runs: " + ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
