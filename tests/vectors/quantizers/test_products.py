"""Inner products: exact for integers of any width."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.vectors.quantizers.products import inner_products, integer_products

codes = st.integers(1, 30).flatmap(
    lambda d: st.tuples(arrays(np.int8, (3, d)), arrays(np.int8, (4, d)))  # all of -128 to 127
)


@given(codes)
def test_integer_products_are_exact(pair):
    """Integer inner products equal those of int64."""
    q, d = pair
    expected = q.astype(np.int64) @ d.astype(np.int64).T
    np.testing.assert_array_equal(integer_products(q, d, 128).numpy(), expected)


def test_wide_integer_products_tie_exactly():
    """Beyond 1,040 dimensions of int8 equal codes still score equal, the nearest float32 of the sum or so."""
    rng = np.random.default_rng(0)
    q = np.full((2, 3000), 127, dtype=np.int8)
    d = rng.integers(100, 128, (50, 3000)).astype(np.int8)
    d[::5] = d[0]
    products = integer_products(q, d, 127).numpy()
    assert (products[:, ::5] == products[:, :1]).all()
    np.testing.assert_allclose(products, q.astype(np.int64) @ d.astype(np.int64).T, rtol=2**-22)


def test_inner_products_by_hand():
    """Rows meet rows."""
    q, d = np.float32([[1, 2]]), np.float32([[3, 4], [5, -6]])
    assert inner_products(q, d).tolist() == [[11, -7]]
