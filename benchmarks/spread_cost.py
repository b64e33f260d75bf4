"""Measure all spread statistics of one pass against one bare `X.T @ X` per dimension.

    OMP_NUM_THREADS=1 python benchmarks/spread_cost.py
    python benchmarks/spread_cost.py --documents 1000000 --repeat 1

The two take turns within each repeat. The bare side multiplies contiguous float32 prefixes, cut and
normalised beforehand, with numpy, which computes half of a symmetric product. Ours starts from full-width
vectors and ends with every statistic of one side at every dimension. `processor` is the time of all
threads, which a busy machine disturbs less than the wall time.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import numpy.typing as npt
import torch

from evalsuite.stats.spread.sides import DocumentPass, PassPlan, spread_of_pass

Floats = npt.NDArray[np.float32]
BLOCK = 4096
"""Rows handed over at once, as a sweep does."""


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Run once; return wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def bare(vectors: Floats, dims: list[int]) -> tuple[float, float]:
    """Multiply each prefix with itself; cutting and normalising it are not counted."""
    total = np.zeros(2)
    for dim in dims:
        prefix = np.ascontiguousarray(vectors[:, :dim])
        prefix /= np.linalg.norm(prefix, axis=1, keepdims=True)
        total += timed(lambda prefix=prefix: prefix.T @ prefix)
        del prefix
    return float(total[0]), float(total[1])


def passed(vectors: Floats, plan: PassPlan) -> DocumentPass:
    """Pass over all vectors, block by block."""
    return plan.over(vectors[start : start + BLOCK] for start in range(0, len(vectors), BLOCK))


def main() -> None:
    """Run the contest and print ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--dims", type=int, nargs="+", default=[768, 512, 256, 128])
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((options.documents, max(options.dims)), dtype=np.float32)
    plan = PassPlan.of(None, options.dims, seed=0)
    spread_of_pass(plan, passed(vectors[:5000], plan), None)
    rows = []
    for _ in range(options.repeat):
        found: list[DocumentPass] = []
        first = bare(vectors, options.dims)
        one = timed(lambda found=found: found.append(passed(vectors, plan)))
        two = timed(lambda found=found: spread_of_pass(plan, found[0], None))
        rows.append((*first, *one, *two))
    names = ("bare", "pass", "statistics")
    medians = [median(column) for column in zip(*rows, strict=True)]
    print(f"{len(vectors):,} vectors, dims {options.dims}, torch threads {torch.get_num_threads()}")
    print(f"{'':12s}{'wall s':>9s}{'processor s':>13s}   (medians of {options.repeat})")
    for index, name in enumerate(names):
        print(f"{name:12s}{medians[2 * index]:9.3f}{medians[2 * index + 1]:13.3f}")
    for offset, name in enumerate(("wall", "processor")):
        ratios = [(row[2 + offset] + row[4 + offset]) / row[offset] for row in rows]
        turns = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"(pass + statistics) / bare, {name}: {median(ratios):.2f}  (turn by turn: {turns})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak resident memory: {peak:,.0f} MiB, of which the vectors {vectors.nbytes / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main()
