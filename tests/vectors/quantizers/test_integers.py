"""Integer levels without a fit: bounds, hand-worked codes, packing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.vectors.quantizers import quantizer

matrices = arrays(
    np.float32, st.tuples(st.integers(1, 4), st.integers(1, 70)), elements=st.floats(-1, 1, width=32)
)

BOUNDS = {"int8": 0.5 / 127, "int4": 0.5 / 7, "int4_block32": 1 / 8 + 2**-10, "ternary": 1.0}
"""Largest error relative to the largest magnitude of the vector."""


@given(matrices, st.sampled_from(sorted(BOUNDS)))
def test_decoding_stays_within_the_step(vectors, name):
    """The error is bounded by the level's step, everywhere, zeros and constants included."""
    level = quantizer(name)
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    error = np.abs(level.decode(level.encode(vectors)) - vectors)
    assert (error <= BOUNDS[name] * (1 + 1e-5) * largest + 2**-20).all()


@pytest.mark.parametrize("name", ["int8", "int4", "ternary"])
@given(matrices)
def test_opposite_vectors_have_opposite_codes(name, vectors):
    """Symmetric levels: -x decodes to minus what x decodes to."""
    level = quantizer(name)
    np.testing.assert_array_equal(level.decode(level.encode(-vectors)), -level.decode(level.encode(vectors)))


def test_int8_by_hand():
    """The largest magnitude becomes 127; the others follow in proportion."""
    level = quantizer("int8")
    codes = level.encode(np.float32([[0.5, -0.25, 0.0, 0.1]]))
    assert codes.values.tolist() == [[127, -64, 0, 25]]  # 63.5 rounds to the even 64
    assert codes.side["scale"] == pytest.approx([0.5 / 127])
    assert level.saturation(codes) == 0.25


def test_int4_by_hand():
    """The largest magnitude becomes 7; codes are stored with 8 added, two a byte."""
    codes = quantizer("int4").encode(np.float32([[0.7, -0.3, 0.0]]))
    assert codes.values.tolist() == [[15 | 5 << 4, 8]]
    assert codes.side["scale"] == pytest.approx([0.1])


def test_int4_block32_by_hand():
    """Q4_0: the element of largest magnitude becomes code 0, its step is m / -8; blocks stand alone."""
    level = quantizer("int4_block32")
    x = np.zeros((1, 34), dtype=np.float32)
    x[0, :4], x[0, 32:] = [0.8, 0.4, -0.8, -0.1], [-0.5, 0.25]
    codes = level.encode(x)
    assert codes.side["scale"].tolist() == [[np.float16(-0.1), np.float16(0.0625)]]
    stored = [byte >> shift & 15 for byte in codes.values[0].tolist() for shift in (0, 4)]
    assert stored == [0, 4, 15, 9, *[8] * 28, 0, 12]
    assert level.decode(codes)[0, 32:].tolist() == [-0.5, 0.25]
    assert level.saturation(codes) == pytest.approx(3 / 34)


def test_ternary_by_hand():
    """Values beyond .612 of the root mean square keep their sign; the scale is their mean magnitude."""
    codes = quantizer("ternary").encode(
        np.float32([[0.8, -0.4, 0.1, -0.2, 0.0, 0.1]])
    )  # rms .379, threshold .232
    assert codes.values.tolist() == [[2 + 0 + 9 + 27 + 81, 1]]
    assert codes.side["scale"] == pytest.approx([0.6])


@given(matrices)
def test_ternary_scale_minimises_the_error(vectors):
    """Neither a larger nor a smaller scale is nearer to the vector."""
    level = quantizer("ternary")
    decoded = level.decode(level.encode(vectors)).astype(np.float64)
    for factor in (0.99, 1.01):
        other = ((factor * decoded - vectors) ** 2).sum(axis=1)
        assert (((decoded - vectors) ** 2).sum(axis=1) <= other + 1e-9).all()
