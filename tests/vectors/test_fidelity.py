"""Fidelity: hand-worked numbers, theory, scipy as oracle, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from evalsuite.vectors.fidelity import ScoreAgreement, SignalNoise, neighbour_overlap
from evalsuite.vectors.prefix import unit_prefix

matrices = arrays(
    np.float32,
    st.tuples(st.integers(1, 8), st.integers(1, 12)),
    elements=st.floats(-2, 2, width=32, allow_subnormal=False),
)


def gaussian(n, dim, seed=0):
    """Standard normal float32 rows."""
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def noise_of(original, decoded):
    """Signal to noise of one block."""
    noise = SignalNoise()
    noise.update(original, decoded)
    return noise


def agreement_of(reference, scores):
    """Agreement of one block."""
    agreement = ScoreAgreement()
    agreement.update(reference, scores)
    return agreement


# Signal to noise.


def test_signal_to_noise_by_hand():
    """x = (3, 4), y = (3, 3): 25 / 1 as decoded; best scale 21 / 18 leaves 25 - 441 / 18 = 1 / 2."""
    noise = noise_of(np.array([[3, 4]], np.float32), np.array([[3, 3]], np.float32))
    assert noise.decoded_sqnr_db == pytest.approx(10 * np.log10(25))
    assert noise.sqnr_db == pytest.approx(10 * np.log10(50))
    assert noise.mean_cosine == pytest.approx(21 / (5 * 18**0.5))


@given(matrices)
def test_nothing_lost_is_infinite(vectors):
    """Equal vectors have no noise and cosine 1; without any signal there is no ratio."""
    noise = noise_of(vectors, vectors.copy())
    if vectors.any():
        assert (noise.sqnr_db, noise.decoded_sqnr_db) == (float("inf"), float("inf"))
        assert noise.mean_cosine == pytest.approx(1, abs=1e-12)
    else:
        assert (noise.sqnr_db, noise.decoded_sqnr_db, noise.mean_cosine) == (None, None, None)


@given(matrices, st.integers(1, 8), st.randoms(use_true_random=False))
def test_blocks_and_order_do_not_matter(vectors, size, random):
    """Cutting and permuting rows leaves every figure as it was."""
    decoded = np.round(vectors * 2) / 2
    whole = noise_of(vectors, decoded)
    order = list(range(len(vectors)))
    random.shuffle(order)
    parts = SignalNoise()
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        parts.update(vectors[rows], decoded[rows])
    for one, other in (
        (parts.sqnr_db, whole.sqnr_db),
        (parts.decoded_sqnr_db, whole.decoded_sqnr_db),
        (parts.mean_cosine, whole.mean_cosine),
    ):
        assert (one is None and other is None) or one == pytest.approx(other, rel=1e-6, abs=1e-6)


def test_signs_meet_theory():
    """Sign codes of uniform unit vectors: -10 log10(1 - 2 / pi) = 4.396 dB, mean cosine sqrt(2 / pi)."""
    vectors = unit_prefix(gaussian(2000, 256), 256)
    noise = noise_of(vectors, np.sign(vectors))
    assert noise.sqnr_db == pytest.approx(-10 * np.log10(1 - 2 / np.pi), abs=0.05)
    assert noise.mean_cosine == pytest.approx(np.sqrt(2 / np.pi), abs=1e-3)
    ratio = 10 ** (noise.sqnr_db / 10)
    assert noise.mean_cosine == pytest.approx(np.sqrt(1 - 1 / ratio), abs=1e-3)


def test_independent_noise_meets_theory():
    """Additive noise of a tenth of the spread: 20 dB as decoded, mean cosine 1 / sqrt(1 + 1 / 100)."""
    vectors = gaussian(500, 512)
    noise = noise_of(vectors, vectors + np.float32(0.1) * gaussian(500, 512, 1))
    assert noise.decoded_sqnr_db == pytest.approx(20, abs=0.05)
    assert noise.mean_cosine == pytest.approx(1 / np.sqrt(1.01), abs=1e-4)


def test_scale_is_free_and_small_noise_is_resolved():
    """The best scale undoes any length; float16's 73.6 dB is seen, and not lost in cancellation."""
    vectors = unit_prefix(gaussian(500, 512), 512)
    decoded = vectors.astype(np.float16).astype(np.float32)
    noise, scaled = noise_of(vectors, decoded), noise_of(vectors, 8 * decoded)
    assert noise.sqnr_db == pytest.approx(73.66, abs=0.1)
    assert noise.sqnr_db == pytest.approx(noise.decoded_sqnr_db, abs=1e-3)
    assert scaled.sqnr_db == pytest.approx(noise.sqnr_db, abs=1e-3)
    assert scaled.decoded_sqnr_db < 0


