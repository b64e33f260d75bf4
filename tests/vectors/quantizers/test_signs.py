"""Sign bits: hand-worked codes, faiss's Hamming distances, the centred variant."""

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.vectors.quantizers import quantizer
from tests.vectors.quantizers.samples import fitted, offset, uniform


def test_binary_by_hand():
    """Signs 1 0 1 1 pack into the high bits; Hamming distance 2 of 4 scores 0; zero counts as negative."""
    level = quantizer("binary")
    codes = level.encode(np.float32([[0.3, -0.2, 0.1, 0.4], [0.3, 0.2, 0.0, 0.4]]))
    assert codes.values.tolist() == [[0b10110000], [0b11010000]]
    assert level.scores(codes, codes).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("name", ["binary", "binary_centred"])
def test_binary_equals_faiss(name):
    """Scores are 1 - 2 h / d with faiss's Hamming distances h on the same packed bits."""
    level = fitted(name, 96)
    q, d = level.encode(offset(7, 96, 3)), level.encode(offset(50, 96, 4))
    index = faiss.IndexBinaryFlat(96)
    index.add(d.values)
    distances, rows = index.search(q.values, 50)
    ours = np.take_along_axis(level.scores(q, d), rows, axis=1)
    np.testing.assert_array_equal(ours, (1 - 2 * distances / 96).astype(np.float32))


@given(arrays(np.float32, (3, 24), elements=st.floats(-1, 1, width=32)))
def test_prefix_bits_are_bits_of_the_prefix(vectors):
    """The sign bits of the first 16 dimensions are the first two bytes of the whole code."""
    level = quantizer("binary")
    np.testing.assert_array_equal(level.encode(vectors[:, :16]).values, level.encode(vectors).values[:, :2])


def test_centring_balances_the_bits():
    """Around a common mean half of the centred bits are set in every dimension; uncentred they are not."""
    x = offset(4000, 64, 5)
    level = quantizer("binary_centred").fit(x, np.random.default_rng(0))
    centred = np.unpackbits(level.encode(x).values, axis=1).mean(axis=0)
    plain = np.unpackbits(quantizer("binary").encode(x).values, axis=1).mean(axis=0)
    assert np.abs(centred - 0.5).max() < 0.05
    assert np.abs(plain - 0.5).max() > 0.2


def test_centred_asymmetric_order_is_that_of_the_reconstruction():
    """Float query x signs orders documents as float query x (mean + a signs) does."""
    level, q = fitted("binary_centred", 64), uniform(8, 64, 1)
    codes = level.encode(offset(100, 64, 2))
    reconstruction = level.mean.astype(np.float64) + 0.7 * level.decode(codes)
    ours = level.asymmetric_scores(q, codes)
    expected = q @ reconstruction.T
    best = np.take_along_axis(expected, (-ours).argsort(axis=1), axis=1)
    assert (np.diff(best, axis=1) < 1e-6).all()
