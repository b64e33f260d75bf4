"""All statistics of the texts of one side at one dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from evalsuite.core.spread import SIDE_STATISTICS, Curve, SideSpread
from evalsuite.stats.spread import axes, ideal, spectrum
from evalsuite.stats.spread.cosines import CosineHistogram, uniformity
from evalsuite.stats.spread.hubs import put_hubness
from evalsuite.stats.spread.moments import (
    AnyFloats,
    Moments,
    covariance_traces,
    gor_terms,
    isoscore,
    mean_cosine,
    second_moment,
)
from evalsuite.stats.spread.neighbours import (
    DIMENSION_NEIGHBOURS,
    mle_dimension,
    nearest,
    two_nn,
)
from evalsuite.stats.spread.sheet import Sheet, around, around_log
from evalsuite.stats.spread.stream import SideStream, unit_rows

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WholeSide:
    """What all dimensions of one side share.

    Attributes:
        stream: The finished pass.
        sample: Sampled rows at full width.
        bits: Moments of the sampled rows' sign bits.
        distinct: Distinct rows in the sample.
    """

    stream: SideStream
    sample: AnyFloats
    bits: axes.BitMoments
    distinct: int

    @classmethod
    def of(cls, stream: SideStream) -> WholeSide:
        """Look at the sample once for all dimensions."""
        sample = stream.sample
        return cls(stream, sample, axes.BitMoments.of(sample), _distinct(sample))


@dataclass(frozen=True)
class SideView:
    """One side at one dimension.

    Attributes:
        whole: What all dimensions share.
        moments: Exact moments of all rows.
        rows: Sampled unit rows, float (m, dim).
        energies: Eigenvalues of the uncentred second-moment matrix, descending.
        variances: Eigenvalues of the covariance, descending.
        rank: Numerical rank: how many of them are more than rounding noise.
        ideal_rank: Rank that ideals refer to.
    """

    whole: WholeSide
    moments: Moments
    rows: AnyFloats
    energies: Doubles
    variances: Doubles
    rank: int
    ideal_rank: int

    @property
    def interval_rows(self) -> AnyFloats:
        """Sampled rows, float (m, dim), for neighbours and for the intervals of moments."""
        return self.rows[: self.whole.stream.sizes.neighbours]

    @classmethod
    def of(cls, whole: WholeSide, rows: AnyFloats) -> SideView:
        """Find the rank at the dimension of the sampled unit rows.

        A head's missing directions show only where there are more distinct texts than dimensions; with
        fewer, the texts themselves span no more, and ideals refer to the dimension. So they do where the
        spectrum fades into rounding noise, and where all texts lie on one line: these are no heads of a lower
        rank but a skew and a collapse, and must not look ideal.
        """
        dim = rows.shape[1]
        moments = whole.stream.moments[dim]
        energies, variances = spectrum.eigenvalues(moments.second, moments.mean)
        rank = spectrum.numerical_rank(energies)
        lost = whole.distinct > dim and rank > 1 and spectrum.ends_in_a_cliff(energies, rank)
        ideal_rank = rank if lost else dim
        return cls(whole, moments, rows, energies, variances, rank, ideal_rank)


def _distinct(rows: AnyFloats) -> int:
    """Count distinct rows; rows whose first coordinates all differ need no look at the others."""
    for width in (min(4, rows.shape[1]), rows.shape[1]):
        found = len({row.tobytes() for row in np.ascontiguousarray(rows[:, :width])})
        if found == len(rows):
            break
    return found


def measure_side(side: Literal["document", "query"], whole: WholeSide, dim: int) -> SideSpread:
    """Fill in the sheet of one side at one dimension.

    Args:
        side: Which side it is.
        whole: Its finished pass.
        dim: One of the pass's dimensions.

    Returns:
        Every statistic measured, or missing with its reason.
    """
    n = whole.stream.moments[dim].n
    sheet = Sheet(SIDE_STATISTICS, n)
    rows = unit_rows(whole.sample, dim)
    if len(rows) < 2:
        sheet.skip("fewer than two vectors with a direction", *SIDE_STATISTICS)
        values, missing = sheet.result()
        return SideSpread(side=side, dim=dim, n=n, ideal_rank=dim, values=values, missing=missing)
    view = SideView.of(whole, rows)
    cosines = view.interval_rows @ view.interval_rows.T
    pairs = cosines[: whole.stream.sizes.pairs, : whole.stream.sizes.pairs]
    histogram = CosineHistogram.of(pairs).without(np.diagonal(pairs))
    energies = _row_energies(view)
    _put_moments(sheet, view, histogram, energies)
    _put_pairs(sheet, view, histogram, pairs)
    curve = _put_spectrum(sheet, view, energies)
    _put_axes(sheet, view)
    _put_bits(sheet, view)
    _put_neighbours(sheet, view, cosines)
    values, missing = sheet.result()
    return SideSpread(
        side=side, dim=dim, n=n, ideal_rank=view.ideal_rank, values=values, missing=missing,
        cosines=histogram.curve(view.ideal_rank), spectrum=curve,
    )  # fmt: skip


def _row_energies(view: SideView) -> Doubles:
    """Evaluate xᵀSx for sampled rows, float64 (m,): each one's mean squared cosine with all rows."""
    rows = view.interval_rows
    second = view.moments.second.astype(rows.dtype)
    return np.asarray(np.einsum("ij,ij->i", rows @ second, rows), dtype=np.float64)


