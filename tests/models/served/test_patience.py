"""Patience: waits grow, stay bounded, are never shorter than asked for and repeat with their seed."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.models.served.patience import Patience, asked_seconds

NOW = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.UTC)


@given(st.integers(0, 5000), st.integers(0, 2**32), st.floats(0, 1000) | st.none())
def test_a_wait_is_between_half_and_all_of_its_bound(attempt, seed, asked):
    """The bound doubles up to the longest wait; what the server asks for is a floor."""
    patience = Patience(first_wait=0.5, longest_wait=8.0)
    wait = patience.wait(attempt, asked, np.random.default_rng(seed))
    bound = min(8.0, 0.5 * 2 ** min(attempt, 10))
    assert wait == asked or bound / 2 <= wait <= bound
    assert wait >= (asked or 0.0)


def test_the_same_seed_waits_the_same():
    """Jitter comes from the generator handed in."""
    waits = [
        [Patience().wait(n, None, generator) for n in range(5)]
        for generator in (np.random.default_rng(3), np.random.default_rng(3), np.random.default_rng(4))
    ]
    assert waits[0] == waits[1] != waits[2]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    """Both forms of RFC 9110; the past is now, and nonsense is as if nothing was said."""
    assert asked_seconds(header, NOW) == seconds
