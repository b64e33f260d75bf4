"""Cosines: their histogram, its distance to the Beta law, uniformity with its error."""

import numpy as np
import pytest
from scipy import stats

from evalsuite.stats.spread import ideal
from evalsuite.stats.spread.cosines import CosineHistogram, uniformity
from tests.stats.spread import clouds


def test_distance_is_kolmogorovs():
    """The distance to the Beta law is scipy's to the width of a bin."""
    rows = clouds.common_mean(80, 32, length=0.2)
    cosines = (rows @ rows.T)[np.triu_indices(80, 1)]
    law = stats.beta((32 - 1) / 2, (32 - 1) / 2, loc=-1, scale=2)
    expected = stats.kstest(cosines.astype(np.float64), law.cdf).statistic
    assert CosineHistogram.of(cosines).distance(32) == pytest.approx(expected, abs=3e-3)


def test_uniform_points_are_as_far_as_chance_makes_them():
    """Over 40 clouds the mean distance is the ideal: uniform pairs spread like independent draws."""
    seen = []
    for seed in range(40):
        rows = clouds.uniform(100, 24, seed)
        seen.append(CosineHistogram.of((rows @ rows.T)[np.triu_indices(100, 1)]).distance(24))
    assert np.mean(seen) == pytest.approx(ideal.beta_distance(4950), rel=0.12)


def test_moments_of_the_histogram():
    """Second and fourth moments come back to the width of a bin; what is taken out is gone."""
    cosines = np.linspace(-0.5, 0.8, 1001)
    histogram = CosineHistogram.of(np.append(cosines, 1.0)).without(np.array([1.0]))
    assert histogram.counts.sum() == 1001
    assert histogram.moment(2) == pytest.approx((cosines**2).mean(), abs=1e-5)
    assert histogram.square_variance() == pytest.approx((cosines**2).var(), abs=1e-5)


def test_curve_is_a_density():
    """Both lines of the curve integrate to 1 over equal bins, and rounding beyond 1 counts at the end."""
    rows = clouds.topics(200, 16, count=4)
    curve = CosineHistogram.of(rows @ rows.T).curve(16)
    step = np.diff(curve.x)[0]
    assert sum(curve.y) * step == pytest.approx(1, abs=0.02)
    assert sum(curve.ideal) * step == pytest.approx(1, abs=0.02)
    assert CosineHistogram.of(np.array([1.0000001, -1.0000001])).counts[[0, -1]].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("rank", "expected"), [(768, -3.9896), (512, -3.9844), (256, -3.9688), (128, -3.9374)]
)
def test_ideal_uniformity(rank, expected):
    """The closed form gives the known values of uniform spheres."""
    assert ideal.uniformity(rank) == pytest.approx(expected, abs=2e-4)


def test_uniformity_equals_its_definition():
    """log of the mean of exp(-2|x - y|²) over pairs of different rows."""
    rows = clouds.unit(clouds.common_mean(50, 12).astype(np.float64))
    distances = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)[~np.eye(50, dtype=bool)]
    assert uniformity(rows @ rows.T)[0] == pytest.approx(np.log(np.exp(-2 * distances).mean()), abs=1e-12)


@pytest.mark.parametrize("cloud", [clouds.uniform, clouds.common_mean, clouds.topics])
def test_uniformity_error_is_that_of_repeated_samples(cloud):
    """The standard error agrees with the spread over 150 samples."""
    shared = cloud(6000, 12, seed=5)
    parts = [uniformity(rows @ rows.T) for rows in np.split(shared, 150)]
    values, errors = np.array(parts).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.25)
