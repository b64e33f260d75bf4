"""Leaving documents out of rankings, and means over parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.measure import UNRANKED
from evalsuite.core.record import MetricValue
from evalsuite.sweep.left_out import NOBODY, leave_out
from evalsuite.sweep.means import bootstrap_mean, bound_mean, weighted
from evalsuite.vectors.search import Pairs, TopK


def ranked(scores):
    """Rank all documents of one query and watch every one of them."""
    row = np.asarray([scores], dtype=np.float32)
    pairs = Pairs(np.zeros(len(scores), dtype=np.int64), np.arange(len(scores)))
    best = TopK(1, len(scores), pairs)
    best.update(row, 0)
    return best.ranking(), pairs


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=30), st.data())
def test_others_move_up_and_the_left_out_is_unranked(scores, data):
    """Without one document, every other ranks as if it had never been there."""
    ranking, pairs = ranked(scores)
    own = data.draw(st.integers(0, len(scores) - 1))
    found = leave_out(ranking, pairs, np.array([own]), skip_first=False).positions(pairs)
    before = ranking.positions(pairs)
    for document in range(len(scores)):
        if document == own:
            assert found.rank[document] == UNRANKED
        else:
            assert found.rank[document] == before.rank[document] - (before.rank[own] < before.rank[document])


def test_the_first_is_skipped_after_the_own_document():
    """Own document, then the best of the rest: both go, and two empty places follow that tie with nothing."""
    ranking, pairs = ranked([0.9, 0.8, 0.7, 0.6])
    left = leave_out(ranking, pairs, np.array([0]), skip_first=True)
    assert left.rows.tolist() == [[2, 3, NOBODY, NOBODY]]
    assert not left.tie_across(2)[0]
    assert not left.tie_across(3)[0]
    assert left.positions(pairs).rank.tolist() == [UNRANKED, UNRANKED, 1, 2]


def test_a_query_without_own_document_keeps_its_ranking():
    """Nothing to leave out: rows, scores and watched scores stay."""
    ranking, pairs = ranked([0.5, 0.9, 0.1])
    left = leave_out(ranking, pairs, np.array([NOBODY]), skip_first=False)
    assert left.rows.tolist() == ranking.rows.tolist()
    assert left.watched.tolist() == ranking.watched.tolist()


def test_parts_count_the_same_however_long_they_are():
    """The interval of a mean over parts holds that mean, not the mean over all values."""
    rng = np.random.default_rng(0)
    long, short = rng.normal(0, 0.1, (900, 1)), rng.normal(1, 0.1, (30, 1))
    lower, upper = bootstrap_mean([long, short], 0)
    assert lower[0] < 0.5 < upper[0]
    error = 0.5 * np.hypot(long.std() / 900**0.5, short.std() / 30**0.5)
    assert upper[0] - lower[0] == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_errors_of_correlations_add_in_squares():
    """Half widths 0.3 and 0.4 of two parts give 0.5 / 2 for their mean; an unknown one gives none."""
    ends = [(0.2, -0.1, 0.5), (0.4, 0.0, 0.8)]
    parts = [MetricValue(value=value, lower=lower, upper=upper) for value, lower, upper in ends]
    assert bound_mean(parts) == pytest.approx((0.05, 0.55))
    assert bound_mean([parts[0], MetricValue(value=0.1)]) == (None, None)
    assert bound_mean(parts[:1]) == (-0.1, 0.5)


def test_weights_are_counts():
    """3 at weight 1 and 1 at weight 3 give 1.5; something unknown makes the whole unknown."""
    assert weighted([3.0, 1.0], [1, 3]) == 1.5
    assert weighted([3.0, None], [1, 3]) is None
    assert weighted([], []) is None
