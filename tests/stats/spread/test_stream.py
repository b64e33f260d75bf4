"""The pass: how rows are cut into blocks does not matter, and the sample is a fair one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.stats.spread import prefixes
from evalsuite.stats.spread.moments import mean_cosine, second_moment
from evalsuite.stats.spread.stream import Reservoir, SampleSizes, SideStream, unit_rows
from tests.stats.spread import clouds


def fed(rows, cuts, dims=(12, 5), size=20):
    """A finished pass over rows cut at these places."""
    stream = SideStream(dims, np.random.default_rng(0), SampleSizes(rows=size))
    for block in np.split(rows, cuts):
        stream.feed(block)
    return stream


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 90), max_size=6).map(sorted))
def test_blocks_do_not_matter(cuts):
    """Any cut gives the same sample, moments to 1e-12, bits and energy."""
    rows = 3 * np.random.default_rng(1).standard_normal((90, 12)) + 0.5
    whole, parts = fed(rows, []), fed(rows, cuts)
    assert np.array_equal(parts.sample, whole.sample)
    assert parts.bit_shares == pytest.approx(whole.bit_shares, abs=1e-12)
    for dim in (12, 5):
        assert mean_cosine(parts.moments[dim]) == pytest.approx(mean_cosine(whole.moments[dim]), abs=1e-12)
        assert second_moment(parts.moments[dim]) == pytest.approx(
            second_moment(whole.moments[dim]), abs=1e-12
        )
        assert parts.energy_share(dim) == pytest.approx(whole.energy_share(dim), abs=1e-12)


def test_moments_are_those_of_the_renormalised_prefix(monkeypatch):
    """Each dimension's moments are those of its own unit rows, through several products."""
    monkeypatch.setattr(prefixes, "ROWS_IN_SINGLE", 32)
    monkeypatch.setattr(prefixes, "ROWS_IN_CACHE", 7)
    rows = np.random.default_rng(2).standard_normal((100, 12))
    stream = fed(rows, [50])
    for dim in (12, 5):
        prefix = clouds.unit(rows[:, :dim])
        assert stream.moments[dim].gram == pytest.approx(prefix.T @ prefix, abs=1e-12)
        assert stream.moments[dim].total == pytest.approx(prefix.sum(axis=0), abs=1e-12)
    assert stream.energy_share(5) == pytest.approx(
        ((rows[:, :5] ** 2).sum(1) / (rows**2).sum(1)).mean(), abs=1e-12
    )
    assert stream.bit_shares == pytest.approx((rows > 0).mean(axis=0))


def test_half_precision_is_summed_in_single():
    """float16 rows, also such as overflow when squared, have the moments of the same numbers in float32."""
    rows = (300 * np.random.default_rng(7).standard_normal((90, 12))).astype(np.float16)
    half, single = fed(rows, [40]), fed(rows.astype(np.float32), [40])
    for dim in (12, 5):
        assert np.array_equal(half.moments[dim].gram, single.moments[dim].gram)
    assert np.array_equal(unit_rows(rows, 5), unit_rows(rows.astype(np.float32), 5))


def test_zero_prefixes_are_left_out():
    """A row whose prefix is all zeros counts at the full width only."""
    rows = np.eye(6)[[0, 1, 4, 5]]
    stream = fed(rows, [], dims=(6, 3))
    assert (stream.moments[6].n, stream.moments[3].n) == (4, 2)
    assert unit_rows(rows, 3).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_every_row_is_as_likely_to_be_kept():
    """Over 3000 samples of 3 of 10 rows, each row is kept in 30 % of them, and comes first in 10 %."""
    rows = np.arange(10.0)[:, None]
    kept, first = np.zeros(10), np.zeros(10)
    rng = np.random.default_rng(5)
    for _ in range(3000):
        reservoir = Reservoir(3, rng)
        reservoir.feed(rows[:6])
        reservoir.feed(rows[6:])
        numbers = reservoir.sample[:, 0].astype(int)
        assert len(set(numbers)) == 3
        kept[numbers] += 1
        first[numbers[0]] += 1
    assert kept / 3000 == pytest.approx(np.full(10, 0.3), abs=0.04)
    assert first / 3000 == pytest.approx(np.full(10, 0.1), abs=0.03)


def test_a_sample_larger_than_the_rows_holds_them_all():
    """Few rows are all kept."""
    sample = fed(np.arange(24.0).reshape(2, 12), [1]).sample
    assert sorted(sample[:, 0]) == [0, 12]


def test_widths_are_checked():
    """A dimension beyond the width and a block of another width or precision are refused."""
    with pytest.raises(ValueError, match=r"\[12\] are not between 1 and the vectors' width 8"):
        fed(np.ones((3, 8)), [])
    stream = fed(np.ones((3, 12)), [])
    with pytest.raises(ValueError, match="a block is 8 wide, the blocks before it 12"):
        stream.feed(np.ones((3, 8)))
    with pytest.raises(ValueError, match="a block is float32, the blocks before it float64"):
        stream.feed(np.ones((3, 12), dtype=np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_what_is_no_number_is_refused(value, monkeypatch):
    """NaN, infinity and what cannot be squared end the pass, and the row is named."""
    monkeypatch.setattr(prefixes, "ROWS_IN_SINGLE", 300)
    rows = np.random.default_rng(3).standard_normal((700, 12))
    rows[650, 7] = value
    with pytest.raises(ValueError, match="row 650 holds NaN or infinity"):
        fed(rows, [10])


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_lengths_do_not_matter(scale):
    """Very short and very long rows have the moments and energy of any others."""
    rows = np.random.default_rng(4).standard_normal((90, 12))
    plain, scaled = fed(rows, []), fed(rows * scale, [])
    for dim in (12, 5):
        assert scaled.moments[dim].gram == pytest.approx(plain.moments[dim].gram, abs=1e-12)
        assert scaled.energy_share(dim) == pytest.approx(plain.energy_share(dim), abs=1e-12)
