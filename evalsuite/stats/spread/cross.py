"""Queries against documents: exact over all pairs where moments suffice, else sampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.core.spread import CROSS_STATISTICS, Curve, SideSpread
from evalsuite.stats.spread import ideal
from evalsuite.stats.spread.cosines import CosineHistogram
from evalsuite.stats.spread.hubs import put_hubness
from evalsuite.stats.spread.moments import AnyFloats, Moments, cross_mean_cosine, cross_second_moment
from evalsuite.stats.spread.neighbours import HUB_NEIGHBOURS, nearest
from evalsuite.stats.spread.sheet import FEWEST, Sheet, around, around_log
from evalsuite.stats.spread.side import WholeSide
from evalsuite.stats.spread.stream import unit_rows

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Positives:
    """Judged query-document pairs whose document vectors were kept.

    Attributes:
        queries: int64 (p,), a number for each pair's query: pairs with one number count as one unit.
        query_rows: float (p, width), the pairs' queries.
        document_rows: float (p, width), the pairs' documents.
        total: Pairs there are in all; more than p where they were sampled.
    """

    queries: Longs
    query_rows: AnyFloats
    document_rows: AnyFloats
    total: int


@dataclass(frozen=True)
class CrossView:
    """Both sides at one dimension.

    Attributes:
        queries: Moments of all queries.
        documents: Moments of all documents.
        query_rows: Sampled unit queries, float (a, dim).
        document_rows: Sampled unit documents, float (b, dim).
        rank: Rank that ideals refer to.
    """

    queries: Moments
    documents: Moments
    query_rows: AnyFloats
    document_rows: AnyFloats
    rank: int


@dataclass(frozen=True)
class PositivePairs:
    """Unit rows of judged pairs at one dimension.

    Attributes:
        cosines: float64 (p,), cosine of each pair.
        units: int64 (p,), number of each pair's query, 0 to m - 1.
        query_rows: float (m, dim), each of these queries once.
        total: Pairs there are in all.
    """

    cosines: Doubles
    units: Longs
    query_rows: AnyFloats
    total: int


def measure_cross(
    queries: WholeSide, documents: WholeSide, positives: Positives | None, dim: int, rank: int
) -> SideSpread:
    """Fill in the sheet of queries against documents at one dimension.

    Args:
        queries: The finished pass over the queries.
        documents: The finished pass over the documents.
        positives: Judged pairs, where the task has any.
        dim: A dimension of both passes.
        rank: Rank of the uniform sphere that ideals refer to: that of the documents.

    Returns:
        Every statistic measured, or missing with its reason.
    """
    size = documents.stream.sizes.neighbours
    view = CrossView(
        queries.stream.moments[dim],
        documents.stream.moments[dim],
        unit_rows(queries.sample, dim)[:size],
        unit_rows(documents.sample, dim)[:size],
        rank,
    )
    sheet = Sheet(CROSS_STATISTICS, min(view.queries.n, view.documents.n))
    if min(len(view.query_rows), len(view.document_rows)) < 1:
        sheet.skip("no vectors with a direction on one of the sides", *CROSS_STATISTICS)
        curve = None
    else:
        curve = _put_all(sheet, view, None if positives is None else _pairs_at(positives, dim))
    values, missing = sheet.result()
    return SideSpread(
        side="query-document", dim=dim, n=view.queries.n, ideal_rank=rank,
        values=values, missing=missing, cosines=curve,
    )  # fmt: skip


def _put_all(sheet: Sheet, view: CrossView, pairs: PositivePairs | None) -> Curve:
    """Put every statistic and return the histogram of cosines."""
    cosines = view.query_rows @ view.document_rows.T
    histogram = CosineHistogram.of(cosines)
    _put_moments(sheet, view, histogram)
    sheet.put("beta_distance", histogram.distance(view.rank), ideal.beta_distance(cosines.size))
    gap = float(np.linalg.norm(view.queries.mean - view.documents.mean))
    sheet.put("mean_gap", gap, math.sqrt(1 / view.queries.n + 1 / view.documents.n))
    texts = cosines.shape[1]
    put_hubness(sheet, nearest(cosines, min(HUB_NEIGHBOURS, texts)).rows, texts)
    if pairs is None or len(pairs.cosines) == 0:
        sheet.skip("the task names no positive pairs", "alignment", "margin")
    else:
        _put_positives(sheet, view, pairs)
    return histogram.curve(view.rank)


def _put_moments(sheet: Sheet, view: CrossView, histogram: CosineHistogram) -> None:
    """Put both moments, exact over all pairs; intervals are those of two-sample U-statistics."""
    asked, kept, dim = view.queries, view.documents, view.queries.dim
    first, second = cross_mean_cosine(asked, kept), cross_second_moment(asked, kept)
    pairs = asked.n * kept.n
    first_variance = (
        float(kept.mean @ asked.covariance @ kept.mean) / asked.n
        + float(asked.mean @ kept.covariance @ asked.mean) / kept.n
        + (second - first**2) / pairs
    )
    sheet.put("mean_cosine", first, 0.0, around(first, math.sqrt(max(0.0, first_variance))))
    second_variance = (
        float(_quadratic(view.query_rows, kept.second).var()) / asked.n
        + float(_quadratic(view.document_rows, asked.second).var()) / kept.n
        + histogram.square_variance() / pairs
    )
    interval = around_log(second, math.sqrt(second_variance) / second) if second > 0 else None
    sheet.put("second_moment", second, 1 / view.rank, interval)
    sheet.put_mapped("second_moment_x_dim", "second_moment", lambda m: m * dim)
    sheet.put_mapped("effective_dimension", "second_moment", lambda m: 1 / m if m > 0 else math.nan)
    variation = max(0.0, second - first**2)
    sheet.put("cosine_sd_ratio", math.sqrt(variation * dim), math.sqrt(dim / view.rank))


def _quadratic(rows: AnyFloats, matrix: Doubles) -> Doubles:
    """Evaluate xᵀAx for each row x, float64 (n,)."""
    return np.asarray(np.einsum("ij,ij->i", rows @ matrix.astype(rows.dtype), rows), dtype=np.float64)


def _pairs_at(positives: Positives, dim: int) -> PositivePairs:
    """Cut judged pairs to a dimension; a pair with an all-zero prefix has no cosine and is left out."""
    left, right = positives.query_rows[:, :dim], positives.document_rows[:, :dim]
    directed = np.flatnonzero(np.any(left != 0, axis=1) & np.any(right != 0, axis=1))
    queries, documents = unit_rows(left[directed], dim), unit_rows(right[directed], dim)
    _, firsts, units = np.unique(positives.queries[directed], return_index=True, return_inverse=True)
    cosines = np.einsum("ij,ij->i", queries, documents).astype(np.float64)
    return PositivePairs(cosines, units, queries[firsts], positives.total)


def _put_positives(sheet: Sheet, view: CrossView, pairs: PositivePairs) -> None:
    """Put alignment and margin; intervals resample queries, documents stay."""
    m, documents = len(pairs.query_rows), view.documents
    counts = np.bincount(pairs.units, minlength=m).astype(np.float64)
    sums = np.bincount(pairs.units, weights=pairs.cosines, minlength=m)
    mean = float(pairs.cosines.mean())
    per_query = (sums - mean * counts) / counts.mean()
    sd = _mean_sd(per_query)
    sheet.put("alignment", 2 - 2 * mean, 0.0, around(2 - 2 * mean, 2 * sd))
    first, second = _moments_of_others(view, pairs)
    spread = math.sqrt(max(0.0, second - first**2)) if math.isfinite(second) else 0.0
    if spread == 0:
        sheet.skip("no other pairs than positive ones, or their cosines do not vary", "margin")
        return
    margin = (mean - first) / spread
    by_query = pairs.query_rows @ documents.mean.astype(pairs.query_rows.dtype)
    energy = _quadratic(pairs.query_rows, documents.second)
    variance_drift = energy - second - 2 * first * (by_query - first)
    influence = (per_query - (by_query - first)) / spread - margin * variance_drift / (2 * spread**2)
    sheet.put("margin", margin, None, around(margin, _mean_sd(influence)))


def _moments_of_others(view: CrossView, pairs: PositivePairs) -> tuple[float, float]:
    """Both moments of the cosine over all pairs that are not positive; NaN where there are none."""
    everything = view.queries.n * view.documents.n
    others = everything - pairs.total
    if others < 1:
        return math.nan, math.nan
    scale = pairs.total / len(pairs.cosines)
    first = cross_mean_cosine(view.queries, view.documents) * everything
    second = cross_second_moment(view.queries, view.documents) * everything
    first -= scale * float(pairs.cosines.sum())
    second -= scale * float((pairs.cosines**2).sum())
    return first / others, second / others


def _mean_sd(influence: Doubles) -> float:
    """Standard error from an influence function over queries (Efron 1982); NaN for fewer than ten queries."""
    if len(influence) < FEWEST:
        return math.nan
    return float(influence.std(ddof=1)) / math.sqrt(len(influence))
