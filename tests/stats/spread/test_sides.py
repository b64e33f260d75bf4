"""All sides of a task: exact cross statistics, positives picked up in passing, mistakes named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.core.spread import CROSS_STATISTICS, SIDE_STATISTICS
from evalsuite.stats.spread.sides import QuerySide, spread_of_sides
from evalsuite.stats.spread.stream import SampleSizes
from tests.stats.spread import clouds

DIM = 16


def task(n=300, q=60, noise=0.5, seed=0):
    """Documents, and queries near the document of their number; the first query has two positives."""
    rng = np.random.default_rng(seed)
    documents = clouds.common_mean(n, DIM, length=0.4, seed=seed).astype(np.float64)
    queries = documents[:q] + noise * rng.standard_normal((q, DIM)) / np.sqrt(DIM)
    positives = np.concatenate([np.stack([np.arange(q)] * 2, axis=1), [[0, n - 1]]])
    return documents, QuerySide(queries, positives)


def by_side(found, dim):
    """The three results of a dimension, by side."""
    return {one.side: one for one in found if one.dim == dim}


def brute_force(documents, queries, dim):
    """Every cosine of the cross, and which of them are positive."""
    cosines = clouds.unit(queries.vectors[:, :dim]) @ clouds.unit(documents[:, :dim]).T
    positive = np.zeros(cosines.shape, dtype=bool)
    positive[queries.positives[:, 0], queries.positives[:, 1]] = True
    return cosines, positive


@pytest.mark.parametrize("dim", [DIM, 5])
def test_cross_statistics_equal_brute_force(dim):
    """Moments, alignment, margin and gap over all pairs are those of the whole matrix of cosines."""
    documents, queries = task()
    found = by_side(spread_of_sides([documents], queries, [dim], 0), dim)["query-document"].values
    cosines, positive = brute_force(documents, queries, dim)
    others, own = cosines[~positive], cosines[positive]
    assert found["mean_cosine"].value == pytest.approx(cosines.mean(), abs=1e-12)
    assert found["second_moment"].value == pytest.approx((cosines**2).mean(), abs=1e-12)
    assert found["alignment"].value == pytest.approx(2 - 2 * own.mean(), abs=1e-12)
    assert found["margin"].value == pytest.approx((own.mean() - others.mean()) / others.std(), abs=1e-10)
    means = [clouds.unit(side[:, :dim]).mean(axis=0) for side in (queries.vectors, documents)]
    assert found["mean_gap"].value == pytest.approx(np.linalg.norm(means[0] - means[1]), abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=5).map(sorted))
def test_blocks_do_not_matter(cuts):
    """Any cut of the documents gives the same values to rounding, positives across blocks included."""
    documents, queries = task()
    whole = spread_of_sides([documents], queries, [DIM], 0)
    parts = spread_of_sides(np.split(documents, cuts), queries, [DIM], 0)
    for one, other in zip(whole, parts, strict=True):
        assert other.values.keys() == one.values.keys()
        for name, value in one.values.items():
            assert other.values[name].value == pytest.approx(value.value, rel=1e-9, abs=1e-12), name


def test_a_seed_gives_the_same_again():
    """One seed, one result; another seed draws another sample."""
    documents, queries = task(n=500)
    small = SampleSizes(rows=100, neighbours=100, pairs=100)
    first, again, other = (spread_of_sides([documents], queries, [DIM], seed, small) for seed in (1, 1, 2))
    assert first == again
    assert first[0].values["uniformity"] != other[0].values["uniformity"]
    assert first[0].values["second_moment"].value == other[0].values["second_moment"].value


def test_order_and_names():
    """Dimensions in the order asked for, three sides each, and every statistic is there or has a reason."""
    documents, queries = task()
    found = spread_of_sides([documents], queries, [5, DIM], 0)
    assert [(one.dim, one.side) for one in found] == [
        (dim, side) for dim in (5, DIM) for side in ("document", "query", "query-document")
    ]
    for one in found:
        names = CROSS_STATISTICS if one.side == "query-document" else SIDE_STATISTICS
        assert {*one.values, *one.missing} == set(names)


def test_texts_of_one_kind_have_one_side():
    """Without queries there are documents only."""
    documents, _ = task()
    assert [one.side for one in spread_of_sides([documents], None, [DIM], 0)] == ["document"]


def test_sampled_positives_still_count_all():
    """With more positives than are kept, alignment and margin stay near those of all."""
    documents, queries = task(n=2000, q=1500)
    exact = by_side(spread_of_sides([documents], queries, [DIM], 0), DIM)["query-document"].values
    sampled = spread_of_sides([documents], queries, [DIM], 0, SampleSizes(positives=700))
    rough = by_side(sampled, DIM)["query-document"].values
    for name in ("alignment", "margin"):
        assert rough[name].value == pytest.approx(exact[name].value, rel=0.05)
        assert rough[name].value != exact[name].value


def cross_of(documents, queries, pairs):
    """Cross values of a task, from small samples."""
    small = SampleSizes(rows=300, neighbours=300, pairs=100)
    found = spread_of_sides([documents], QuerySide(queries, pairs), [DIM], 0, small)
    return by_side(found, DIM)["query-document"].values


def test_intervals_cover():
    """About 95 % of the intervals from 60 small tasks hold the values of a large one."""
    documents, queries = task(8000, 8000)
    own = np.stack([np.arange(8000)] * 2, axis=1)
    truth = cross_of(documents, queries.vectors, own)
    covered = dict.fromkeys(("mean_cosine", "second_moment", "alignment", "margin"), 0)
    for seed in range(60):
        rows = np.random.default_rng(seed).choice(8000, 360, replace=False)
        apart = cross_of(documents[rows[60:]], queries.vectors[rows[:60]], own[:0])
        judged = cross_of(documents[rows], queries.vectors[rows[:60]], own[:60])
        for name in covered:
            found = (apart if name in apart else judged)[name]
            covered[name] += found.lower <= truth[name].value <= found.upper
    assert min(covered.values()) >= 51, covered


def test_a_handful_of_queries_has_no_intervals():
    """Nine queries say what they show and not how far others would move it."""
    documents, queries = task(q=9)
    for found in spread_of_sides([documents], queries, [8], 0):
        bounded = [name for name, value in found.values.items() if value.lower is not None]
        assert bool(bounded) == (found.side == "document"), bounded


def test_shared_and_opposite_sides():
    """Queries that are the documents have no gap; shifted ones have the gap of the shift's sign."""
    documents = clouds.uniform(400, DIM)
    same = by_side(spread_of_sides([documents], QuerySide(documents, np.zeros((0, 2))), [DIM], 0), DIM)
    cross = same["query-document"]
    assert cross.values["mean_gap"].value == pytest.approx(0, abs=1e-7)
    assert {"alignment", "margin"} == set(cross.missing)
    apart = by_side(
        spread_of_sides([documents + np.float32(0.3)], QuerySide(documents, np.zeros((0, 2))), [DIM], 0), DIM
    )
    assert apart["query-document"].values["mean_gap"].value > 0.5


