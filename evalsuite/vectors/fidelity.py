"""How true stored vectors are to the float32 vectors: no judgements needed, one pass over the data.

Three questions: how much of the vectors is noise (`SignalNoise`), do queries keep their nearest documents
(`neighbour_overlap`), and do scores keep their order and their spacing (`ScoreAgreement`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Sums = tuple[float, float, float, float, float, float]


class SignalNoise:
    """Running signal to quantization noise, and mean cosine, of decoded vectors.

    With x the original and y the decoded vectors, summed over all values of all rows, the ratio is
    10 log10(sum x^2 / sum (x - a y)^2). `decoded_sqnr_db` takes a = 1: the error of what is decoded.
    `sqnr_db` takes the one scale a = sum x y / sum y^2 that leaves least noise: scores are only compared with
    each other, and codes such as signs decode at an arbitrary length.

    For codes that are the mean of what they stand for (Lloyd-Max, signs) mean cosine = sqrt(1 - 1/SQNR), for
    independent additive noise 1 / sqrt(1 + 1/SQNR), SQNR being the ratio, not its logarithm.

    Attributes:
        sums: What each update brought: signal, noise, energy, excess, cosines, rows. They are added up when
            asked for: those of parts of a corpus, joined in order, give the very numbers of the whole.
    """

    def __init__(self) -> None:
        self.sums: list[Sums] = []

    def update(self, original: Floats, decoded: Floats) -> None:
        """Take in float32 (n, d) vectors and what their codes decode to.

        Raises:
            ValueError: If the shapes differ.
        """
        if original.shape != decoded.shape:
            message = f"original vectors {original.shape} and decoded ones {decoded.shape} differ in shape"
            raise ValueError(message)
        error = original - decoded
        signal, energy = _row_sums(original, original), _row_sums(decoded, decoded)
        excess = _row_sums(error, decoded)
        lengths = np.sqrt(signal * energy)
        cosines = np.divide(excess + energy, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        brought = (signal, _row_sums(error, error), energy, excess, np.minimum(cosines, 1.0), signal > 0)
        totals = [float(each.sum()) for each in brought]
        self.sums.append((totals[0], totals[1], totals[2], totals[3], totals[4], totals[5]))

    @property
    def sqnr_db(self) -> float | None:
        """Decibel at the best single scale; inf where nothing is lost, None before any signal was seen."""
        # With c = sum x y and e = sum y^2 the least noise is sum (x - y)^2 - (c - e)^2 / e: no cancellation
        # where the decoded vectors are close, and exactly 0 where they are equal.
        signal, noise, energy, excess, _, _ = self._totals()
        gain = excess**2 / energy if energy else 0.0
        return _decibels(signal, max(noise - gain, 0.0))

    @property
    def decoded_sqnr_db(self) -> float | None:
        """Decibel of the vectors as they are decoded; inf where nothing is lost, None before any signal."""
        signal, noise, *_ = self._totals()
        return _decibels(signal, noise)

    @property
    def mean_cosine(self) -> float | None:
        """Mean over rows of cos(original, decoded): 0 for a row decoded to zeros.

        Rows that were zeros to begin with have no direction and do not count; None if there are no others.
        """
        *_, cosines, rows = self._totals()
        return cosines / rows if rows else None

    def _totals(self) -> Sums:
        """Add up what every update brought, in their order."""
        totals = [sum(column) for column in zip((0.0,) * 6, *self.sums, strict=True)]
        signal, noise, energy, excess, cosines, rows = totals
        return signal, noise, energy, excess, cosines, rows


def neighbour_overlap(reference_rows: Ints, rows: Ints, k: int) -> Doubles:
    """Return |A_k & B_k| / k of every query: the share of its k nearest documents that are kept.

    Args:
        reference_rows: int64 (queries, >= k) document rows, best first, none twice for a query.
        rows: int64 (queries, >= k), likewise.
        k: Neighbours looked at. Where both rankings have fewer, as in a small corpus, all are.

    Returns:
        float64 (queries,), from 0 to 1.

    Raises:
        ValueError: If k is not positive, or the rankings differ in their queries or in how many
            documents they hold up to k.
    """
    first, second = reference_rows[:, : max(k, 0)], rows[:, : max(k, 0)]
    if first.shape != second.shape or first.shape[1] == 0:
        message = f"rankings of shape {reference_rows.shape} and {rows.shape} cannot be compared at k = {k}"
        raise ValueError(message)
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    shared = np.count_nonzero(both[:, 1:] == both[:, :-1], axis=1)
    return np.asarray(shared / first.shape[1], dtype=np.float64)


class ScoreAgreement:
    """Running agreement of scores with float32 scores, over sampled documents.

    Every update brings some queries with all sampled documents; everything is measured within a query, since
    only there are scores compared.
    """

    def __init__(self) -> None:
        self._correlations = 0.0
        self._correlated = 0
        self._queries = 0
        self._spread = 0.0
        self._residual = 0.0

    def update(self, reference_scores: Floats, scores: Floats) -> None:
        """Take in float32 (queries, documents) scores: those of float32 vectors, and those of codes.

        Raises:
            ValueError: If the shapes differ.
        """
        if reference_scores.shape != scores.shape:
            message = f"scores of shape {reference_scores.shape} and {scores.shape} differ in shape"
            raise ValueError(message)
        ranks = [_centred(rankdata(each, axis=1)) for each in (reference_scores, scores)]
        spreads = [_row_sums(each, each) for each in ranks]
        varying = (spreads[0] > 0) & (spreads[1] > 0)
        lengths = np.sqrt(spreads[0] * spreads[1])[varying]
        self._correlations += float((_row_sums(*ranks)[varying] / lengths).sum())
        self._correlated += int(np.count_nonzero(varying))
        self._queries += len(scores)
        truth, found = (_centred(each.astype(np.float64)) for each in (reference_scores, scores))
        energy = _row_sums(found, found)
        slopes = np.divide(_row_sums(truth, found), energy, out=np.zeros_like(energy), where=energy > 0)
        rest = truth - slopes[:, None] * found
        self._spread += float(_row_sums(truth, truth).sum())
        self._residual += float(_row_sums(rest, rest).sum())

    @property
    def rank_correlation(self) -> float | None:
        """Mean over queries of Spearman's correlation, ties at their average rank; None if there is none.

        It is not defined for a query whose scores are all equal; `constant_queries` counts those left out.
        """
        return min(1.0, self._correlations / self._correlated) if self._correlated else None

    @property
    def constant_queries(self) -> int:
        """Queries without a correlation, because all their scores are equal on one side."""
        return self._queries - self._correlated

    @property
    def noise_ratio(self) -> float | None:
        """Spread of the scores' error over the spread of the float32 scores; None if those do not vary.

        sqrt(sum_q sum_j (r_qj - a_q s_qj - b_q)^2 / sum_q sum_j (r_qj - mean_q r)^2) with r the float32
        scores, s the scores of codes, and a_q and b_q the slope and offset that fit query q best: scores of
        raw codes have a unit and a zero of their own in every query, which do not change its ranking. So it
        lies between 0 and 1; a query whose codes score all documents alike counts as pure noise. For
        isotropic noise it is about 1 / sqrt(SQNR) (SQNR as a ratio).
        """
        return float(np.sqrt(self._residual / self._spread)) if self._spread else None


def _row_sums(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> Doubles:
    """Return float64 (n,) inner products of the rows."""
    return np.asarray(np.einsum("ij,ij->i", first, second, dtype=np.float64))


def _centred(values: Doubles) -> Doubles:
    """Subtract each row's mean."""
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def _decibels(signal: float, noise: float) -> float | None:
    """Return 10 log10(signal / noise)."""
    if not signal:
        return None
    return float(10 * np.log10(signal / noise)) if noise else float("inf")