def test_zeros_are_safe():
    """A row decoded to zeros has cosine 0; a row that was zeros does not count; shapes must agree."""
    noise = noise_of(
        np.array([[1, 0], [0, 2], [0, 0]], np.float32), np.array([[1, 0], [0, 0], [0, 0]], np.float32)
    )
    assert noise.mean_cosine == 0.5
    assert noise.sqnr_db == pytest.approx(10 * np.log10(5 / 4))
    assert noise_of(np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)).sqnr_db == 0
    assert SignalNoise().mean_cosine is None
    with pytest.raises(ValueError, match="differ in shape"):
        noise_of(np.ones((2, 2), np.float32), np.ones((2, 3), np.float32))


# Neighbours.


def test_overlap_by_hand():
    """Of {3, 1, 4} the rankings keep 3 and 1; {2, 7, 1} is kept whole in another order."""
    reference = np.array([[3, 1, 4, 9], [2, 7, 1, 8]])
    rows = np.array([[1, 5, 3, 4], [7, 1, 2, 0]])
    np.testing.assert_array_equal(neighbour_overlap(reference, rows, 3), [2 / 3, 1])
    np.testing.assert_array_equal(neighbour_overlap(reference, rows, 1), [0, 0])


@given(st.integers(1, 30), st.integers(0, 2**16))
def test_overlap_is_a_share_of_sets(k, seed):
    """It equals |A & B| / k by sets, is 1 for itself, symmetric, and blind to order within the k."""
    rng = np.random.default_rng(seed)
    first, second = (np.stack([rng.permutation(40)[:30] for _ in range(5)]) for _ in range(2))
    overlap = neighbour_overlap(first, second, k)
    expected = [len({*a[:k]} & {*b[:k]}) / k for a, b in zip(first, second, strict=True)]
    np.testing.assert_array_equal(overlap, expected)
    np.testing.assert_array_equal(neighbour_overlap(second, first, k), overlap)
    np.testing.assert_array_equal(neighbour_overlap(first, first, k), 1)
    np.testing.assert_array_equal(neighbour_overlap(first, np.sort(second[:, :k], axis=1), k), overlap)


def test_overlap_of_a_small_corpus_is_one_and_misfits_are_refused():
    """Three documents are all among the hundred nearest; rankings of unequal depth cannot be compared."""
    rows = np.array([[2, 0, 1]])
    np.testing.assert_array_equal(neighbour_overlap(rows, rows[:, ::-1], 100), [1])
    for other, k in ((rows[:, :2], 3), (rows, 0), (np.repeat(rows, 2, axis=0), 3)):
        with pytest.raises(ValueError, match="cannot be compared"):
            neighbour_overlap(rows, other, k)


# Scores.


def test_agreement_by_hand():
    """Scores 1 2 3 against 1 3 2: Spearman 1/2; the best line has slope 1/2, residual 3/2 of 2."""
    agreement = agreement_of(np.array([[1, 2, 3]], np.float32), np.array([[1, 3, 2]], np.float32))
    assert agreement.rank_correlation == pytest.approx(0.5)
    assert agreement.noise_ratio == pytest.approx(np.sqrt(0.75))