def _put_moments(sheet: Sheet, view: SideView, histogram: CosineHistogram, energies: Doubles) -> None:
    """Put the GOR moments; intervals are those of U-statistics (Hoeffding 1948)."""
    moments, n, rank = view.moments, view.moments.n, view.ideal_rank
    first, second = mean_cosine(moments), second_moment(moments)
    drift = float(moments.mean @ moments.covariance @ moments.mean)
    first_sd = math.sqrt(max(0.0, 4 * drift / n + 2 * (second - first**2) / (n * (n - 1))))
    second_sd = math.sqrt(4 * float(energies.var()) / n + 2 * histogram.square_variance() / (n * (n - 1)))
    sheet.put("mean_cosine", first, 0.0, around(first, first_sd))
    interval = around_log(second, second_sd / second) if second > 0 else None
    sheet.put("second_moment", second, 1 / rank, interval)
    sheet.put_mapped("second_moment_x_dim", "second_moment", lambda m: m * moments.dim)
    sheet.put_mapped("effective_dimension", "second_moment", lambda m: 1 / m if m > 0 else math.nan)
    sheet.put("gor_mean", gor_terms(moments)[0], 2 / (rank * n * (n - 1)))
    sheet.put_mapped("gor_second_moment", "second_moment", lambda m: max(0.0, m - 1 / moments.dim))
    variation = max(0.0, second - first**2)
    sheet.put("cosine_sd_ratio", math.sqrt(variation * moments.dim), math.sqrt(moments.dim / rank))
    centred = covariance_traces(moments).trace_of_square
    sheet.put("mean_share", 1 - centred / second if second > 0 else math.nan, 0.0)


