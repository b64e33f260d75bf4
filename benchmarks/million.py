"""Score a million stored vectors: time, peak memory, and the fraction of the machine's matmul peak reached.

Nothing is encoded. One process writes made-up unit vectors into an embedding store, shard by shard; another
runs the scoring of a retrieval task on them, as a sweep does: 4 dimensions x 4 precisions, every metric and
interval, fidelity. Its peak resident memory is the figure; shards that are mapped while rows are copied out
of them count. This process imports nothing heavy: Linux counts a parent's memory at the start of its child.

Documents come in threes that share a cluster, and every query lies among one such three: its relevant ones.
Shards hold documents in the task's order; with `--scattered` in a random one, as after a real encode, which
sorts texts by length.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import conditions, peak_mib

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from evalsuite.core.variant import Variant
    from evalsuite.embeddings.space import Space
    from evalsuite.tasks.task import RetrievalTask

    Floats = npt.NDArray[np.float32]

LABEL = "made-up"
CLUSTERS = 4096
GROUP = 3
"""Documents that share a cluster in a row: the relevant ones of a query."""
SPREAD, QUERY_SPREAD = 0.8, 2.0
"""Length of the noise added to a cluster's unit centre, and to the unit mean of a query's documents."""
SAY_EVERY = 5.0
"""Seconds between two lines of progress."""
TARGET_MIB = 3 * 1024
PEAK_SIZE, PEAK_TURNS = 3072, 5
FLOAT_LEVELS, INTEGER_LEVELS = ("float16", "bfloat16"), ("int8",)
"""Levels scored by a float32 product, or an integer one, at every dimension. float32 itself shares one
product among all dimensions; others (binary) are not counted."""


def main() -> None:
    """Write, search and print, or do one of these when called by itself."""
    options = parse()
    if options.step:
        steps = {"write": write, "search": search}
        print(json.dumps(steps[options.step](options)))
        return
    if options.folder:
        folder = Path(options.folder)
        folder.mkdir(parents=True, exist_ok=True)
        run(options, folder)
        return
    with tempfile.TemporaryDirectory() as name:
        run(options, Path(name))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--queries", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--dims", default="768,512,256,128", help="the first is the width")
    parser.add_argument("--precisions", default="float32,float16,int8,binary", help="default: %(default)s")
    parser.add_argument(
        "--scattered", action="store_true", help="documents lie in the shards in random order"
    )
    parser.add_argument("--threads", type=int, help="threads of the search and of the matmul peak")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--folder", help="where vectors go and stay; by default a temporary folder, removed")
    parser.add_argument("--step", choices=("write", "search"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.dims = [int(dim) for dim in options.dims.split(",")]
    options.precisions = options.precisions.split(",")
    if options.documents < GROUP * options.queries:
        parser.error(f"--documents must be at least {GROUP} times --queries")
    if max(options.dims) != options.dims[0]:
        parser.error("--dims starts with the width, the largest")
    return options


def run(options: argparse.Namespace, folder: Path) -> None:
    """Do both steps in processes of their own and print what they measured."""
    written = step("write", folder, options)
    found = step("search", folder, options)
    print_results(options, written, found)


def step(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Do one step in a process of its own; its progress goes to this process's stderr."""
    command = [sys.executable, __file__, *sys.argv[1:], "--folder", str(folder), "--step", name]
    environment = dict(os.environ)
    if options.threads:
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(options.threads))
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(f"the step failed: {' '.join(command)}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def open_space(options: argparse.Namespace) -> Space:
    """Open the space of just these vectors, as if a checkpoint of their own had encoded them."""
    from evalsuite.embeddings.store import EmbeddingStore

    settings = (options.documents, options.queries, options.dims[0], options.seed, options.scattered)
    fingerprint = "benchmarks/million.py " + " ".join(map(str, settings))
    space = EmbeddingStore(Path(options.folder)).space(fingerprint, LABEL)
    space.refresh()
    return space


def document_keys(options: argparse.Namespace) -> list[str]:
    """Return the made-up key of every document, as long as a real one."""
    return [f"d{row:031d}" for row in range(options.documents)]


def query_keys(options: argparse.Namespace) -> list[str]:
    """Return the made-up key of every query."""
    return [f"q{row:031d}" for row in range(options.queries)]


def storage_order(options: argparse.Namespace) -> npt.NDArray[np.int64]:
    """Return the document that stands at each place of the shards."""
    import numpy as np

    if not options.scattered:
        return np.arange(options.documents)
    return np.random.default_rng([options.seed, 1]).permutation(options.documents)


def write(options: argparse.Namespace) -> dict[str, Any]:
    """Write the vectors as a sweep would: shards of as many texts as an encode closes one at."""
    import numpy as np

    from evalsuite.embeddings.encode import SHARD_TEXTS

    began = time.perf_counter()
    space = open_space(options)
    keys = document_keys(options)
    if not space.missing([*keys, *query_keys(options)]):
        return {"seconds": 0.0}
    generator = Generator(options)
    order = storage_order(options)
    said = began
    for start in range(0, len(order), SHARD_TEXTS):
        rows = order[start : start + SHARD_TEXTS]
        space.add([keys[row] for row in rows], generator.documents(rows))
        if time.perf_counter() - said > SAY_EVERY:
            said = time.perf_counter()
            print(f"writing: {start + len(rows):,} of {len(order):,} documents", file=sys.stderr)
    space.add(query_keys(options), generator.queries(np.arange(options.queries)))
    return {"seconds": time.perf_counter() - began}


class Generator:
    """Draws any rows of the made-up vectors; a row does not depend on which others are drawn with it.

    Values shrink along the dimensions, so that leading ones carry more, as in a Matryoshka model.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        import numpy as np

        self.options = options
        width = options.dims[0]
        self._scale = (1.0 / np.sqrt(1.0 + np.arange(width) / 64.0)).astype(np.float32)
        rng = np.random.default_rng([options.seed, 2])
        self._centres = _units(rng.standard_normal((CLUSTERS, width), dtype=np.float32) * self._scale)

    def documents(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Draw documents: float32 (n, width), unit length."""
        clusters = (rows // GROUP) * 2_654_435_761 % 2**32 % CLUSTERS
        noise = self._noise(rows, 3)
        return _units(self._centres[clusters] + SPREAD * noise)

    def queries(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Draw queries, each near the mean of its relevant documents: float32 (n, width), unit length."""
        import numpy as np

        first = np.array([first_relevant(row, self.options) for row in rows])
        near = sum(self.documents(first + place) for place in range(GROUP))
        return _units(_units(near) + QUERY_SPREAD * self._noise(rows, 4))

    def _noise(self, rows: npt.NDArray[np.int64], stream: int) -> Floats:
        """Draw a unit vector a row, from a generator of the row's own."""
        import numpy as np

        noise = np.empty((len(rows), self.options.dims[0]), dtype=np.float32)
        for place, row in enumerate(rows):
            bits = np.random.SFC64([self.options.seed, stream, int(row)])
            noise[place] = np.random.Generator(bits).standard_normal(noise.shape[1], dtype=np.float32)
        return _units(noise * self._scale)


def _units(vectors: Floats) -> Floats:
    """Scale rows to unit length."""
    import numpy as np

    return vectors / np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]


def first_relevant(query: int, options: argparse.Namespace) -> int:
    """Return the first of a query's relevant documents; the others follow it."""
    return int(query) * (options.documents // GROUP) // options.queries * GROUP


def made_up_task(options: argparse.Namespace) -> RetrievalTask:
    """Make the task: short ids, empty texts, three relevant documents a query."""
    from evalsuite.tasks.task import RetrievalTask, TaskText

    nothing = TaskText("")
    # Row order is descending id order.
    ids = [f"{number:07d}" for number in range(options.documents - 1, -1, -1)]
    names = [f"q{number:05d}" for number in range(options.queries)]
    firsts = [first_relevant(query, options) for query in range(options.queries)]
    return RetrievalTask(
        name="made-up",
        document_ids=ids,
        documents=[nothing] * options.documents,
        query_ids=names,
        queries=[nothing] * options.queries,
        qrels={
            name: dict.fromkeys(ids[first : first + GROUP], 1)
            for name, first in zip(names, firsts, strict=True)
        },
    )


def search(options: argparse.Namespace) -> dict[str, Any]:
    """Open the store and score, noting time and memory of each step; then measure the matmul peak."""
    import torch

    from evalsuite.sweep.calibration import Calibration
    from evalsuite.sweep.plan import variants
    from evalsuite.sweep.retrieval import score_retrieval
    from evalsuite.sweep.scored import ScoringContext

    if options.threads:
        torch.set_num_threads(options.threads)
    clock = Clock()
    task = made_up_task(options)
    clock.note("made-up task")
    space = open_space(options)
    keys, asked = document_keys(options), query_keys(options)
    if space.missing([*keys, *asked]):
        sys.exit(f"{options.folder} does not hold these vectors; give another --folder")
    clock.note("store opened and checked")
    corpus, queries = space.vectors(keys), space.vectors(asked)
    clock.note("vectors located")
    del keys
    calibration = Calibration.draw(corpus, options.seed)
    clock.note("calibration sample drawn")
    ways = variants(options.dims[0], options.dims, options.precisions)
    began = time.perf_counter()
    scores = score_retrieval(task, corpus, queries, ways, ScoringContext(calibration, Lines()))
    seconds = time.perf_counter() - began
    clock.note("scored")
    peak = peak_mib()
    return {
        "seconds": seconds,
        "steps": clock.steps,
        "peak": peak,
        "cells": cells(scores.outcomes),
        "matmul": matmul_peak(),
        "conditions": conditions(torch.get_num_threads()),
    }


def cells(outcomes: dict[Variant, Any]) -> dict[str, list[float]]:
    """Return nDCG@10 and seconds of every cell."""
    failed = [
        f"{variant}: {outcome.reason}" for variant, outcome in outcomes.items() if outcome.status == "failed"
    ]
    if failed:
        sys.exit(f"a cell failed: {failed[0]}")
    return {
        str(variant): [outcome.metrics["ndcg@10"].value, outcome.seconds]
        for variant, outcome in outcomes.items()
    }


class Clock:
    """Notes, step by step: seconds, resident memory now, and its peak so far, both MiB."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float, float, float]] = [("libraries", 0.0, resident_mib(), peak_mib())]
        self._last = time.perf_counter()

    def note(self, name: str) -> None:
        """End a step."""
        now = time.perf_counter()
        self.steps.append((name, now - self._last, resident_mib(), peak_mib()))
        self._last = now


def resident_mib() -> float:
    """Return this process's resident memory now in MiB; its peak where there is no /proc."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return peak_mib()
    return int(status.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Lines:
    """Progress as plain lines on stderr, one every few seconds."""

    def start(self, stage: str, items: int, work: float) -> None:  # noqa: ARG002 - the protocol's
        """Begin a stage."""
        self._stage, self._items, self._done = stage, items, 0
        self._began = self._said = time.perf_counter()

    def advance(self, items: int, work: float) -> None:  # noqa: ARG002 - the protocol's
        """Say how far the stage is, unless that was said just now."""
        self._done += items
        now = time.perf_counter()
        if now - self._said >= SAY_EVERY:
            self._said = now
            spent = now - self._began
            left = spent * (self._items - self._done) / self._done
            share = self._done / self._items
            print(f"{self._stage}: {share:.0%}, {spent:.0f} s, {left:.0f} s left", file=sys.stderr)

    def finish(self) -> None:
        """Say how long it took."""
        print(f"{self._stage}: done in {time.perf_counter() - self._began:.1f} s", file=sys.stderr)

    def note(self, message: str) -> None:
        """Pass a message on."""
        print(message, file=sys.stderr)


def matmul_peak() -> float:
    """Return the best of several large float32 products, in floating point operations a second."""
    import numpy as np
    import torch

    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((PEAK_SIZE, PEAK_SIZE), dtype=np.float32) for _ in range(2))

    def with_torch() -> object:
        return torch.from_numpy(left) @ torch.from_numpy(right)

    def with_numpy() -> object:
        return left @ right

    seconds = min(timed(product) for product in (with_numpy, with_torch) for _ in range(PEAK_TURNS))
    return float(2.0 * PEAK_SIZE**3 / seconds)


def timed(do: Callable[[], object]) -> float:
    """Return the wall time of a call."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def work(options: argparse.Namespace) -> tuple[float, float]:
    """Count operations of float32 and of integer products: 2 x queries x documents x dimensions."""
    pairs = 2.0 * options.queries * options.documents
    floats = max(options.dims) if "float32" in options.precisions else 0
    floats += sum(options.dims) * sum(name in FLOAT_LEVELS for name in options.precisions)
    integers = sum(options.dims) * sum(name in INTEGER_LEVELS for name in options.precisions)
    return pairs * floats, pairs * integers


def print_results(options: argparse.Namespace, written: dict[str, Any], found: dict[str, Any]) -> None:
    """Print everything."""
    print()
    print(found["conditions"])
    order = "scattered over the shards" if options.scattered else "in the task's order"
    print(
        f"{options.documents:,} x {options.dims[0]} documents {order}, {options.queries:,} queries, "
        f"dims {options.dims}, precisions {options.precisions}; written in {written['seconds']:.1f} s"
    )
    print()
    print(f"{'step':28}{'seconds':>10}{'MiB after':>12}{'peak MiB':>11}")
    for name, seconds, resident, peak in found["steps"]:
        print(f"{name:28}{seconds:>10.1f}{resident:>12.0f}{peak:>11.0f}")
    print()
    print(f"{'cell':16}{'nDCG@10':>10}{'own seconds':>14}")
    for name, (ndcg, seconds) in found["cells"].items():
        print(f"{name:16}{ndcg:>10.4f}{seconds:>14.2f}")
    print()
    share = found["peak"] / TARGET_MIB
    print(f"peak resident memory: {found['peak']:.0f} MiB, {share:.2f} of the target of {TARGET_MIB} MiB")
    print_fraction(options, found)


def print_fraction(options: argparse.Namespace, found: dict[str, Any]) -> None:
    """Print the share of the matmul peak, and what was counted."""
    floats, integers = work(options)
    seconds, peak = found["seconds"], found["matmul"]
    size = f"{PEAK_SIZE} x {PEAK_SIZE}"
    print(f"scoring: {seconds:.1f} s, metrics and intervals included")
    print(f"matmul peak: {peak / 1e9:.1f} G operations/s (float32, {size}, numpy or torch, the best run)")
    print(
        f"counted, T operations: {floats / 1e12:.3f} in float32 products (float32: the width once; float16: "
        f"every dimension), {integers / 1e12:.3f} in integer products (int8: every dimension), binary none"
    )
    print(f"fraction of the peak, float32 products alone: {floats / seconds / peak:.3f}")
    print(f"the same with integer products counted too:   {(floats + integers) / seconds / peak:.3f}")


if __name__ == "__main__":
    main()
