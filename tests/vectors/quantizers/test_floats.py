"""Floating point levels: rounding, saturation, and torch as the oracle."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.vectors.quantizers import quantizer
from tests.vectors.quantizers.samples import uniform

matrices = arrays(
    np.float32, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=st.floats(-1, 1, width=32)
)

RELATIVE = {"float32": 0.0, "float16": 2**-11, "bfloat16": 2**-8, "float8_e4m3": 2**-4, "float8_e5m2": 2**-3}
SUBNORMAL = {
    "float32": 0.0,
    "float16": 2**-25,
    "bfloat16": 2**-134,
    "float8_e4m3": 2**-10,
    "float8_e5m2": 2**-17,
}


@given(matrices, st.sampled_from(sorted(RELATIVE)))
def test_decoding_stays_within_half_a_unit(vectors, name):
    """The error is at most half a unit in the last place, subnormal range included."""
    level = quantizer(name)
    error = np.abs(level.decode(level.encode(vectors)).astype(np.float64) - vectors)
    assert (error <= RELATIVE[name] * 1.00001 * np.abs(vectors) + SUBNORMAL[name]).all()


@given(arrays(np.uint32, (3, 5)))
def test_bfloat16_equals_torch(bits):
    """Every finite float32 rounds as torch rounds it, halves to even."""
    x = bits.view(np.float32)
    x = np.where(np.isfinite(x), x, np.float32(0))
    expected = torch.from_numpy(x).to(torch.bfloat16).view(torch.uint16).numpy()
    np.testing.assert_array_equal(quantizer("bfloat16").encode(x).values, expected)


def test_bfloat16_halves_go_to_even():
    """1 + 1/256 lies half way between 1 and 1 + 1/128: it becomes 1; 1 + 3/256 becomes 1 + 4/256."""
    level = quantizer("bfloat16")
    x = np.float32([[1 + 1 / 256, 1 + 3 / 256]])
    assert level.decode(level.encode(x)).tolist() == [[1.0, 1 + 4 / 256]]


@pytest.mark.parametrize(("name", "largest"), [("float8_e4m3", 448), ("float8_e5m2", 57344)])
def test_float8_saturates(name, largest):
    """Values beyond the range become its end, never NaN, and are counted."""
    level = quantizer(name)
    x = np.float32([[1e6, -1e6, largest / 2, 0.25]])
    codes = level.encode(x)
    assert level.decode(codes).tolist() == [[largest / 2, -largest / 2, largest / 2, 0.25]]  # sqrt(4) = 2
    assert level.saturation(codes) == 0.75
    assert level.clip_share(x) == 0.5


@pytest.mark.parametrize("name", ["float8_e4m3", "float8_e5m2"])
def test_float8_uses_the_middle_of_the_range(name):
    """Unit vectors of any width have the same relative error: nothing sinks into the subnormals."""
    level = quantizer(name)
    errors = []
    for dim in (128, 1536):
        x = uniform(300, dim)
        errors.append(np.linalg.norm(level.decode(level.encode(x)) - x))
    assert errors[0] == pytest.approx(errors[1], rel=0.02)
