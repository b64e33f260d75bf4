"""Kernels: equal to the sums written down, for every shape; integers and Hamming counts bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.core.errors import UsageError
from evalsuite.vectors import kernels
from evalsuite.vectors.kernels import (
    hamming_distances,
    inner_products,
    integer_products,
    integer_products_in_pieces,
    prefix_hamming,
    prefix_inner_products,
)

shapes = st.tuples(st.integers(1, 9), st.integers(1, 70), st.integers(1, 150), st.integers(0, 2**32 - 1))


def unit_vectors(count, dim, rng):
    """Rows of unit length."""
    vectors = rng.standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def int8_codes(count, dim, rng):
    """Codes over the whole range of int8."""
    return rng.integers(-128, 128, size=(count, dim), dtype=np.int8)


def bits(count, dim, rng):
    """Signs, not yet packed."""
    return rng.integers(0, 2, size=(count, dim), dtype=np.uint8)


def naive_hamming(queries, documents):
    """Differing bits, counted one pair at a time by broadcasting."""
    return (queries[:, None, :] != documents[None, :, :]).sum(axis=2)


@given(shapes)
@settings(deadline=None)
def test_inner_products_of_unit_vectors(case):
    """float32 products are within 1e-6 of float64 ones, whatever the shape."""
    q, n, d, seed = case
    rng = np.random.default_rng(seed)
    queries, documents = unit_vectors(q, d, rng), unit_vectors(n, d, rng)
    expected = queries.astype(np.float64) @ documents.T.astype(np.float64)
    found = inner_products(queries, documents)
    assert (found.dtype, found.shape) == (np.float32, (q, n))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    tensor = inner_products(torch.from_numpy(queries), torch.from_numpy(documents))
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=0, atol=1e-6)


@given(shapes, st.integers(1, 600))
@settings(deadline=None)
def test_equal_vectors_score_equal_in_every_block(case, size):
    """A document's score does not depend on its place or on its block's size, bit for bit."""
    q, n, d, seed = case
    rng = np.random.default_rng(seed)
    queries = unit_vectors(q, d, rng)
    documents = np.repeat(unit_vectors(1, d, rng), size, axis=0)
    whole = inner_products(queries, documents)
    part = inner_products(queries, documents[: min(n, size)])
    assert (whole == whole[:, :1]).all()
    assert (part == whole[:, :1]).all()


@pytest.mark.parametrize("n", [5, 5000])
def test_inner_products_write_where_they_are_told(n):
    """`out` receives the products and is returned."""
    rng = np.random.default_rng(0)
    queries, documents = unit_vectors(3, 8, rng), unit_vectors(n, 8, rng)
    expected = inner_products(queries, documents)
    out = np.full((n, 3), np.nan, dtype=np.float32).T
    found = inner_products(queries, documents, out)
    assert np.shares_memory(found, out)
    assert (out == expected).all()


@given(shapes)
@settings(deadline=None)
def test_integer_products_are_exact(case):
    """int8 products equal those in int64, by either engine and for either kind of array."""
    q, n, d, seed = case
    rng = np.random.default_rng(seed)
    queries, documents = int8_codes(q, d, rng), int8_codes(n, d, rng)
    expected = queries.astype(np.int64) @ documents.T.astype(np.int64)
    found = integer_products(queries, documents)
    assert (found.dtype, found.shape) == (np.int32, (q, n))
    assert (found == expected).all()
    assert (integer_products(queries, documents, np.zeros((n, q), dtype=np.int32).T) == expected).all()
    tensors = torch.from_numpy(queries), torch.from_numpy(documents)
    assert (integer_products(*tensors).numpy() == expected).all()
    assert (integer_products_in_pieces(*tensors).numpy() == expected).all()


@pytest.mark.parametrize("dim", [1024, 1025, 3000])
def test_integer_products_are_exact_beyond_float32(dim):
    """Sums above 2**24 stay exact, with every code at the end of its range."""
    codes = np.full((2, dim), -128, dtype=np.int8)
    codes[1, ::2] = 127
    expected = codes.astype(np.int64) @ codes.T.astype(np.int64)
    assert (integer_products(codes, codes) == expected).all()
    tensor = torch.from_numpy(codes)
    assert (integer_products_in_pieces(tensor, tensor).numpy() == expected).all()


def test_integer_products_do_without_the_fast_engine(monkeypatch):
    """Where torch's integer multiplication is missing or saturates, the products are the same."""
    rng = np.random.default_rng(0)
    queries, documents = int8_codes(4, 33, rng), int8_codes(9, 33, rng)
    expected = integer_products(queries, documents)
    monkeypatch.setattr(kernels, "_integer_engine_is_exact", lambda: False)
    out = np.zeros((9, 4), dtype=np.int32).T
    assert (integer_products(queries, documents, out) == expected).all()
    assert (out == expected).all()


