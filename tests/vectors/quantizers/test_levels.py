"""Promises every level keeps, taken from the registry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalsuite.core.errors import UsageError
from evalsuite.vectors.quantizers import known_precisions, quantizer
from tests.vectors.quantizers.samples import fitted, offset, uniform

DIM = 16
LEVELS = known_precisions()
WITH_CODEBOOKS = ("pq_1bit", "pq_2bit", "opq_1bit")
WITH_CORRECTION = ("rabitq_1bit", "rabitq_2bit", "rabitq_4bit")
WITHOUT_FIT = tuple(name for name in LEVELS if not quantizer(name).needs_fit)

rows = arrays(np.float32, st.tuples(st.integers(1, 6), st.just(DIM)), elements=st.floats(-1, 1, width=32))
any_width = arrays(
    np.float32, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=st.floats(-1, 1, width=32)
)


def same(first, second):
    """Whether two sets of codes are equal, side values included."""
    return np.array_equal(first.values, second.values) and all(
        np.array_equal(first.side[name], second.side[name]) for name in first.side | second.side
    )


@settings(deadline=None)
@given(rows, st.sampled_from(LEVELS))
def test_rows_are_encoded_alone(vectors, name):
    """A vector's codes do not depend on the others in the call: queries and corpus share one quantizer."""
    level = fitted(name, DIM)
    together = level.decode(level.encode(vectors))
    alone = np.concatenate([level.decode(level.encode(row[None])) for row in vectors])
    np.testing.assert_array_equal(alone, together)


@settings(deadline=None)
@given(rows, st.sampled_from(LEVELS), st.randoms(use_true_random=False))
def test_permuted_rows_have_permuted_codes(vectors, name, random):
    """The order of rows does not matter."""
    level, order = fitted(name, DIM), list(range(len(vectors)))
    random.shuffle(order)
    np.testing.assert_array_equal(level.encode(vectors[order]).values, level.encode(vectors).values[order])


@settings(deadline=None)
@given(any_width, st.sampled_from(WITHOUT_FIT))
def test_decoding_is_idempotent(vectors, name):
    """Encoding what was decoded gives what was decoded, at any width and magnitude."""
    level = quantizer(name)
    decoded = level.decode(level.encode(vectors))
    again = level.decode(level.encode(decoded))
    assert decoded.shape == vectors.shape
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(again, decoded, rtol=2**-10, atol=2**-24)


@pytest.mark.parametrize("name", LEVELS)
def test_hard_rows_stay_finite(name):
    """Rows of zeros, constants, one-hot and tiny values encode, decode and score without NaN."""
    level = fitted(name, DIM)
    hard = np.zeros((6, DIM), dtype=np.float32)
    hard[1], hard[2], hard[3, 5], hard[4], hard[5, 0] = 0.25, -0.25, 1, 1e-39, 1e-30
    codes = level.encode(hard)
    assert np.isfinite(level.decode(codes)).all()
    assert np.isfinite(level.scores(codes, codes)).all()
    assert np.isfinite(level.asymmetric_scores(hard, codes)).all()


@pytest.mark.parametrize("name", LEVELS)
def test_constant_samples_fit(name):
    """A sample of equal rows, dimensions without a range included, gives a level that works."""
    sample = np.full((256 if name in WITH_CODEBOOKS else 1, DIM), 0.25, dtype=np.float32)
    level = quantizer(name).fit(sample, np.random.default_rng(0))
    x = np.concatenate([sample[:1], uniform(5, DIM)])
    codes = level.encode(x)
    assert np.isfinite(level.decode(codes)).all()
    assert np.isfinite(level.asymmetric_scores(x, codes)).all()
    for value in (level.saturation(codes), level.clip_share(x)):
        assert value is None or 0 <= value <= 1


@pytest.mark.parametrize("dim", [16, 64])
@pytest.mark.parametrize("name", LEVELS)
def test_bytes_count_what_is_stored(name, dim):
    """Bytes per vector are the bytes of the codes plus those of the side values."""
    codes = fitted(name, dim).encode(uniform(3, dim))
    side = sum(np.ascontiguousarray(values[0]).nbytes for values in codes.side.values())
    assert quantizer(name).bytes_per_vector(dim) == codes.values[0].nbytes + side
    assert len(codes) == 3


