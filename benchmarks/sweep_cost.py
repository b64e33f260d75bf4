"""What a sweep costs: its time over that of one bare `SentenceTransformer.encode`, and the memory of each.

Every measurement is a fresh process. It loads the model, warms it up and then takes the time of one of

- bare: `SentenceTransformer.encode` of the task's unique texts, one call a prompt;
- sweep: `evalsuite.evaluate` with an empty store: reading the task, encoding, storing, scoring every
  dimension at every precision, writing the run. No report is drawn.

Both use the same model, batch size, device and number of threads, and take turns: bare sweep, sweep bare, ...
Beside the wall time stands the processor time of all threads, which a busy machine disturbs less.
This process imports nothing heavy, because Linux counts a parent's memory at the start of its child.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutting import cut
from measuring import WARM_UP, conditions, measured, median, peak_mib

if TYPE_CHECKING:
    from evalsuite.models.checkpoint import Checkpoint
    from evalsuite.tasks.kinds import Task

SIDES = ("bare", "sweep")


def main() -> None:
    """Measure, or do one measurement when called by itself."""
    options = parse()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for turn in range(options.repeat):
        for side in SIDES if turn % 2 == 0 else SIDES[::-1]:
            results[side].append(measured(side))
            print(
                f"run {turn + 1} of {options.repeat}, {side}: {results[side][-1]['seconds']:.1f} s",
                flush=True,
            )
    print_results(options, results)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="folder or hub id (default: %(default)s)")
    parser.add_argument("--task", default="near-miss", help="name or path of a task (default: %(default)s)")
    parser.add_argument("--documents", type=int, help="keep only so many documents, for a quick look")
    parser.add_argument("--dims", default="384,256,128,64", help="default: %(default)s")
    parser.add_argument("--precisions", default="float32,float16,int8,binary", help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--device", help="torch device, such as cpu or cuda:0")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each side (default: %(default)s)")
    parser.add_argument("--measure", choices=SIDES, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Load and warm up the model, then time one side."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch

    from evalsuite.api import load_tasks
    from evalsuite.models.opening import open_checkpoint

    with tempfile.TemporaryDirectory() as folder:
        (task,) = load_tasks([options.task])
        reference = options.task if options.documents is None else cut(task, options.documents, Path(folder))
        (task,) = load_tasks([reference])
        checkpoint = open_checkpoint(options.model, device=options.device, batch_size=options.batch_size)
        checkpoint.encoder().encode(WARM_UP, "")
        loaded = peak_mib()
        inputs = unique_inputs(checkpoint, task)
        began, spent = time.perf_counter(), time.process_time()
        stages: dict[str, float] = {}
        if options.measure == "bare":
            encode_bare(checkpoint, inputs, options.batch_size)
        else:
            stages = sweep(checkpoint, reference, options, Path(folder))
        seconds, processor = time.perf_counter() - began, time.process_time() - spent
    return {
        "seconds": seconds,
        "processor": processor,
        "stages": stages,
        "loaded": loaded,
        "peak": peak_mib(),
        "texts": sum(map(len, inputs.values())),
        "conditions": conditions(torch.get_num_threads()),
    }


def unique_inputs(checkpoint: Checkpoint, task: Task) -> dict[str, list[str]]:
    """Gather the distinct inputs of a task: prompt to texts, in the task's order."""
    from evalsuite.sweep.run import sides

    rendered = [
        checkpoint.prompts.render(role, task.task_type, task.name, text.text, text.title)
        for role, texts in sides(task)
        for text in texts
    ]
    inputs: dict[str, list[str]] = {}
    for prompt, text in dict.fromkeys(rendered):
        inputs.setdefault(prompt, []).append(text)
    return inputs


def encode_bare(checkpoint: Checkpoint, inputs: dict[str, list[str]], batch_size: int) -> None:
    """Encode with sentence-transformers alone."""
    model: Any = checkpoint.encoder().model  # type: ignore[attr-defined]
    for prompt, texts in inputs.items():
        model.encode(texts, prompt=prompt, batch_size=batch_size, show_progress_bar=False)


def sweep(
    checkpoint: Checkpoint, reference: str, options: argparse.Namespace, folder: Path
) -> dict[str, float]:
    """Do a whole sweep into an empty store; return what its record says of the stages, in seconds."""
    import evalsuite

    run = evalsuite.evaluate(
        checkpoint,
        reference,
        [int(dim) for dim in options.dims.split(",")],
        options.precisions.split(","),
        folder / "run",
        batch_size=options.batch_size,
        cache_dir=folder / "store",
    )
    if run.failures:
        sys.exit(f"a cell failed: {run.failures[0].outcome}")
    return run.record.provenance.seconds


def print_results(options: argparse.Namespace, results: dict[str, list[dict[str, Any]]]) -> None:
    """Print medians, the ratio and its range."""
    dims, precisions = len(options.dims.split(",")), len(options.precisions.split(","))
    first = results["bare"][0]
    print()
    print(first["conditions"])
    print(
        f"{options.model} on {options.task}: {first['texts']} unique texts, batch size {options.batch_size}"
    )
    print(
        f"sweep: {dims} dimensions x {precisions} precisions, empty store, no report; "
        f"runs of each: {options.repeat}"
    )
    print()
    print(f"{'':6}{'wall s':>10}{'processor s':>14}{'peak MiB':>11}{'of which model':>16}   (medians)")
    for side in SIDES:
        row = [median(results[side], key) for key in ("seconds", "processor", "peak", "loaded")]
        print(f"{side:6}{row[0]:>10.2f}{row[1]:>14.2f}{row[2]:>11.0f}{row[3]:>16.0f}")
    for name, key in (("wall", "seconds"), ("processor", "processor")):
        ratio = median(results["sweep"], key) / median(results["bare"], key)
        turns = zip(results["bare"], results["sweep"], strict=True)
        pairs = ", ".join(f"{sweep[key] / bare[key]:.3f}" for bare, sweep in turns)
        print(f"sweep / bare, {name} time: {ratio:.3f}  (turn by turn: {pairs})")
    stages = {
        name: statistics.median(one["stages"][name] for one in results["sweep"])
        for name in results["sweep"][0]["stages"]
    }
    print("sweep's stages: " + ", ".join(f"{name} {value:.2f} s" for name, value in stages.items()))


if __name__ == "__main__":
    main()
