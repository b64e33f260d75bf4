"""Nearest neighbours: hubs among them (Radovanović et al. 2010) and intrinsic dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread.moments import AnyFloats

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

HUB_NEIGHBOURS = 10
"""k of the counts N_k."""
DIMENSION_NEIGHBOURS = 20
"""k of the maximum-likelihood intrinsic dimension."""
DISCARDED = 0.1
"""Share of the largest ratios that TwoNN leaves out (Facco et al. 2017)."""
COPY = 1e-6
"""Squared distance under which float32 cosines cannot tell two vectors apart."""


@dataclass(frozen=True)
class Neighbours:
    """The k nearest of each row.

    Attributes:
        rows: int64 (n, k), row numbers, nearest first.
        log_distances: float64 (n, k), natural logarithms of Euclidean distances; -inf for copies.
    """

    rows: Longs
    log_distances: Doubles


def nearest(cosines: AnyFloats, k: int) -> Neighbours:
    """Find each row's k largest cosines.

    Args:
        cosines: float (n, m), with what is no neighbour (a row itself) at -inf.
        k: Neighbours a row, at most m.
    """
    import torch

    values, rows = torch.topk(torch.from_numpy(np.ascontiguousarray(cosines)), k, dim=1)
    squares = 2 - 2 * values.double().numpy()
    logs = np.full(squares.shape, -np.inf)
    np.log(squares, out=logs, where=squares > COPY)
    return Neighbours(rows.numpy(), 0.5 * logs)


@dataclass(frozen=True)
class Hubness:
    """How unevenly neighbour places are shared.

    Attributes:
        rate: Mean places a text has, λ; chance makes the counts Poisson(λ).
        skew: Skewness of the counts; NaN if all are equal.
        antihubs: Share of texts without a place.
        robin_hood: Share of places to move until all texts have equally many (Hoover 1936).
    """

    rate: float
    skew: float
    antihubs: float
    robin_hood: float


def hubness(neighbour_rows: Longs, texts: int) -> Hubness:
    """Describe how often each of `texts` texts is among the neighbours, int64 (n, k), of others."""
    counts = np.bincount(neighbour_rows.ravel(), minlength=texts).astype(np.float64)
    rate = float(counts.mean())
    deviations = counts - rate
    spread = math.sqrt(float((deviations**2).mean()))
    return Hubness(
        rate=rate,
        skew=float((deviations**3).mean()) / spread**3 if spread > 0 else math.nan,
        antihubs=float((counts == 0).mean()),
        robin_hood=float(np.abs(deviations).sum()) / (2 * rate * texts),
    )


def two_nn(log_distances: Doubles) -> float:
    """Estimate intrinsic dimension from the two nearest distances (Facco et al. 2017, arXiv 1803.06992).

    The slope through the origin of -log(1 - F(μ)) over log μ, μ = r₂/r₁, without the largest tenth.

    Args:
        log_distances: float64 (n, >=2), ascending; rows whose nearest is a copy are left out.

    Returns:
        The dimension; NaN for fewer than ten usable rows or where all ratios are 1.
    """
    usable = log_distances[np.isfinite(log_distances[:, 0])]
    n = len(usable)
    if n < 10:
        return math.nan
    ratios = np.sort(usable[:, 1] - usable[:, 0])
    kept = int(n * (1 - DISCARDED))
    x, y = ratios[:kept], -np.log1p(-np.arange(1, kept + 1) / n)
    energy = float(x @ x)
    return float(x @ y) / energy if energy > 0 else math.nan


def mle_dimension(log_distances: Doubles) -> tuple[float, float]:
    """Estimate intrinsic dimension by maximum likelihood (Levina & Bickel 2004), averaged as inverses.

    1/d = mean over rows i and neighbours j < k of log(r_k/r_j) (MacKay & Ghahramani 2005).

    Args:
        log_distances: float64 (n, k), k >= 3, ascending; rows whose nearest is a copy are left out.

    Returns:
        The dimension and its standard error over rows; NaN for fewer than ten usable rows or equal distances.
    """
    usable = log_distances[np.isfinite(log_distances[:, 0])]
    if len(usable) < 10:
        return math.nan, math.nan
    inverses = (usable[:, -1:] - usable[:, :-1]).mean(axis=1)
    mean = float(inverses.mean())
    if mean <= 0:
        return math.nan, math.nan
    return 1 / mean, float(inverses.std(ddof=1)) / math.sqrt(len(usable)) / mean**2