@pytest.mark.parametrize("dim", [1, 7, 33])
@pytest.mark.parametrize("name", [name for name in LEVELS if name not in WITH_CODEBOOKS])
def test_odd_widths_work(name, dim):
    """Widths that fill no byte, trit group or block work, and their bytes are counted."""
    level = quantizer(name).fit(uniform(30, dim, 1), np.random.default_rng(0))
    x = uniform(4, dim, 2)
    codes = level.encode(x)
    side = sum(np.ascontiguousarray(values[0]).nbytes for values in codes.side.values())
    assert level.decode(codes).shape == x.shape
    assert level.bytes_per_vector(dim) == codes.values[0].nbytes + side


@pytest.mark.parametrize("name", LEVELS)
def test_only_fitted_levels_store_something_once(name):
    """Index bytes are positive exactly where something is learnt or drawn."""
    assert (quantizer(name).index_bytes(384) > 0) == quantizer(name).needs_fit


@pytest.mark.parametrize("name", LEVELS)
def test_scores_are_inner_products_of_what_is_decoded(name):
    """The score is what an inner-product index over the decoded vectors would return."""
    level = fitted(name, 64)
    codes = level.encode(offset(5, 64, 1)), level.encode(offset(40, 64, 2))
    expected = level.decode(codes[0]).astype(np.float64) @ level.decode(codes[1]).astype(np.float64).T
    scores = level.scores(*codes)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in LEVELS if name not in WITH_CORRECTION])
def test_asymmetric_scores_are_inner_products_with_what_is_decoded(name):
    """A float32 query meets what the codes decode to."""
    level, q = fitted(name, 64), offset(5, 64, 1)
    codes = level.encode(offset(40, 64, 2))
    expected = q.astype(np.float64) @ level.decode(codes).astype(np.float64).T
    np.testing.assert_allclose(level.asymmetric_scores(q, codes), expected, atol=1e-6)


@pytest.mark.parametrize("name", LEVELS)
def test_fits_repeat_with_the_seed(name):
    """The same sample and seed give the same codes."""
    x = offset(20, DIM, 3)
    again = quantizer(name).fit(offset(300, DIM, 99), np.random.default_rng(7))
    assert same(again.encode(x), fitted(name, DIM).encode(x))


@pytest.mark.parametrize("name", LEVELS)
def test_inputs_stay_as_they_were(name):
    """Fitting, encoding and scoring write into nothing that was handed in."""
    sample, x = offset(300, DIM, 4), offset(9, DIM, 5)
    before = sample.copy(), x.copy()
    level = quantizer(name).fit(sample, np.random.default_rng(0))
    codes = level.encode(x)
    stored = codes.values.copy()
    level.scores(codes, codes)
    level.asymmetric_scores(x, codes)
    np.testing.assert_array_equal(sample, before[0])
    np.testing.assert_array_equal(x, before[1])
    np.testing.assert_array_equal(codes.values, stored)


@pytest.mark.parametrize("name", ["int8", "int4", "ternary", "binary", "binary_centred"])
def test_equal_codes_score_exactly_equal(name):
    """Documents with the same codes tie exactly at integer levels, wherever they stand in the block."""
    d = uniform(300, 96, 6)
    d[::7] = d[3]
    level = fitted(name, 96)
    scores = level.scores(level.encode(uniform(9, 96, 7)), level.encode(d))[:, ::7]
    assert (scores == scores[:, :1]).all()


@pytest.mark.parametrize("name", [name for name in LEVELS if quantizer(name).needs_fit])
def test_an_empty_sample_is_refused(name):
    """A level that learns says what it needs; one that only draws a rotation needs no vectors."""
    empty = np.zeros((0, DIM), dtype=np.float32)
    if name.startswith("turboquant"):
        assert quantizer(name).fit(empty, np.random.default_rng(0)).rotation is not None
        return
    with pytest.raises(UsageError, match=rf"{name} needs at least \d+ vectors to fit on, got 0"):
        quantizer(name).fit(empty, np.random.default_rng(0))


def test_levels_carry_their_names():
    """A level answers to the name it was asked by."""
    assert [quantizer(name).name for name in LEVELS] == list(LEVELS)


def test_unknown_level_lists_the_known():
    """A misspelt precision is answered with the names that would work."""
    with pytest.raises(UsageError, match=r"unknown precision 'int7'.*float32.*turboquant_4bit"):
        quantizer("int7")
