"""Round trips: idempotent, within half a step, bit-equal to the tools that define the formats."""

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.models.weights.grids import BFLOAT16, INT4_CHANNEL, INT8_CHANNEL, Q4_0, Q8_0

GRIDS = (BFLOAT16, Q8_0, Q4_0, INT8_CHANNEL, INT4_CHANNEL)
BY_NAME = pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)

shapes = st.tuples(st.integers(1, 12), st.integers(1, 4).map(lambda blocks: 32 * blocks))
magnitudes = st.integers(-12, 3).map(lambda exponent: 10.0**exponent)


def gaussian(rows, columns, seed=0, scale=0.02):
    """Weights as they are initialised."""
    return (np.random.default_rng(seed).standard_normal((rows, columns)) * scale).astype(np.float32)


def with_accidents(shape, seed, scale):
    """Weights of one magnitude, with zeros, an outlier and a row of nothing now and then."""
    rng = np.random.default_rng(seed)
    weights = (rng.standard_normal(shape) * scale).astype(np.float32)
    weights[rng.random(shape) < 0.1] = 0
    weights[rng.integers(shape[0]), rng.integers(shape[1])] *= rng.choice([1, 50, -50])
    if rng.random() < 0.3:
        weights[rng.integers(shape[0])] = 0
    return weights


def decibel(before, after):
    """Signal to noise."""
    return 10 * np.log10(
        (before.astype(np.float64) ** 2).sum() / ((before - after).astype(np.float64) ** 2).sum()
    )


@BY_NAME
@given(shape=shapes, seed=st.integers(0, 2**31), scale=magnitudes)
def test_a_second_round_trip_changes_nothing(grid, shape, seed, scale):
    """Rounded values lie on the grid, whatever their magnitude."""
    once = grid.round_trip(with_accidents(shape, seed, scale))
    assert np.array_equal(grid.round_trip(once), once)


@BY_NAME
@given(shape=shapes, seed=st.integers(0, 2**31))
def test_rows_are_rounded_alone(grid, shape, seed):
    """A row's values do not depend on the other rows, and the input is left as it was."""
    weights = with_accidents(shape, seed, 0.02)
    copy = weights.copy()
    together = grid.round_trip(weights)
    assert np.array_equal(together, np.concatenate([grid.round_trip(row[None]) for row in weights]))
    assert np.array_equal(weights, copy)
    assert together.dtype == np.float32


@BY_NAME
def test_nothing_stays_nothing(grid):
    """Zeros are zeros on every grid."""
    assert not grid.round_trip(np.zeros((3, 64), dtype=np.float32)).any()


@BY_NAME
def test_no_rows_are_no_error(grid):
    """An empty matrix comes back empty."""
    assert grid.round_trip(np.zeros((0, 64), dtype=np.float32)).shape == (0, 64)


@given(shape=shapes, seed=st.integers(0, 2**31), scale=magnitudes)
def test_per_channel_errors_stay_below_half_a_step(shape, seed, scale):
    """The largest of a row decides the step, and no value moves further than half of it."""
    weights = with_accidents(shape, seed, scale)
    for grid, levels in ((INT8_CHANNEL, 127), (INT4_CHANNEL, 7)):
        step = np.abs(weights).max(axis=1, keepdims=True) / levels
        assert (np.abs(grid.round_trip(weights) - weights) <= 0.502 * step).all()


def test_per_channel_by_hand():
    """A row up to 7 has int4 steps of one; half a step goes to the even side; every row has its own."""
    weights = np.array([[7, 2.4, -2.6, 0.5], [0.14, -0.031, 0, 0.02]], dtype=np.float32)
    rounded = INT4_CHANNEL.round_trip(weights)
    assert rounded[0].tolist() == [7, 2, -3, 0]
    np.testing.assert_allclose(rounded[1], [0.14, -0.04, 0, 0.02], rtol=1e-4)


def test_q8_0_by_hand():
    """A block up to 127 has steps of one; halves go away from zero."""
    block = np.zeros((1, 32), dtype=np.float32)
    block[0, :5] = [127, 2.5, -2.5, 0.4, -90]
    assert Q8_0.round_trip(block)[0, :5].tolist() == [127, 3, -3, 0, -90]


