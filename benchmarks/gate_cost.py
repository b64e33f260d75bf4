"""Measure what judging costs: paired resampling of many cells of one task, means and rank correlations.

    OMP_NUM_THREADS=1 python benchmarks/gate_cost.py
    python benchmarks/gate_cost.py --units 10000 --repeat 1

Each row is one task's worth of a comparison: bootstrap with BCa intervals (percentile for correlations),
t-tests, sign flips (means only), non-inferiority. `bare` is the one matrix product that a paired bootstrap of
means cannot do without, resampling weights times both sides' values, with the weights made beforehand.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import numpy.typing as npt

from evalsuite.stats.compare import Comparison, Sampling, compare_correlations, compare_means
from evalsuite.stats.strata import Strata

Doubles = npt.NDArray[np.float64]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Run once; return wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def judged(comparison: Comparison) -> None:
    """Do what a judgement asks of a comparison."""
    comparison.tests()
    comparison.noninferiority(np.ones(len(comparison.base)), np.full(len(comparison.base), 0.01))


def contestants(options: argparse.Namespace) -> dict[str, Callable[[], object]]:
    """Make up the values; return each piece of work by name."""
    rng = np.random.default_rng(0)
    base: Doubles = rng.beta(2, 1, (options.units, options.cells))
    cand = base + rng.normal(0, 0.05, base.shape)
    gold = rng.integers(0, 11, options.units) / 2.0
    strata, sampling = Strata.whole(options.units), Sampling((0,), options.resamples)
    weights = rng.multinomial(options.units, np.full(options.units, 1 / options.units), options.resamples)
    weights = weights / options.units
    return {
        "bare": lambda: weights @ np.hstack([base, cand]),
        "means": lambda: judged(compare_means(base, cand, strata, sampling)),
        "Pearson": lambda: judged(compare_correlations(base, cand, gold, strata, sampling, ranked=False)),
        "Spearman": lambda: judged(compare_correlations(base, cand, gold, strata, sampling, ranked=True)),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=32)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--units", type=int, default=1000, help="queries, or pairs")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    work = contestants(options)
    rows = [{name: timed(each) for name, each in work.items()} for _ in range(options.repeat)]
    print(f"{options.cells} cells x {options.resamples:,} resamples x {options.units:,} queries or pairs")
    print(f"{'':10s}{'wall s':>9s}{'processor s':>13s}   (medians of {options.repeat})")
    for name in work:
        wall, processor = (median(row[name][kind] for row in rows) for kind in (0, 1))
        print(f"{name:10s}{wall:9.2f}{processor:13.2f}")
    ratios = [row["means"][1] / row["bare"][1] for row in rows]
    print(f"means / bare, processor: {median(ratios):.1f}  ({', '.join(f'{each:.1f}' for each in ratios)})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak resident memory: {peak:,.0f} MiB, of which the bare side's weights "
          f"{8 * options.resamples * options.units / 2**20:,.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
