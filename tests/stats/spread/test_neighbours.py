"""Neighbours: Poisson counts by chance, intrinsic dimension as scikit-dimension finds it."""

import numpy as np
import pytest
from scipy import stats

from evalsuite.stats.spread import ideal
from evalsuite.stats.spread.neighbours import hubness, mle_dimension, nearest, two_nn
from tests.stats.spread import clouds


def neighbours_of(rows, k):
    """Nearest neighbours among the rows themselves."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    return nearest(cosines, k)


def test_nearest_equals_sorting():
    """Rows and distances are those of a full sort."""
    rows = clouds.unit(clouds.uniform(60, 8).astype(np.float64))
    found = neighbours_of(rows, 5)
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert np.array_equal(found.rows, np.argsort(distances, axis=1)[:, :5])
    assert np.exp(found.log_distances) == pytest.approx(np.sort(distances, axis=1)[:, :5], abs=1e-9)


def test_uniform_queries_make_poisson_counts():
    """Uniform queries on many uniform documents give the skew, antihubs and Robin Hood of Poisson counts."""
    queries, documents = clouds.uniform(300, 64, seed=1), clouds.uniform(20_000, 64, seed=2)
    found = hubness(nearest(queries @ documents.T, 10).rows, len(documents))
    rate = 300 * 10 / 20_000
    assert found.rate == pytest.approx(rate)
    assert found.skew == pytest.approx(1 / np.sqrt(rate), rel=0.08)
    assert found.antihubs == pytest.approx(np.exp(-rate), abs=0.005)
    assert found.robin_hood == pytest.approx(ideal.poisson_robin_hood(rate), abs=0.01)


@pytest.mark.parametrize("rate", [0.15, 1.0, 3.7, 10.0])
def test_poisson_robin_hood(rate):
    """The closed form is the mean absolute deviation of the Poisson law over twice its mean."""
    counts = np.arange(200)
    expected = (stats.poisson.pmf(counts, rate) * np.abs(counts - rate)).sum() / (2 * rate)
    assert ideal.poisson_robin_hood(rate) == pytest.approx(expected, rel=1e-9)


def test_hubness_by_hand():
    """Counts 3, 1, 0, 0: rate 1, half of the texts antihubs, half of the places to move."""
    found = hubness(np.array([[0], [0], [0], [1]]), 4)
    assert (found.rate, found.antihubs, found.robin_hood) == (1.0, 0.5, 0.5)
    assert found.skew == pytest.approx(stats.skew([3, 1, 0, 0]))


def test_equal_counts_have_no_skew():
    """A ring, where everybody is somebody's neighbour once, has no antihub; its skew is undefined."""
    found = hubness(np.array([[1], [2], [0]]), 3)
    assert np.isnan(found.skew)
    assert (found.antihubs, found.robin_hood) == (0.0, 0.0)


@pytest.mark.parametrize("dim", [3, 10, 30])
def test_scikit_dimension_agrees(dim):
    """TwoNN and MLE (k = 20) are scikit-dimension's."""
    skdim = pytest.importorskip("skdim.id")
    rows = clouds.unit(clouds.rank_deficient(400, 40, dim, seed=dim).astype(np.float64))
    found = neighbours_of(rows, 20).log_distances
    assert two_nn(found) == pytest.approx(skdim.TwoNN().fit(rows).dimension_, rel=1e-6)
    theirs = skdim.MLE().fit(rows, n_neighbors=20, comb="mle").dimension_
    assert mle_dimension(found)[0] == pytest.approx(theirs, rel=1e-6)


def test_copies_are_left_out():
    """Repeated rows change nothing but their own weight; only copies leave no estimate."""
    rows = clouds.uniform(300, 5)
    some = np.concatenate([rows, rows[:20]])
    assert two_nn(neighbours_of(some, 20).log_distances) == pytest.approx(4, rel=0.2)
    only = neighbours_of(np.repeat(rows[:5], 20, axis=0), 20).log_distances
    assert np.isnan(two_nn(only))
    assert np.isnan(mle_dimension(only)[0])