@pytest.mark.parametrize("fault", ["missing", "refusing", "saturating"])
def test_the_integer_engine_is_tried_before_it_is_trusted(monkeypatch, fault):
    """An engine that is absent, refuses the shape or loses a unit is not used."""
    probe = kernels._integer_engine_is_exact.__wrapped__
    if fault == "missing":
        monkeypatch.delattr(torch, "_int_mm")
    elif fault == "refusing":

        def refuse(*_):
            raise RuntimeError

        monkeypatch.setattr(torch, "_int_mm", refuse)
    else:
        monkeypatch.setattr(torch, "_int_mm", lambda left, right: (left.int() @ right.int()).clamp(max=2**15))
    assert not probe()


@given(st.tuples(st.integers(1, 5), st.integers(1, 20), st.integers(1, 1100), st.integers(0, 2**32 - 1)))
@settings(deadline=None)
def test_hamming_distances(case):
    """Packed codes of any width differ in as many bits as the unpacked ones."""
    q, n, d, seed = case
    rng = np.random.default_rng(seed)
    queries, documents = bits(q, d, rng), bits(n, d, rng)
    expected = naive_hamming(queries, documents)
    packed = np.packbits(queries, axis=1), np.packbits(documents, axis=1)
    found = hamming_distances(*packed)
    assert (found.dtype, found.shape) == (np.int32, (q, n))
    assert (found == expected).all()
    assert (hamming_distances(*packed, np.zeros((n, q), dtype=np.int32).T) == expected).all()


def ascending(width):
    """Some ascending prefix lengths within a width."""
    return st.lists(st.integers(1, width), min_size=1, max_size=5, unique=True).map(sorted)


@given(shapes, st.data())
@settings(deadline=None)
def test_prefix_inner_products(case, data):
    """Accumulated products of each prefix are within 1e-6 of the prefix's own."""
    q, n, d, seed = case
    rng = np.random.default_rng(seed)
    queries, documents = unit_vectors(q, d, rng), unit_vectors(n, d, rng)
    dims = data.draw(ascending(d))
    tensors = torch.from_numpy(queries), torch.from_numpy(documents)
    steps = prefix_inner_products(queries, documents, dims)
    for expected_dim, (dim, found), (_, tensor) in zip(
        dims, steps, prefix_inner_products(*tensors, dims), strict=True
    ):
        assert dim == expected_dim
        expected = queries[:, :dim].astype(np.float64) @ documents[:, :dim].T.astype(np.float64)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(tensor.numpy(), expected, rtol=0, atol=1e-6)


@given(shapes, st.data())
@settings(deadline=None)
def test_prefix_hamming(case, data):
    """Accumulated counts of each prefix, whole bytes or not, equal the prefix's own."""
    q, n, d, seed = case
    rng = np.random.default_rng(seed)
    queries, documents = bits(q, d, rng), bits(n, d, rng)
    dims = data.draw(ascending(d))
    steps = prefix_hamming(np.packbits(queries, axis=1), np.packbits(documents, axis=1), dims)
    for expected_dim, (dim, found) in zip(dims, steps, strict=True):
        assert dim == expected_dim
        assert (found == naive_hamming(queries[:, :dim], documents[:, :dim])).all()


@pytest.mark.parametrize("kernel", [inner_products, integer_products, hamming_distances])
@pytest.mark.parametrize(
    ("left", "right", "said"),
    [((0, 3), (2, 3), "queries have shape"), ((2, 3), (0, 3), "documents have"), ((2, 3), (2, 4), "3 wide")],
)
def test_empty_sides_and_differing_widths_are_refused(kernel, left, right, said):
    """The message names the side and its shape, or both widths."""
    dtype = {inner_products: np.float32, integer_products: np.int8, hamming_distances: np.uint8}[kernel]
    with pytest.raises(UsageError, match=said):
        kernel(np.zeros(left, dtype=dtype), np.zeros(right, dtype=dtype))


@pytest.mark.parametrize("dims", [[], [0, 4], [4, 4], [6, 4], [4, 9]])
@pytest.mark.parametrize("kernel", [prefix_inner_products, prefix_hamming])
def test_prefix_lengths_must_ascend_within_the_width(kernel, dims):
    """Empty, repeated, descending and too long lists are refused."""
    dtype, width = (np.float32, 8) if kernel is prefix_inner_products else (np.uint8, 1)
    codes = np.zeros((1, width), dtype=dtype)
    with pytest.raises(UsageError, match="ascending"):
        list(kernel(codes, codes, dims))


def test_hamming_refuses_a_place_it_cannot_write_to():
    """An `out` laid out query by query is refused."""
    codes = np.zeros((3, 8), dtype=np.uint8)
    with pytest.raises(UsageError, match="earlier call"):
        hamming_distances(codes, codes[:2], np.zeros((3, 2), dtype=np.int32))
