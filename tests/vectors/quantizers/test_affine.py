"""Affine levels: bounds, clipping, ranges, hand-worked codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.vectors.quantizers import quantizer
from tests.vectors.quantizers.samples import uniform

pairs = st.integers(1, 20).flatmap(
    lambda d: st.tuples(
        arrays(np.float32, st.tuples(st.integers(1, 5), st.just(d)), elements=st.floats(-1, 1, width=32)),
        arrays(np.float32, st.tuples(st.integers(1, 5), st.just(d)), elements=st.floats(-1, 1, width=32)),
    )
)


@given(pairs, st.sampled_from(["int8_affine", "int8_percentile", "int4_affine"]))
def test_error_is_half_a_step_inside_the_range(pair, name):
    """Inside the fitted range the error is at most half a step; outside, the distance to the range."""
    sample, x = pair
    level = quantizer(name).fit(sample, np.random.default_rng(0))
    step = (level.high - level.low) / (15 if name == "int4_affine" else 255)
    error = np.abs(level.decode(level.encode(x)) - np.clip(x, level.low, level.high))
    assert (error <= step / 2 * (1 + 1e-4) + 1e-6).all()


def test_int4_affine_by_hand():
    """The range's ends are levels 0 and 15; values outside are clipped; a constant dimension stores 0."""
    sample = np.float32([[-0.5, 0.25], [1.0, 0.25]])  # steps .1 and 0
    level = quantizer("int4_affine").fit(sample, np.random.default_rng(0))
    x = np.float32([[-0.5, 0.25], [1.0, 0.9], [-0.43, 0.25], [2.0, 0.25]])
    codes = level.encode(x)
    assert codes.values[:, 0].tolist() == [0, 15, 1, 15]
    np.testing.assert_allclose(
        level.decode(codes), [[-0.5, 0.25], [1.0, 0.25], [-0.4, 0.25], [1.0, 0.25]], atol=1e-6
    )
    assert level.saturation(codes) == 0.75  # of the dimension that has a range
    assert level.clip_share(x) == 0.25  # 2.0 and .9 of eight values


def test_percentile_range_leaves_its_tails_out():
    """The range runs from the .1 % to the 99.9 % quantile: about .2 % of the values are clipped."""
    x = uniform(20000, 8)
    level = quantizer("int8_percentile").fit(x, np.random.default_rng(0))
    np.testing.assert_allclose(level.high, np.quantile(x, 0.999, axis=0), rtol=1e-6)
    assert level.clip_share(x) == pytest.approx(0.002, rel=0.02)
    assert level.saturation(level.encode(x)) == pytest.approx(0.002, rel=0.5)


def test_clipping_of_unseen_values_follows_the_sample_size():
    """Of unseen values 2 / (n + 1) lie outside a min-max range fitted on n vectors."""
    unseen, level = uniform(10000, 128, 2), quantizer("int8_affine")
    shares = [
        level.fit(uniform(1000, 128, seed), np.random.default_rng(0)).clip_share(unseen)
        for seed in (1, 3, 4, 5, 6, 7)
    ]
    assert np.mean(shares) == pytest.approx(2 / 1001, rel=0.1)  # each of them is off by 6 % by chance


def test_an_unfitted_level_says_so():
    """Encoding before the fit is a mistake that names the level."""
    with pytest.raises(ValueError, match="int8_affine must be fitted"):
        quantizer("int8_affine").encode(uniform(2, 8))