def test_every_pair_positive():
    """One query and its document leave no other pair: the margin says so."""
    documents = clouds.uniform(1, DIM)
    found = spread_of_sides([documents], QuerySide(documents, np.array([[0, 0]])), [DIM], 0)
    cross = by_side(found, DIM)["query-document"]
    assert cross.values["alignment"].value == pytest.approx(0, abs=1e-6)
    assert "no other pairs" in cross.missing["margin"]


def test_no_documents_at_all():
    """An empty stream leaves every statistic missing, with a reason."""
    found = spread_of_sides([], QuerySide(clouds.uniform(30, DIM), np.zeros((0, 2))), [DIM], 0)
    assert not by_side(found, DIM)["document"].values
    assert not by_side(found, DIM)["query-document"].values


@pytest.mark.parametrize(
    ("queries", "pairs", "message"),
    [
        (np.ones((2, 8)), [[0, 0]], "queries are 8 wide, documents 16"),
        (np.ones((2, DIM)), [[2, 0]], "query rows outside 0 to 1"),
        (np.ones((2, DIM)), [[0, 5]], "document rows outside 0 to 4"),
        (np.ones((2, DIM)), [[0, -1]], "document rows outside 0 to 4"),
    ],
)
def test_mistakes_are_named(queries, pairs, message):
    """Widths that differ and positives that name no row are refused."""
    with pytest.raises(ValueError, match=message):
        spread_of_sides([clouds.uniform(5, DIM)], QuerySide(queries, np.array(pairs)), [8], 0)
