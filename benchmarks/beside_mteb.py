"""The same MTEB tasks at the same grid of dimensions and precisions, with evalsuite and with mteb's wrappers.

Both sides use the same loaded pipeline and the same task objects of mteb, whose data lie in local folders:

- mteb: one `mteb.evaluate` a cell without a result cache, through `CompressionWrapper` (float32 without one,
  which the wrapper refuses), `truncate_dim` set to the cell's dimension;
- evalsuite: one `evalsuite.evaluate` with an empty store: encoding, scoring, writing the run. What mteb does
  not do is left out: no statistics of spread, no report.

Both times begin with reading the tasks' data, once; mteb is imported before.

Both ask the same pipeline for vectors, so its seconds a text must come out alike. Where they do not, the
machine changed in between, and the output says so; read the ratio at one encoder speed for both sides.
evalsuite is measured before and after mteb, whose run is long enough for a machine to change. Every
measurement is a fresh process.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutting import judged_first, write_lines
from measuring import (
    UNEQUAL,
    WARM_UP,
    Counts,
    at_one_speed,
    conditions,
    count_calls,
    measured,
    median,
    peak_mib,
    seconds_a_text,
)

if TYPE_CHECKING:
    from evalsuite.models.checkpoint import Checkpoint
    from evalsuite.tasks.task import RetrievalTask

SIDES = ("evalsuite", "mteb", "evalsuite")
UNCOMPRESSED = "float32"
"""The level that mteb scores without its wrapper."""
TARGET = 12


def main() -> None:
    """Measure, or do one measurement when called by itself."""
    options = parse()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for side in SIDES:
        results[side].append(measured(side))
        print(f"{side}: {results[side][-1]['seconds']:.1f} s", flush=True)
    print()
    print_results(options, results)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="folder or hub id (default: %(default)s)")
    parser.add_argument("--scifact", required=True, help="BEIR folder of SciFact")
    parser.add_argument("--stsb", required=True, help="folder with STS Benchmark's test.tsv")
    parser.add_argument("--documents", type=int, help="keep so many of SciFact's documents, judged first")
    parser.add_argument("--pairs", type=int, help="keep so many of STS Benchmark's pairs")
    parser.add_argument("--dims", default="384,256,128,64", help="default: %(default)s")
    parser.add_argument("--precisions", default="float32,float16,int8,binary", help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.dims = [int(dim) for dim in options.dims.split(",")]
    options.precisions = options.precisions.split(",")
    return options


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Lay the data out, load and warm up the model, then time one side."""
    os.environ |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    import torch

    from evalsuite.models.opening import open_checkpoint

    importlib.import_module("mteb")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tasks = lay_out(options, folder)
        checkpoint = open_checkpoint(options.model, batch_size=options.batch_size)
        checkpoint.encoder().encode(WARM_UP, "")
        counts = Counts()
        count_calls(checkpoint.encoder().model, counts)  # type: ignore[attr-defined]
        if options.measure == "mteb":
            answer = run_mteb(options, checkpoint, tasks)
        else:
            answer = run_evalsuite(options, checkpoint, tasks, folder)
    return {
        **answer,
        "encoder": dataclasses.asdict(counts),
        "peak": peak_mib(),
        "conditions": conditions(torch.get_num_threads(), "mteb"),
    }


def lay_out(options: argparse.Namespace, folder: Path) -> list[str]:
    """Write both data sets as mteb reads them from a folder; return how evalsuite names the tasks."""
    from evalsuite.api import load_tasks

    scifact, stsb = load_tasks([options.scifact, options.stsb])
    write_scifact(judged_first(scifact, options.documents or len(scifact.documents)), folder / "scifact")  # type: ignore[arg-type, union-attr]
    pairs = zip(stsb.first, stsb.second, stsb.scores, strict=True)  # type: ignore[union-attr]
    rows = [{"sentence1": a.text, "sentence2": b.text, "score": float(score)} for a, b, score in pairs]
    write_lines(folder / "stsb" / "test.jsonl", rows[: options.pairs])
    return [f"SciFact={folder / 'scifact'}", f"STSBenchmark={folder / 'stsb'}"]