def _put_pairs(sheet: Sheet, view: SideView, histogram: CosineHistogram, pairs: AnyFloats) -> None:
    """Put what needs the cosines themselves."""
    distance = histogram.distance(view.ideal_rank)
    sheet.put("beta_distance", distance, ideal.beta_distance(int(histogram.counts.sum()) // 2))
    if len(pairs) < 3:
        sheet.skip("fewer than three sampled vectors", "uniformity")
        return
    value, sd = uniformity(pairs)
    sheet.put("uniformity", value, ideal.uniformity(view.ideal_rank), around(value, sd))


def _put_spectrum(sheet: Sheet, view: SideView, energies: Doubles) -> Curve | None:
    """Put how fast directions fade; return the spectrum for a plot, or None where nothing varies."""
    moments, rank = view.moments, view.ideal_rank
    expected = ideal.spectrum(rank, moments.n)
    _put_participation(sheet, view, energies, expected)
    roots = np.sqrt(view.energies[: view.rank])
    sheet.put("rankme", spectrum.entropy_rank(roots), spectrum.entropy_rank(np.sqrt(expected)))
    sheet.put("rank", view.rank, min(moments.dim, moments.n))
    values = view.variances
    shares = values / values.sum() if moments.varies else np.full_like(values, np.nan)
    sheet.put("effective_rank", spectrum.entropy_rank(shares), spectrum.entropy_rank(expected))
    decay, fit = spectrum.power_law(shares, rank)
    ideal_decay, ideal_fit = spectrum.power_law(expected, rank)
    sheet.put("spectrum_decay", decay, ideal_decay)
    sheet.put("spectrum_fit", fit, ideal_fit)
    sheet.put("top_component_share", float(shares[0]), float(expected[0]))
    if not moments.varies:
        return None
    drawn = spectrum.drawn_ranks(len(shares))
    padded = np.pad(expected, (0, len(shares) - len(expected)))
    return Curve(
        x=tuple(drawn.astype(float).tolist()),
        y=tuple(shares[drawn - 1].tolist()),
        ideal=tuple(padded[drawn - 1].tolist()),
    )


def _put_participation(sheet: Sheet, view: SideView, energies: Doubles, expected: Doubles) -> None:
    """Put the directions that carry the variance, corrected and as published."""
    moments = view.moments
    traces = covariance_traces(moments)
    ratio = traces.square_of_trace / traces.trace_of_square if traces.trace_of_square > 0 else math.nan
    interval = around_log(ratio, _ratio_log_sd(view, energies)) if moments.varies else None
    sheet.put("participation_ratio", ratio, view.ideal_rank, interval)
    sheet.put_mapped("isoscore", "participation_ratio", lambda r: isoscore(r, moments.dim))
    sheet.put("participation_ratio_naive", traces.naive, 1 / float(expected @ expected))
    sheet.put_mapped("isoscore_naive", "participation_ratio_naive", lambda r: isoscore(r, moments.dim))


def _ratio_log_sd(view: SideView, energies: Doubles) -> float:
    """Standard error of log PR: its influence function over sampled rows, and 2/N for estimating tr(C²).

    d log PR = 2 dt₁/t₁ - dt₂/t₂ with t₁ = tr C, t₂ = tr C²; influences |x - μ|² - t₁ and
    2((x - μ)ᵀC(x - μ) - t₂). The second part is that of Chen, Zhang & Zhong (2010, JASA 105).
    """
    mean, covariance, n = view.moments.mean, view.moments.covariance, view.moments.n
    trace, square = float(np.trace(covariance)), float(np.vdot(covariance, covariance))
    rows = view.interval_rows
    drift = covariance @ mean
    sums = rows @ np.stack([mean, drift], axis=1).astype(rows.dtype)
    along, across = sums[:, 0].astype(np.float64), sums[:, 1].astype(np.float64)
    lengths = view.moments.square - 2 * along + float(mean @ mean)
    quadratic = energies - along**2 - 2 * across + float(mean @ drift)
    influence = 2 * lengths / trace - 2 * quadratic / square
    return math.sqrt(float(influence.var()) / n + 4 / n**2)


def _put_axes(sheet: Sheet, view: SideView) -> None:
    """Put what single coordinates show."""
    moments, stream = view.moments, view.whole.stream
    variances = np.clip(np.diag(moments.covariance), 0, None)
    ratio = axes.variance_ratio(variances) if moments.varies else math.nan
    sheet.put("energy_share", stream.energy_share(moments.dim), moments.dim / stream.width)
    sheet.put("variance_ratio", ratio, ideal.variance_ratio(moments.dim, moments.n))
    sheet.put("rogue_dims", axes.rogue_dims(moments.mean, variances), 0.0)
    sheet.put("mean_top3_share", axes.mean_top3_share(moments.mean), ideal.mean_top3_share(moments.dim))
    sheet.put("duplicate_share", 1 - view.whole.distinct / len(view.whole.sample), 0.0)


def _put_bits(sheet: Sheet, view: SideView) -> None:
    """Put what sign bits show."""
    dim, rank, bits = view.moments.dim, view.ideal_rank, view.whole.bits
    shares = view.whole.stream.bit_shares[:dim]
    sheet.put("bit_entropy", axes.bit_entropy(shares), ideal.bit_entropy(view.whole.stream.rows))
    sheet.put("bit_imbalance", axes.bit_imbalance(shares), ideal.bit_imbalance(view.whole.stream.rows))
    sheet.put("bit_correlation", bits.correlation(dim), ideal.bit_correlation(dim, rank, bits.n))
    sheet.put("effective_bits", bits.effective_bits(dim), ideal.effective_bits(dim, rank))


def _put_neighbours(sheet: Sheet, view: SideView, cosines: AnyFloats) -> None:
    """Put hubness and intrinsic dimension; takes each row out of its own neighbours, in `cosines` itself."""
    m, rank = len(cosines), view.ideal_rank
    np.fill_diagonal(cosines, -np.inf)
    found = nearest(cosines, min(DIMENSION_NEIGHBOURS, m - 1))
    put_hubness(sheet, found.rows, m)
    if m <= DIMENSION_NEIGHBOURS:
        reason = f"needs more than {DIMENSION_NEIGHBOURS} vectors, has {m}"
        sheet.skip(reason, "twonn_dimension", "mle_dimension")
        return
    sheet.put("twonn_dimension", two_nn(found.log_distances), ideal.two_nn(rank, m))
    value, sd = mle_dimension(found.log_distances)
    sheet.put("mle_dimension", value, ideal.mle_dimension(rank, m, DIMENSION_NEIGHBOURS), around(value, sd))