def test_q4_0_by_hand():
    """The value of largest magnitude is -8 steps, its opposite is cut to 7."""
    block = np.zeros((1, 32), dtype=np.float32)
    block[0, :4] = [-8, 7.9, 2.4, -3.6]
    assert Q4_0.round_trip(block)[0, :4].tolist() == [-8, 7, 2, -4]
    assert Q4_0.round_trip(-block)[0, :4].tolist() == [8, -7, -2, 4]


def test_blocks_have_their_own_scale():
    """A large value spoils the 32 values of its block and no others."""
    weights = gaussian(1, 64)
    calm = Q4_0.round_trip(weights)
    weights[0, 3] = 5
    wild = Q4_0.round_trip(weights)
    assert np.array_equal(calm[0, 32:], wild[0, 32:])
    assert not np.array_equal(calm[0, 4:32], wild[0, 4:32])


@pytest.mark.parametrize(
    ("grid", "kind"),
    [
        (Q8_0, gguf.GGMLQuantizationType.Q8_0),
        (Q4_0, gguf.GGMLQuantizationType.Q4_0),
        (BFLOAT16, gguf.GGMLQuantizationType.BF16),
    ],
    ids=lambda each: each.name,
)
@given(shape=shapes, seed=st.integers(0, 2**31), scale=magnitudes)
def test_gguf_decodes_the_same_values(grid, kind, shape, seed, scale):
    """The round trip equals quantizing and dequantizing with gguf, bit for bit but for the sign of zero."""
    weights = with_accidents(shape, seed, scale)
    expected = gguf.quants.dequantize(gguf.quants.quantize(weights, kind), kind)
    assert np.array_equal(grid.round_trip(weights), expected)


@pytest.mark.parametrize(("grid", "kind"), [(Q8_0, "Q8_0"), (Q4_0, "Q4_0"), (BFLOAT16, "BF16")])
def test_gguf_stores_as_many_bits(grid, kind):
    """Bits a weight are what gguf writes."""
    stored = gguf.quants.quantize(gaussian(8, 96), gguf.GGMLQuantizationType[kind])
    assert grid.bits_per_weight(96) == 8 * stored.nbytes / (8 * 96)


def test_torch_rounds_bfloat16_the_same():
    """Ties go to even, subnormal and large values included."""
    bits = np.random.default_rng(0).integers(0, 2**32, size=(1000, 32), dtype=np.uint32)
    bits[:, 0] = (bits[:, 0] & np.uint32(0xFFFF0000)) | np.uint32(0x8000)
    weights = bits.view(np.float32)
    weights[~np.isfinite(weights) | (np.abs(weights) > BFLOAT16.largest)] = 0
    expected = torch.from_numpy(weights).bfloat16().float().numpy()
    assert np.array_equal(BFLOAT16.round_trip(weights), expected)


@pytest.mark.parametrize(
    ("grid", "expected"),
    [(Q8_0, 45.4), (Q4_0, 21.3), (INT8_CHANNEL, 41.4), (INT4_CHANNEL, 16.2), (BFLOAT16, 55.6)],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_noise_of_gaussian_weights(grid, expected):
    """Signal to noise of a 768 x 3072 Gaussian matrix, within .2 dB of what is published for the grids."""
    weights = gaussian(768, 3072)
    assert decibel(weights, grid.round_trip(weights)) == pytest.approx(expected, abs=0.2)


def test_the_largest_value_still_fits():
    """Up to the named limit block scales are finite; beyond it they are not."""
    for grid in (Q8_0, Q4_0):
        block = np.zeros((1, 32), dtype=np.float32)
        block[0, 0] = grid.largest
        assert np.isfinite(grid.round_trip(block)).all()
        with np.errstate(over="ignore", invalid="ignore"):
            assert not np.isfinite(grid.round_trip(block * 1.01)).all()


def test_bits_count_the_scales():
    """A float32 scale a row of 64 costs half a bit a weight; blocks cost the same whatever the row."""
    assert INT8_CHANNEL.bits_per_weight(64) == 8.5
    assert INT4_CHANNEL.bits_per_weight(3072) == pytest.approx(4 + 1 / 96)
    assert (Q8_0.bits_per_weight(64), Q4_0.bits_per_weight(320)) == (8.5, 4.5)
    assert (Q8_0.fits(96), Q8_0.fits(100), INT8_CHANNEL.fits(100)) == (True, False, True)
