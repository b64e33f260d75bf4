"""Quantizers: error bounds, exact ties, bytes, and the faiss and hand-worked oracles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.core.errors import UsageError
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import known_precisions, quantizer

matrices = arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 40)),
    elements=st.floats(-1, 1, width=32, allow_subnormal=False),
)

BOUNDS = {"float32": 0.0, "float16": 2**-11, "int8": 0.5 / 127 * (1 + 1e-5)}
"""Largest error relative to the largest magnitude of the vector."""


def uniform(n, dim, seed=0):
    """Uniform unit vectors."""
    x = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return unit_prefix(x, dim)


@given(matrices, st.sampled_from(sorted(BOUNDS)))
def test_decoding_stays_within_the_rounding_error(vectors, name):
    """|decode(encode(x)) - x| is at most half a step, everywhere, zeros and constants included."""
    level = quantizer(name)
    decoded = level.decode(level.encode(vectors))
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    assert decoded.dtype == np.float32
    assert (np.abs(decoded - vectors) <= BOUNDS[name] * largest + 2**-25).all()


@given(matrices, st.sampled_from(known_precisions()))
def test_rows_are_encoded_alone(vectors, name):
    """A vector's codes do not depend on the others in the call: queries and corpus share one quantizer."""
    level = quantizer(name)
    together = level.decode(level.encode(vectors))
    alone = np.concatenate([level.decode(level.encode(row[None])) for row in vectors])
    np.testing.assert_array_equal(alone, together)


@given(matrices, st.sampled_from(known_precisions()))
def test_decoding_is_idempotent(vectors, name):
    """Encoding what was decoded gives the same codes."""
    level = quantizer(name)
    codes = level.encode(vectors)
    again = level.encode(level.decode(codes))
    np.testing.assert_array_equal(codes.values, again.values)


@pytest.mark.parametrize("name", known_precisions())
def test_scores_are_inner_products_of_what_is_decoded(name):
    """The score is what an inner-product index over the decoded vectors would return."""
    level = quantizer(name)
    q, d = uniform(5, 64, 1), uniform(40, 64, 2)
    codes = level.encode(q), level.encode(d)
    expected = level.decode(codes[0]).astype(np.float64) @ level.decode(codes[1]).astype(np.float64).T
    np.testing.assert_allclose(level.scores(*codes).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("name", known_precisions())
def test_bytes_count_what_is_stored(name):
    """Bytes per vector are the bytes of the codes plus those of the scale."""
    level = quantizer(name)
    for dim in (8, 12, 384):
        codes = level.encode(uniform(3, dim))
        scale = 0 if codes.scale is None else codes.scale[0].nbytes
        assert level.bytes_per_vector(dim) == codes.values[0].nbytes + scale


def test_int8_by_hand():
    """The largest magnitude becomes 127; the others follow in proportion."""
    codes = quantizer("int8").encode(np.array([[0.5, -0.25, 0.0, 0.1]], dtype=np.float32))
    assert codes.values.tolist() == [[127, -64, 0, 25]]  # 63.5 rounds to the even 64
    assert codes.scale == pytest.approx([0.5 / 127])


def test_binary_by_hand():
    """Signs 1 0 1 1 pack into the high bits; Hamming distance 2 of 4 scores 0."""
    level = quantizer("binary")
    codes = level.encode(np.array([[0.3, -0.2, 0.1, 0.4], [0.3, 0.2, -0.1, 0.4]], dtype=np.float32))
    assert codes.values.tolist() == [[0b10110000], [0b11010000]]
    assert level.scores(codes, codes).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_binary_equals_faiss():
    """Scores are 1 - 2 h / d with faiss's Hamming distances h on the same packed bits."""
    faiss = pytest.importorskip("faiss", reason="faiss-cpu is an optional oracle")
    level = quantizer("binary")
    q, d = level.encode(uniform(7, 96, 3)), level.encode(uniform(50, 96, 4))
    index = faiss.IndexBinaryFlat(96)
    index.add(d.values)
    distances, rows = index.search(q.values, 50)
    ours = np.take_along_axis(level.scores(q, d).numpy(), rows, axis=1)
    np.testing.assert_array_equal(ours, (1 - 2 * distances / 96).astype(np.float32))


@pytest.mark.parametrize(("name", "decibel"), [("float16", 73.65), ("int8", 42.29), ("binary", 4.40)])
def test_signal_to_noise_on_uniform_vectors(name, decibel):
    """SQNR on uniform unit vectors of 768 dimensions is the known value within 0.2 dB."""
    level, x = quantizer(name), uniform(2000, 768, 5)
    decoded = level.decode(level.encode(x)).astype(np.float64)
    optimal = (x * decoded).sum() / (decoded**2).sum() if name == "binary" else 1.0
    noise = ((optimal * decoded - x) ** 2).sum()
    assert 10 * np.log10((x.astype(np.float64) ** 2).sum() / noise) == pytest.approx(decibel, abs=0.2)


def test_equal_codes_score_exactly_equal():
    """Documents with the same codes tie exactly at every level, wherever they stand in the block."""
    d = uniform(300, 100, 6)
    d[::7] = d[3]
    for name in known_precisions():
        level = quantizer(name)
        scores = level.scores(level.encode(uniform(9, 100, 7)), level.encode(d))[:, ::7]
        if name in ("int8", "binary"):
            assert (scores == scores[:, :1]).all()
        else:
            np.testing.assert_allclose(scores, scores[:, :1].expand_as(scores), atol=1e-6)


def test_unknown_level_lists_the_known():
    """A misspelt precision is answered with the names that would work."""
    with pytest.raises(UsageError, match=r"unknown precision 'int7'.*float32.*binary"):
        quantizer("int7")
