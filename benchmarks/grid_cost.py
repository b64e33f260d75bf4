"""What a whole grid of dimensions and precisions costs: beside one encode, and beside mteb doing the same.

`--part encode` evaluates 4 dimensions x 12 precisions, symmetric and asymmetric, with every retrieval metric
and every measure of fidelity, and prints the time of scoring over the time of encoding in float32, both as
the run's record has them. The model is loaded and warmed up beforehand; the store is empty unless `--store`
names one.

`--part mteb` evaluates 4 dimensions x 5 precisions twice, on the same loaded pipeline:

- mteb: one `mteb.evaluate` a cell without a result cache, through `CompressionWrapper` (float32 without one,
  which the wrapper refuses), `truncate_dim` set to the cell's dimension. The task is in memory already;
- evalsuite: one `evalsuite.evaluate` with an empty store: reading the task, encoding, scoring, writing the
  run. No report is drawn.

Both ask the same pipeline for vectors, so its seconds a text must come out alike. Where they do not, the
machine changed in between, and the output says so; read the ratio at one encoder speed for both sides.

Every measurement is a fresh process with the same number of threads.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep_cost import WARM_UP, conditions, cut, peak_mib

if TYPE_CHECKING:
    from evalsuite.core.record import CellRecord
    from evalsuite.core.run import Run
    from evalsuite.models.checkpoint import Checkpoint
    from evalsuite.tasks.task import RetrievalTask

DIMS = "384,256,128,64"
PRECISIONS = {
    "encode": "float32,float16,bfloat16,float8_e4m3,int8,int8_affine,int4,int4_block32,ternary,binary,"
    "binary_centred,turboquant_4bit",
    "mteb": "float32,float16,int8,int4,binary",
}
SIDES = {"encode": ("evalsuite",), "mteb": ("evalsuite", "mteb", "evalsuite")}
"""What a turn measures: evalsuite before and after mteb, whose run is long enough for a machine to change."""
UNEQUAL = 1.15
"""Encoder speeds on the two sides that differ by more than this make the ratio of wall times worthless."""
UNCOMPRESSED = "float32"
"""The level that mteb scores without its wrapper."""


def main() -> None:
    """Measure, or do one measurement when called by itself."""
    options = parse()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    sides = SIDES[options.part]
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for turn in range(options.repeat):
        for side in sides:
            results[side].append(measured(side))
            seconds = results[side][-1]["seconds"]
            print(f"run {turn + 1} of {options.repeat}, {side}: {seconds:.1f} s", flush=True)
    print()
    print(results[sides[0]][0]["conditions"])
    if options.part == "encode":
        print_encode(options, results["evalsuite"])
    else:
        print_mteb(options, results)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=tuple(SIDES), default="encode", help="default: %(default)s")
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="folder or hub id (default: %(default)s)")
    parser.add_argument("--task", default="near-miss", help="name or path of a retrieval task")
    parser.add_argument("--documents", type=int, help="keep so many documents, judged ones first")
    parser.add_argument("--dims", default=DIMS, help="default: %(default)s")
    parser.add_argument("--precisions", help=f"default: {PRECISIONS['encode']}; mteb: {PRECISIONS['mteb']}")
    parser.add_argument("--batch-size", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--device", help="torch device, such as cpu or cuda:0")
    parser.add_argument("--threads", type=int, help="torch threads of every measurement")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each side (default: %(default)s)")
    parser.add_argument("--store", help="folder of an embedding store; what it holds is not encoded again")
    parser.add_argument("--encode-seconds", type=float, help="encode time measured before, for a full store")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.store and options.part == "mteb":
        parser.error("--store is for --part encode: beside mteb every text is encoded")
    options.precisions = options.precisions or PRECISIONS[options.part]
    options.dims = [int(dim) for dim in options.dims.split(",")]
    options.precisions = options.precisions.split(",")
    return options


def measured(side: str) -> dict[str, Any]:
    """Do one measurement in a process of its own; its messages go to this process's stderr."""
    command = [sys.executable, __file__, *sys.argv[1:], "--measure", side]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"the measurement failed: {' '.join(command)}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Load and warm up the model, then time one side."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch

    from evalsuite.models.checkpoint import open_checkpoint

    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task, reference = prepare(options, folder)
        checkpoint = open_checkpoint(options.model, device=options.device, batch_size=options.batch_size)
        checkpoint.encoder().encode(WARM_UP, "")
        counts = Counts()
        count_calls(checkpoint.encoder().model, counts)  # type: ignore[attr-defined]
        if options.measure == "mteb":
            answer = run_mteb(options, checkpoint, task, counts)
        else:
            answer = run_evalsuite(options, checkpoint, reference, folder)
    return {
        **answer,
        "encoder": dataclasses.asdict(counts),
        "documents": len(task.documents),
        "queries": len(task.queries),
        "peak": peak_mib(),
        "conditions": conditions(torch.get_num_threads()),
    }