@given(
    arrays(np.int8, st.tuples(st.integers(1, 6), st.integers(2, 9)), elements=st.integers(-3, 3)),
    st.integers(0, 2**16),
)
def test_rank_correlation_is_spearmans(scores, seed):
    """scipy agrees, ties and all; queries without a correlation are left out and counted."""
    reference = np.random.default_rng(seed).integers(-3, 4, scores.shape).astype(np.float32)
    agreement = agreement_of(reference, scores.astype(np.float32))
    usable = [q for q in range(len(scores)) if np.ptp(scores[q]) and np.ptp(reference[q])]
    assert agreement.constant_queries == len(scores) - len(usable)
    if usable:
        expected = np.mean([spearmanr(reference[q], scores[q]).statistic for q in usable])
        assert agreement.rank_correlation == pytest.approx(expected, abs=1e-12)
    else:
        assert agreement.rank_correlation is None


@given(st.integers(0, 2**16), st.sampled_from([1.0, 0.125, 4096.0]), st.sampled_from([0.0, 2.0, -64.0]))
def test_units_and_zeros_of_scores_do_not_matter(seed, unit, zero):
    """Scores that are any rising line of the float32 scores agree wholly, a line of its own each query."""
    reference = np.random.default_rng(seed).standard_normal((4, 50)).astype(np.float32)
    lines = unit * (1 + np.arange(4))[:, None] * reference.astype(np.float64) + zero * np.arange(4)[:, None]
    agreement = agreement_of(reference, lines)
    assert agreement.rank_correlation == pytest.approx(1, abs=1e-12)
    assert agreement.noise_ratio == pytest.approx(0, abs=1e-6)


def test_identity_has_no_noise_at_all():
    """The float32 scores themselves: correlation 1, noise exactly 0."""
    reference = gaussian(5, 300)
    agreement = agreement_of(reference, reference.copy())
    assert agreement.noise_ratio == 0
    assert agreement.rank_correlation == pytest.approx(1, abs=1e-12)


def test_queries_may_come_in_portions_and_documents_in_any_order():
    """Portions of queries and permuted documents give the same agreement."""
    reference = gaussian(9, 40)
    scores = reference + gaussian(9, 40, 1)
    whole, parts = agreement_of(reference, scores), ScoreAgreement()
    order = np.random.default_rng(2).permutation(40)
    for rows in (slice(0, 2), slice(2, 9)):
        parts.update(reference[rows][:, order], scores[rows][:, order])
    assert parts.rank_correlation == pytest.approx(whole.rank_correlation)
    assert parts.noise_ratio == pytest.approx(whole.noise_ratio)


def test_noise_of_scores_follows_noise_of_vectors():
    """For isotropic noise the score-noise ratio is 1 / sqrt(1 + SQNR): 10 dB gives 0.30."""
    documents, queries = gaussian(2000, 64), gaussian(20, 64, 1)
    noisy = documents + np.sqrt(np.float32(0.1)) * gaussian(2000, 64, 2)
    agreement = agreement_of(queries @ documents.T, queries @ noisy.T)
    assert agreement.noise_ratio == pytest.approx(1 / np.sqrt(11), abs=0.01)


def test_constant_scores_are_told():
    """Codes that score all alike are pure noise; float32 scores that do not vary measure nothing."""
    varying, flat = gaussian(2, 5), np.ones((2, 5), np.float32)
    lost = agreement_of(varying, flat)
    assert (lost.rank_correlation, lost.constant_queries) == (None, 2)
    assert lost.noise_ratio == pytest.approx(1)
    assert agreement_of(flat, varying).noise_ratio is None
    assert ScoreAgreement().rank_correlation is None
    with pytest.raises(ValueError, match="differ in shape"):
        agreement_of(varying, flat[:1])
