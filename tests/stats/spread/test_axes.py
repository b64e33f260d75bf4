"""Coordinates: variances, rogue dimensions, and sign bits with their correlations."""

import numpy as np
import pytest

from evalsuite.stats.spread import axes, ideal
from tests.stats.spread import clouds


def test_axes_by_hand():
    """One coordinate varies four times as much as the others; one mean lies beyond three deviations."""
    variances = np.array([4.0, 1.0, 1.0, 1.0])
    assert axes.variance_ratio(variances) == pytest.approx(4 / 1.75)
    assert axes.rogue_dims(np.array([0.0, 3.1, -2.9, 0.0]), variances) == 1
    assert axes.mean_top3_share(np.array([2.0, 1.0, 1.0, 1.0])) == pytest.approx(6 / 7)


def test_bits_by_hand():
    """Bits that are 1 in half, a quarter and all of the rows hold 1, 0.811 and 0 bits."""
    shares = np.array([0.5, 0.25, 1.0])
    assert axes.bit_entropy(shares) == pytest.approx((1 + 0.8112781) / 3)
    assert axes.bit_imbalance(shares) == pytest.approx(0.25)


def test_bit_correlation_is_pearsons():
    """Mean |φ| is that of numpy's correlations of the signs; a prefix is the corner."""
    rows = clouds.power_law(200, 9, seed=4) + np.float32(0.1)
    bits = axes.BitMoments.of(rows)
    for dim in (9, 5):
        matrix = np.corrcoef((rows[:, :dim] > 0).T)
        expected = np.abs(matrix[~np.eye(dim, dtype=bool)]).mean()
        assert bits.correlation(dim) == pytest.approx(expected, abs=1e-12)


def test_bits_that_never_change_count_nothing():
    """Constant bits are left out of correlations and of effective bits; constants alone leave nothing."""
    rows = clouds.uniform(500, 6).copy()
    rows[:, 0] = 1
    bits = axes.BitMoments.of(rows)
    assert bits.effective_bits(6) == pytest.approx(5, rel=0.05)
    assert np.isfinite(bits.correlation(6))
    assert np.isnan(bits.correlation(1))
    assert np.isnan(bits.effective_bits(1))


@pytest.mark.parametrize("rank", [96, 48])
def test_ideals_of_bits_are_those_of_uniform_spheres(rank):
    """Chance and lost directions explain what the sign bits of uniform points show."""
    rows = clouds.rank_deficient(3000, 96, rank, seed=6)
    bits = axes.BitMoments.of(rows)
    shares = (rows > 0).mean(axis=0)
    assert bits.correlation(96) == pytest.approx(ideal.bit_correlation(96, rank, 3000), rel=0.03)
    assert bits.effective_bits(96) == pytest.approx(ideal.effective_bits(96, rank), rel=0.03)
    assert axes.bit_imbalance(shares) == pytest.approx(ideal.bit_imbalance(3000), rel=0.3)
    assert 1 - axes.bit_entropy(shares) == pytest.approx(1 - ideal.bit_entropy(3000), rel=0.6)


def test_ideals_of_coordinates():
    """Largest variance and largest means of uniform points are near the ideals."""
    rows = clouds.uniform(4000, 200, seed=7)
    assert axes.variance_ratio(rows.var(axis=0)) == pytest.approx(ideal.variance_ratio(200, 4000), rel=0.02)
    shares = [axes.mean_top3_share(clouds.uniform(100, 200, seed).mean(axis=0)) for seed in range(100)]
    assert np.mean(shares) == pytest.approx(ideal.mean_top3_share(200), rel=0.1)
