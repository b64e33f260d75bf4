"""Resampling: the draws of scipy, in blocks of any size, within strata."""

import numpy as np
import pytest

from evalsuite.stats import resample
from evalsuite.stats.strata import Strata


def test_counts_are_draws_with_replacement_within_each_part():
    """Every resample holds as many units of each part as the data."""
    strata = Strata.of(["a"] * 5 + ["b"] * 3)
    drawn = np.concatenate(list(resample.counts(strata, np.random.default_rng(0), 50)))
    assert drawn.shape == (50, 8)
    assert (drawn[:, :5].sum(axis=1) == 5).all()
    assert (drawn[:, 5:].sum(axis=1) == 3).all()


def test_the_block_size_changes_nothing(monkeypatch):
    """The stream of random numbers does not depend on how much is done at once."""
    values, strata = np.random.default_rng(1).random((21, 2)), Strata.whole(21)
    whole = resample.bootstrap_means(values, strata, np.random.default_rng(2), 101)
    monkeypatch.setattr(resample, "_BLOCK_ELEMENTS", 70)
    assert resample.bootstrap_means(values, strata, np.random.default_rng(2), 101) == pytest.approx(whole)


def test_all_signs_are_all():
    """Three units have eight assignments of signs."""
    signs = resample.all_signs(3)
    assert len({tuple(row) for row in signs}) == 8
    assert set(np.unique(signs)) == {-1.0, 1.0}
