"""Spectra: entropy, decay and rank of eigenvalues that are known."""

import numpy as np
import pytest

from evalsuite.stats.spread import ideal, spectrum
from tests.stats.spread import clouds


def test_entropy_rank_of_equal_weights_is_their_number():
    """k equal weights count k, zeros count nothing, and no weight at all is undefined."""
    assert spectrum.entropy_rank(np.array([2.0, 2.0, 2.0, 0.0])) == pytest.approx(3)
    assert np.isnan(spectrum.entropy_rank(np.zeros(3)))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_power_law_is_found(exponent):
    """An exact power law gives its exponent with R² = 1."""
    decay, fit = spectrum.power_law(np.arange(1, 401) ** -exponent, 400)
    assert decay == pytest.approx(exponent, abs=1e-9)
    assert fit == pytest.approx(1)


@pytest.mark.parametrize("dim", [1, 2, 3, 40])
@pytest.mark.parametrize("cloud", [clouds.uniform, clouds.common_mean, clouds.power_law])
def test_eigenvalues_are_numpys(cloud, dim):
    """One reduction gives the eigenvalues that numpy finds for S and for C, each to 1e-12."""
    rows = cloud(60, dim, seed=dim).astype(np.float64)
    second, mean = rows.T @ rows / len(rows), rows.mean(axis=0)
    for found, matrix in zip(
        spectrum.eigenvalues(second, mean), (second, second - np.outer(mean, mean)), strict=True
    ):
        assert found == pytest.approx(np.clip(np.linalg.eigvalsh(matrix)[::-1], 0, None), abs=1e-12)


def test_eigenvalues_of_a_mean_of_zero_and_of_one_direction():
    """Without a mean both spectra are one; equal rows have one eigenvalue, and none without the mean."""
    plain, centred = spectrum.eigenvalues(np.diag([3.0, 1.0, 2.0]), np.zeros(3))
    assert plain == pytest.approx([3, 2, 1])
    assert centred == pytest.approx([3, 2, 1])
    row = np.array([0.6, 0.0, -0.8])
    plain, centred = spectrum.eigenvalues(np.outer(row, row), row)
    assert plain == pytest.approx([1, 0, 0], abs=1e-15)
    assert centred == pytest.approx([0, 0, 0], abs=1e-15)


def test_power_law_needs_a_range():
    """Under five ranks in the range there is no fit."""
    assert np.isnan(spectrum.power_law(np.ones(8), 8)).all()


def test_rank_ignores_rounding():
    """Directions that hold a millionth of the mean energy are not counted, a weak one is."""
    values = np.concatenate([np.ones(5), [1e-2], np.full(4, 1e-6)])
    assert spectrum.numerical_rank(values) == 6


@pytest.mark.parametrize(("rank", "n"), [(300, 200), (300, 300), (300, 2000)])
def test_ideal_spectrum_is_marchenko_pastur(rank, n):
    """Its shares sum to 1, and cumulate as those of simulated uniform points."""
    expected = ideal.spectrum(rank, n)
    assert len(expected) == min(rank, n)
    assert expected.sum() == pytest.approx(1)
    rows = clouds.uniform(n, rank, seed=3).astype(np.float64)
    seen = np.linalg.eigvalsh(rows.T @ rows / n)[::-1][: len(expected)]
    assert np.abs(np.cumsum(seen) - np.cumsum(expected)).max() < 0.006


def test_drawn_ranks_keep_both_ends():
    """A thinned spectrum holds the first and the last rank, in order, each once."""
    ranks = spectrum.drawn_ranks(768)
    assert (ranks[0], ranks[-1]) == (1, 768)
    assert len(ranks) <= spectrum.DRAWN_POINTS
    assert (np.diff(ranks) > 0).all()