@dataclasses.dataclass
class Counts:
    """What was asked of the encoder."""

    calls: int = 0
    texts: int = 0
    seconds: float = 0.0


def count_calls(model: Any, counts: Counts) -> None:
    """Count and time every `encode` of a loaded pipeline from now on."""
    plain = model.encode

    def encode(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        vectors = plain(*arguments, **options)
        counts.seconds += time.perf_counter() - began
        counts.calls += 1
        counts.texts += len(arguments[0] if arguments else options["inputs"])
        return vectors

    model.encode = encode


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


def judged_first(task: RetrievalTask, count: int) -> RetrievalTask:
    """Keep `count` documents: all those judged for the first queries, as many as fit, then any others."""
    present = set(task.document_ids)
    kept: dict[str, None] = {}
    queries = []
    for place, query in enumerate(task.query_ids):
        wanted = kept | dict.fromkeys(identity for identity in task.qrels[query] if identity in present)
        if len(wanted) > count:
            break
        kept = wanted
        queries.append(place)
    if not queries:
        sys.exit(f"--documents {count} does not hold the judged documents of one query")
    others = (identity for identity in task.document_ids if identity not in kept)
    chosen = set(kept) | {identity for identity, _ in zip(others, range(count - len(kept)), strict=False)}
    rows = [row for row, identity in enumerate(task.document_ids) if identity in chosen]
    names = [task.query_ids[place] for place in queries]
    return dataclasses.replace(
        task,
        document_ids=[task.document_ids[row] for row in rows],
        documents=[task.documents[row] for row in rows],
        query_ids=names,
        queries=[task.queries[place] for place in queries],
        qrels={name: task.qrels[name] for name in names},
    )


def run_evalsuite(
    options: argparse.Namespace, checkpoint: Checkpoint, reference: str, folder: Path
) -> dict[str, Any]:
    """Do a whole sweep."""
    import evalsuite

    levels = options.precisions
    if options.part == "encode":
        levels = [level for name in levels for level in (name, f"{name}+asymmetric")]
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
        "ndcg": full_width_ndcg(run.record.cells, max(options.dims)),
    }


def by_precision(run: Run) -> dict[str, float]:
    """Sum the cells' seconds a precision, over dimensions and scorings."""
    from evalsuite.core.variant import Variant

    sums: dict[str, float] = defaultdict(float)
    for cell in run.record.cells:
        sums[Variant.parse(cell.variant).precision] += cell.outcome.seconds  # type: ignore[union-attr]
    return dict(sums)


def full_width_ndcg(cells: Sequence[CellRecord], dim: int) -> float | None:
    """Return nDCG@10 of float32 at the largest dimension, to see that both sides measure the same."""
    for cell in cells:
        if cell.variant == f"{dim}/{UNCOMPRESSED}":
            return float(cell.outcome.metrics["ndcg@10"].value)  # type: ignore[union-attr]
    return None


def run_mteb(
    options: argparse.Namespace, checkpoint: Checkpoint, task: RetrievalTask, counts: Counts
) -> dict[str, Any]:
    """Evaluate every cell with mteb, which encodes everything for each."""
    import logging
    import warnings

    import mteb
    from datasets import disable_progress_bars
    from mteb.models import CompressionWrapper
    from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper
    from mteb.types import OutputDType

    warnings.filterwarnings("ignore", message="Estimating quantization parameters")
    logging.getLogger("mteb").setLevel(logging.ERROR)
    disable_progress_bars()
    pipeline: Any = checkpoint.encoder().model  # type: ignore[attr-defined]
    local = mteb_task(task)
    quiet = {"batch_size": options.batch_size, "show_progress_bar": False}
    cells = [(dim, precision) for dim in options.dims for precision in options.precisions]
    ndcg = None
    began = time.perf_counter()
    for dim, precision in cells:
        pipeline.truncate_dim = dim
        model: Any = SentenceTransformerEncoderWrapper(pipeline)
        if precision != UNCOMPRESSED:
            model = CompressionWrapper(model, OutputDType(precision))
        result = mteb.evaluate(model, local, cache=None, encode_kwargs=quiet, show_progress_bar=False)
        if (dim, precision) == (max(options.dims), UNCOMPRESSED):
            ndcg = result.task_results[0].scores["test"][0]["ndcg_at_10"]
        spent = time.perf_counter() - began
        print(f"mteb {dim}/{precision}: {counts.texts} texts, {spent:.0f} s so far", file=sys.stderr)
    return {"seconds": time.perf_counter() - began, "cells": len(cells), "ndcg": ndcg}


