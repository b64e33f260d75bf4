"""Runs of equal values among sorted ones, which stand or fall together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


def equal_runs(ordered: npt.NDArray[np.floating[Any]]) -> tuple[Places, Places]:
    """Find the run of equal values that each value is in.

    Args:
        ordered: float (n,), sorted either way.

    Returns:
        int64 (n,) each: the place where the value's run begins, and the place after its end.
    """
    edges = np.r_[0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(ordered)]
    sizes = np.diff(edges)
    return np.repeat(edges[:-1], sizes), np.repeat(edges[1:], sizes)