def write_scifact(task: RetrievalTask, folder: Path) -> None:
    """Write corpus, queries and judgements with the README that names them to `datasets`."""
    corpus = zip(task.document_ids, task.documents, strict=True)
    queries = zip(task.query_ids, task.queries, strict=True)
    judged = [
        {"query-id": query, "corpus-id": document, "score": grade}
        for query, grades in task.qrels.items()
        for document, grade in grades.items()
    ]
    rows = [{"_id": i, "title": t.title, "text": t.text} for i, t in corpus]
    write_lines(folder / "corpus.jsonl", rows)
    write_lines(folder / "queries.jsonl", [{"_id": i, "text": t.text} for i, t in queries])
    write_lines(folder / "qrels.jsonl", judged)
    configs = "".join(
        f"- config_name: {config}\n  data_files:\n  - split: {split}\n    path: {file}.jsonl\n"
        for config, split, file in (
            ("corpus", "corpus", "corpus"),
            ("queries", "queries", "queries"),
            ("default", "test", "qrels"),
        )
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n", encoding="utf-8")


def run_evalsuite(
    options: argparse.Namespace, checkpoint: Checkpoint, tasks: list[str], folder: Path
) -> dict[str, Any]:
    """Do the whole grid from one encode."""
    import evalsuite

    began = time.perf_counter()
    run = evalsuite.evaluate(
        checkpoint,
        tasks,
        options.dims,
        options.precisions,
        folder / "run",
        batch_size=options.batch_size,
        cache_dir=folder / "store",
        spread=False,
    )
    seconds = time.perf_counter() - began
    if run.failures:
        sys.exit(f"a cell failed: {run.failures[0].variant}: {run.failures[0].outcome}")
    full = f"{max(options.dims)}/{UNCOMPRESSED}"
    scores = {
        cell.task: cell.outcome.metrics[run.task(cell.task).main_metric].value  # type: ignore[union-attr]
        for cell in run.record.cells
        if cell.variant == full
    }
    return {"seconds": seconds, "cells": len(run.record.cells), "scores": scores}


def run_mteb(options: argparse.Namespace, checkpoint: Checkpoint, tasks: list[str]) -> dict[str, Any]:
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
    quiet = {"batch_size": options.batch_size, "show_progress_bar": False}
    cells = [(dim, precision) for dim in options.dims for precision in options.precisions]
    scores: dict[str, float] = {}
    began = time.perf_counter()
    loaded = [task.abstask for task in loaded_tasks(tasks)]
    for dim, precision in cells:
        pipeline.truncate_dim = dim
        model: Any = SentenceTransformerEncoderWrapper(pipeline)
        if precision != UNCOMPRESSED:
            model = CompressionWrapper(model, OutputDType(precision))
        result = mteb.evaluate(model, loaded, cache=None, encode_kwargs=quiet, show_progress_bar=False)
        if (dim, precision) == (max(options.dims), UNCOMPRESSED):
            scores = {one.task_name: one.get_score() for one in result.task_results}
        print(f"mteb {dim}/{precision}: {time.perf_counter() - began:.0f} s so far", file=sys.stderr)
    return {"seconds": time.perf_counter() - began, "cells": len(cells) * len(loaded), "scores": scores}


def loaded_tasks(references: list[str]) -> list[Any]:
    """Load the tasks of mteb that evalsuite's names stand for."""
    from evalsuite.api import load_tasks

    tasks: list[Any] = list(load_tasks(references))
    for task in tasks:
        task.load()
    return tasks


def print_results(options: argparse.Namespace, results: dict[str, list[dict[str, Any]]]) -> None:
    """Print mteb's time over evalsuite's."""
    first = results["evalsuite"][0]
    print(first["conditions"])
    print(
        f"{options.model}; SciFact with {options.documents or 'all'} documents, STSBenchmark with "
        f"{options.pairs or 'all'} pairs; {len(options.dims)} dimensions x {len(options.precisions)} "
        f"precisions: {first['cells']} cells; batch size {options.batch_size}"
    )
    print()
    columns = ("wall s", "in encoder s", "calls", "texts", "peak MiB", *first["scores"])
    print(f"{'':10}" + "".join(f"{name:>14}" for name in columns) + "   (medians)")
    for side, runs in results.items():
        encoder = runs[0]["encoder"]
        inside = median([one["encoder"] for one in runs], "seconds")
        scores = "".join(f"{100 * runs[0]['scores'][name]:>14.2f}" for name in first["scores"])
        print(
            f"{side:10}{median(runs, 'seconds'):>14.2f}{inside:>14.2f}{encoder['calls']:>14}"
            f"{encoder['texts']:>14}{median(runs, 'peak'):>14.0f}{scores}"
        )
    print(f"scores: main score x100 of float32 at {max(options.dims)} dimensions")
    wall = median(results["mteb"], "seconds") / median(results["evalsuite"], "seconds")
    print(f"mteb / evalsuite, wall time: {wall:.1f} x  (target: at least {TARGET})")
    print(f"mteb / evalsuite, one encoder speed for both: {at_one_speed(results, 'mteb', 'evalsuite'):.1f} x")
    speeds = {side: seconds_a_text(runs) for side, runs in results.items()}
    print("encoder, ms a text: " + ", ".join(f"{side} {1000 * one:.1f}" for side, one in speeds.items()))
    gap = max(speeds.values()) / min(speeds.values())
    if gap > UNEQUAL:
        print(f"NOT COMPARABLE: the encoder ran at speeds {gap:.2f} x apart; wall times compare the machine")


if __name__ == "__main__":
    main()
