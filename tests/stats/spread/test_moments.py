"""Moments: equal to brute force over all pairs, to sentence-transformers' loss, and blind to rotation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.stats.spread.moments import (
    Moments,
    covariance_traces,
    cross_mean_cosine,
    cross_second_moment,
    gor_terms,
    isoscore,
    mean_cosine,
    second_moment,
)
from tests.stats.spread import clouds


def moments_of(rows):
    """Moments of unit rows."""
    moments = Moments(rows.shape[1])
    moments.add(rows)
    return moments


def brute_force(rows):
    """M1 and M2 from the whole matrix of cosines."""
    cosines = rows.astype(np.float64) @ rows.astype(np.float64).T
    others = cosines[~np.eye(len(rows), dtype=bool)]
    return others.mean(), (others**2).mean()


CLOUDS = {
    "uniform": clouds.uniform(600, 48),
    "mean": clouds.common_mean(600, 48),
    "power law": clouds.power_law(600, 48),
    "topics": clouds.topics(600, 48),
    "fewer than dimensions": clouds.uniform(20, 48),
}


@pytest.mark.parametrize("rows", CLOUDS.values(), ids=CLOUDS)
def test_moments_equal_brute_force(rows):
    """float64 rows give M1 and M2 of all pairs to 1e-10, float32 rows to a millionth of their value."""
    first, second = brute_force(clouds.unit(rows.astype(np.float64)))
    exact = moments_of(clouds.unit(rows.astype(np.float64)))
    assert mean_cosine(exact) == pytest.approx(first, abs=1e-10)
    assert second_moment(exact) == pytest.approx(second, abs=1e-10)
    single = moments_of(rows)
    first, second = brute_force(rows)
    assert mean_cosine(single) == pytest.approx(first, abs=1e-7)
    assert second_moment(single) == pytest.approx(second, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(2, 12))
def test_rotation_changes_no_moment(seed, n, dim):
    """M1, M2 and the covariance's traces are those of the rotated rows."""
    rows = clouds.common_mean(n, dim, seed=seed).astype(np.float64)
    plain, turned = moments_of(rows), moments_of(rows @ clouds.rotation(dim, seed))
    assert mean_cosine(turned) == pytest.approx(mean_cosine(plain), abs=1e-10)
    assert second_moment(turned) == pytest.approx(second_moment(plain), abs=1e-10)
    if n >= 4:
        one, other = covariance_traces(plain), covariance_traces(turned)
        assert other.trace_of_square == pytest.approx(one.trace_of_square, abs=1e-10)
        assert other.naive == pytest.approx(one.naive, rel=1e-9)


def test_moments_by_hand():
    """Three rows in the plane: cosines 1, 0, 0 give M1 = M2 = 1/3."""
    moments = moments_of(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    assert mean_cosine(moments) == pytest.approx(1 / 3)
    assert second_moment(moments) == pytest.approx(1 / 3)


@pytest.mark.parametrize("rows", CLOUDS.values(), ids=CLOUDS)
def test_gor_terms_equal_sentence_transformers(rows):
    """Both terms are those of its GlobalOrthogonalRegularizationLoss to 1e-6, the hinge at 1/d included."""
    import torch
    from sentence_transformers.sentence_transformer.losses import GlobalOrthogonalRegularizationLoss

    loss = GlobalOrthogonalRegularizationLoss(model=None)
    mean_term, second_term = loss.compute_gor(torch.from_numpy(rows))
    assert gor_terms(moments_of(rows)) == pytest.approx((mean_term.item(), second_term.item()), abs=1e-6)


def test_one_row_has_no_pairs():
    """A single row leaves moments undefined; its GOR terms are 0, as in training."""
    moments = moments_of(np.array([[1.0, 0.0]]))
    assert np.isnan(mean_cosine(moments))
    assert np.isnan(second_moment(moments))
    assert gor_terms(moments) == (0.0, 0.0)


def test_cross_moments_equal_brute_force():
    """Mean and mean square of all query-document cosines, exactly, from moments alone."""
    left = clouds.common_mean(70, 16).astype(np.float64)
    right = clouds.topics(90, 16, count=5).astype(np.float64)
    cosines = left @ right.T
    assert cross_mean_cosine(moments_of(left), moments_of(right)) == pytest.approx(cosines.mean(), abs=1e-12)
    assert cross_second_moment(moments_of(left), moments_of(right)) == pytest.approx(
        (cosines**2).mean(), abs=1e-12
    )


def test_traces_are_unbiased():
    """Over 400 small samples the mean estimate of tr(C²) is the truth; the sample's own is half too large."""
    dim, n = 16, 30
    estimates, own = [], []
    for seed in range(400):
        moments = moments_of(clouds.uniform(n, dim, seed).astype(np.float64))
        estimates.append(covariance_traces(moments).trace_of_square)
        own.append(np.vdot(moments.covariance, moments.covariance))
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(1 / dim, abs=4 * error)
    assert np.mean(own) > 1.4 / dim


def test_traces_equal_sums_over_quadruples():
    """tr(C²) and (tr C)² are the U-statistics over four different rows."""
    from itertools import permutations

    rows = clouds.unit(clouds.common_mean(6, 3, seed=2).astype(np.float64))
    squares, products = [], []
    for a, b, c, d in permutations(rows, 4):
        squares.append(((a - b) @ (c - d)) ** 2 / 4)
        products.append((a - b) @ (a - b) * ((c - d) @ (c - d)) / 4)
    traces = covariance_traces(moments_of(rows))
    assert traces.trace_of_square == pytest.approx(np.mean(squares), rel=1e-9)
    assert traces.square_of_trace == pytest.approx(np.mean(products), rel=1e-9)


@pytest.mark.parametrize("rows", CLOUDS.values(), ids=CLOUDS)
def test_isoscore_is_that_of_its_paper(rows):
    """(PR - 1)/(d - 1) equals the seven steps of Rudman et al. (2022), algorithm 1."""
    dim = rows.shape[1]
    moments = moments_of(rows.astype(np.float64))
    variances = np.linalg.eigvalsh(np.cov(rows.T.astype(np.float64)))
    scaled = np.sqrt(dim) * variances / np.linalg.norm(variances)
    defect = np.linalg.norm(scaled - 1) / np.sqrt(2 * (dim - np.sqrt(dim)))
    used = (dim - defect**2 * (dim - np.sqrt(dim))) ** 2 / dim**2
    paper = (dim * used - 1) / (dim - 1)
    assert isoscore(covariance_traces(moments).naive, dim) == pytest.approx(paper, abs=1e-9)


def test_equal_rows_have_no_variance():
    """Rows that differ by rounding only have traces of 0, not those of the rounding."""
    rows = clouds.unit(np.ones((50, 7), dtype=np.float32))
    traces = covariance_traces(moments_of(rows))
    assert (traces.square_of_trace, traces.trace_of_square) == (0.0, 0.0)
    assert np.isnan(traces.naive)
