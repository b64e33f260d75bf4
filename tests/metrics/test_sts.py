"""STS correlations: scipy as the oracle, and what has no correlation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics.pairwise import paired_cosine_distances

from evalsuite.metrics.sts import cosines, pearson, spearman


@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(2, 30))
def test_correlations_equal_scipy(seed, n, levels):
    """With ties on both sides, Spearman and Pearson equal scipy's."""
    rng = np.random.default_rng(seed)
    values, gold = (rng.integers(0, levels, size=n).astype(float) for _ in range(2))
    values[0], gold[0] = levels, levels  # never constant
    assert spearman(values, gold) == pytest.approx(stats.spearmanr(values, gold)[0], abs=1e-12)
    assert pearson(values, gold) == pytest.approx(stats.pearsonr(values, gold)[0], abs=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_cosines_equal_scikit_learn(seed):
    """Paired cosines equal scikit-learn's, whatever the lengths."""
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal((7, 5)).astype(np.float32) * rng.uniform(0.1, 9) for _ in range(2))
    np.testing.assert_allclose(cosines(a, b), 1 - paired_cosine_distances(a, b), atol=1e-6)


def test_zero_vectors_have_cosine_zero():
    """A vector of zeros is like nothing: 0, never NaN."""
    assert cosines(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32)).tolist() == [0.0]


@pytest.mark.parametrize("correlation", [spearman, pearson])
def test_a_constant_side_has_no_correlation(correlation):
    """Constant similarities or scores raise instead of giving 0 or NaN."""
    with pytest.raises(ValueError, match="does not exist"):
        correlation(np.full(5, 0.1), np.arange(5.0))
    with pytest.raises(ValueError, match="does not exist"):
        correlation(np.arange(5.0), np.full(5, 2.0))
    with pytest.raises(ValueError, match="does not exist"):
        correlation(1 - np.arange(5) * 6e-8, np.arange(5.0))  # rounding noise of equal cosines


@pytest.mark.parametrize("width", [128, 384])
def test_pairs_of_as_many_differing_bits_tie(width):
    """The correlation of binary codes is that of their Hamming distances, whatever float64 sums round to."""
    rng = np.random.default_rng(0)
    left = np.where(rng.random((1000, width)) < 0.5, 1, -1)
    right = np.where(rng.random((1000, width)) < 0.3, -left, left)
    scale = np.float32(np.sqrt(width))  # as binary codes decode
    similarity = cosines((left / scale).astype(np.float32), (right / scale).astype(np.float32))
    gold = rng.integers(0, 11, 1000) / 2.0
    distances = (left != right).sum(axis=1)
    assert spearman(similarity, gold) == pytest.approx(stats.spearmanr(-distances, gold)[0], abs=1e-12)
