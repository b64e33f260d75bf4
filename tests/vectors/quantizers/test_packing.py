"""Packed codes unpack to what they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.vectors.quantizers.packing import pack_nibbles, pack_trits, unpack_nibbles, unpack_trits

shapes = st.tuples(st.integers(0, 4), st.integers(1, 23))


@given(arrays(np.uint8, shapes, elements=st.integers(0, 15)))
def test_nibbles_come_back(codes):
    """Two codes of 4 bits share a byte and come back."""
    packed = pack_nibbles(codes)
    assert packed.shape == (len(codes), (codes.shape[1] + 1) // 2)
    np.testing.assert_array_equal(unpack_nibbles(packed, codes.shape[1]), codes)


@given(arrays(np.uint8, shapes, elements=st.integers(0, 2)))
def test_trits_come_back(digits):
    """Five ternary digits share a byte and come back."""
    packed = pack_trits(digits)
    assert packed.dtype == np.uint8
    assert packed.shape == (len(digits), (digits.shape[1] + 4) // 5)
    np.testing.assert_array_equal(unpack_trits(packed, digits.shape[1]), digits)


def test_layout_by_hand():
    """The first code is in the low half; the first digit has the lowest place."""
    assert pack_nibbles(np.uint8([[1, 2, 3]])).tolist() == [[0x21, 0x03]]
    assert pack_trits(np.uint8([[2, 1, 0, 0, 2, 1]])).tolist() == [[2 + 3 + 2 * 81, 1]]