def mteb_task(task: RetrievalTask) -> Any:
    """Lay a task out as an mteb task whose data is loaded already."""
    from datasets import Dataset
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    class Local(AbsTaskRetrieval):  # type: ignore[misc]
        """The task."""

        metadata = TaskMetadata(
            name="LocalRetrieval",
            description=task.name,
            dataset={"path": task.name, "revision": "local"},
            type="Retrieval",
            category="t2t",
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
        )

    local = Local()
    texts, titles = [text.text for text in task.documents], [text.title for text in task.documents]
    corpus = Dataset.from_dict({"id": list(task.document_ids), "title": titles, "text": texts})
    queries = {"id": list(task.query_ids), "text": [text.text for text in task.queries]}
    split = {
        "corpus": corpus,
        "queries": Dataset.from_dict(queries),
        "relevant_docs": {query: dict(grades) for query, grades in task.qrels.items()},
        "top_ranked": None,
    }
    local.dataset = {"default": {"test": split}}
    local.data_loaded = True
    return local


def print_encode(options: argparse.Namespace, results: list[dict[str, Any]]) -> None:
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


def print_mteb(options: argparse.Namespace, results: dict[str, list[dict[str, Any]]]) -> None:
    """Print mteb's time over evalsuite's."""
    first = results["evalsuite"][0]
    print(
        f"{options.model} on {options.task}: {first['documents']} documents, {first['queries']} queries, "
        f"batch size {options.batch_size}"
    )
    print(
        f"grid: {len(options.dims)} dimensions x {len(options.precisions)} precisions; "
        f"runs of each: {options.repeat}"
    )
    print()
    columns = ("wall s", "in encoder s", "calls", "texts", "peak MiB", "nDCG@10")
    print(f"{'':10}" + "".join(f"{name:>14}" for name in columns) + "   (medians)")
    for side, runs in results.items():
        encoder = runs[0]["encoder"]
        inside = statistics.median(one["encoder"]["seconds"] for one in runs)
        ndcg = runs[0]["ndcg"]
        print(
            f"{side:10}{median(runs, 'seconds'):>14.2f}{inside:>14.2f}{encoder['calls']:>14}"
            f"{encoder['texts']:>14}{median(runs, 'peak'):>14.0f}"
            f"{'-' if ndcg is None else format(ndcg, '.4f'):>14}"
        )
    wall = median(results["mteb"], "seconds") / median(results["evalsuite"], "seconds")
    speeds = {side: seconds_a_text(runs) for side, runs in results.items()}
    gap = max(speeds.values()) / min(speeds.values())
    print(f"mteb / evalsuite, wall time: {wall:.1f} x")
    print(
        f"mteb / evalsuite, one encoder speed for both: {at_one_speed(results):.1f} x  (target: at least 20)"
    )
    print("encoder, ms a text: " + ", ".join(f"{side} {1000 * one:.1f}" for side, one in speeds.items()))
    if gap > UNEQUAL:
        print(f"NOT COMPARABLE: the encoder ran at speeds {gap:.2f} x apart; wall times compare the machine")
    print(f"nDCG@10: float32 at {max(options.dims)} dimensions")


def seconds_a_text(runs: Sequence[dict[str, Any]]) -> float:
    """Return the median time the encoder took for a text."""
    return float(statistics.median(one["encoder"]["seconds"] / one["encoder"]["texts"] for one in runs))


def at_one_speed(results: dict[str, list[dict[str, Any]]]) -> float:
    """Return mteb's time over evalsuite's if the encoder took both sides' mean time for every text.

    What each side does outside the encoder is taken as measured.
    """
    speed = statistics.mean(seconds_a_text(runs) for runs in results.values())
    totals = {}
    for side, runs in results.items():
        outside = statistics.median(one["seconds"] - one["encoder"]["seconds"] for one in runs)
        totals[side] = runs[0]["encoder"]["texts"] * speed + outside
    return totals["mteb"] / totals["evalsuite"]


def median(runs: Sequence[dict[str, Any]], key: str) -> float:
    """Return the median of one figure."""
    return float(statistics.median(one[key] for one in runs))


def listed(values: Sequence[float]) -> str:
    """List the runs' figures."""
    return "runs: " + ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
