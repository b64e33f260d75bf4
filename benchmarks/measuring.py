"""What the benchmarks share: a measurement is a process of its own, an encoder that counts, the conditions.

Nothing heavy is imported at the top: Linux counts a parent's memory at the start of its child.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WARM_UP = ["a few words to start every thread and fill every cache"] * 8
UNEQUAL = 1.15
"""Encoder speeds on two sides that differ by more than this make the ratio of wall times worthless."""


def measured(side: str) -> dict[str, Any]:
    """Run this script again with `--measure SIDE` in a process of its own; return the JSON it prints last.

    Its messages go to this process's stderr.
    """
    command = [sys.executable, *sys.argv, "--measure", side]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"the measurement failed: {' '.join(command)}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@dataclass
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


def peak_mib() -> float:
    """Return the largest resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def conditions(threads: int, *more: str) -> str:
    """Say what the figures depend on, in one line; `more` are further libraries to name."""
    import platform
    from importlib.metadata import version

    names = ("evalsuite", "sentence-transformers", "torch", *more)
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {threads} torch threads"
    return f"Python {platform.python_version()}, {libraries}; {machine}"


def median(runs: Sequence[Mapping[str, Any]], key: str) -> float:
    """Return the median of one figure."""
    return float(statistics.median(one[key] for one in runs))


def seconds_a_text(runs: Sequence[Mapping[str, Any]]) -> float:
    """Return the median time the encoder took for a text."""
    return float(statistics.median(one["encoder"]["seconds"] / one["encoder"]["texts"] for one in runs))


def at_one_speed(results: Mapping[str, Sequence[Mapping[str, Any]]], slow: str, fast: str) -> float:
    """Return one side's time over another's if the encoder took the sides' mean time for every text.

    What each side does outside the encoder is taken as measured.
    """
    speed = statistics.mean(seconds_a_text(runs) for runs in results.values())
    totals = {}
    for side, runs in results.items():
        outside = statistics.median(one["seconds"] - one["encoder"]["seconds"] for one in runs)
        totals[side] = runs[0]["encoder"]["texts"] * speed + outside
    return totals[slow] / totals[fast]
