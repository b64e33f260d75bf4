"""RayEngine: sharded search and spread with the numbers of one pass, ties included."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.cluster import wire
from evalsuite.cluster.engine import RayEngine, runs
from evalsuite.core.errors import EncodingError, StorageError
from evalsuite.core.progress import Silent
from evalsuite.core.variant import PCA, PREFIX, Variant
from evalsuite.stats.spread.sides import PassPlan, QuerySide, spread_of_pass
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.engine import LOCAL
from evalsuite.sweep.search import CorpusSearch
from evalsuite.sweep.sides import TaskSides
from evalsuite.sweep.spaces import Fitted
from evalsuite.vectors.search import Pairs

WIDTH = 32
LOST = "00"
"""Name of an object that Ray lost."""
VARIANTS = [
    Variant.parse(text)
    for text in ("32/float32", "8/float32", "32/int8", "32/binary", "8/binary", "32/binary+rescore4",
                 "32/int8+asymmetric", "16/pq_1bit", "pca16/int8_affine")
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(pool):
    return RayEngine(pool)


@pytest.fixture(scope="module")
def corpus(stored, lumpy):
    """20,000 documents, a third of them distinct: 5 blocks of a search, 3 of a pass for the spread."""
    return stored(lumpy(20_000, WIDTH, 0))


def numbers(value):
    """A statistic, its interval and its ideal, without those that do not exist."""
    return {name: number for name, number in value.model_dump().items() if number is not None}


def search(corpus, queries, engine, told=None):
    rng = np.random.default_rng(1)
    watch, _ = Pairs.ordered(rng.integers(len(queries), size=50), rng.integers(len(corpus), size=50))
    found, reasons = CorpusSearch(
        corpus=corpus,
        queries=queries,
        fitted=Fitted(Calibration.draw(corpus, 0)),
        depth=200,
        watch=watch,
        advance=told.append if told is not None else lambda _: None,
        seed=0,
        engine=engine,
    ).run(VARIANTS)
    assert reasons == {}
    return found


def test_a_search_in_parts_is_the_search_of_the_whole(engine, corpus, lumpy):
    """Rows, scores, ties, watched scores and fidelity are equal to the last bit at every kind of variant."""
    queries, told = lumpy(12, WIDTH, 0), []
    here, there = search(corpus, queries, LOCAL), search(corpus, queries, engine, told)
    assert sum(told) == len(corpus)
    for variant in VARIANTS:
        for name in ("rows", "scores", "boundary", "watched"):
            left, right = (getattr(each[variant].ranking, name) for each in (here, there))
            np.testing.assert_array_equal(left, right, err_msg=f"{variant} {name}")
        assert here[variant].fidelity == there[variant].fidelity
    assert here[Variant.parse("8/binary")].ranking.tie_across(10).any()


@pytest.mark.parametrize("asked", [True, False])
def test_spread_in_parts_is_the_spread_of_the_whole(engine, corpus, lumpy, asked):
    """Every statistic, interval and curve is equal to 1e-10, with judged pairs and samples across parts."""
    rng = np.random.default_rng(2)
    positives = np.stack([rng.integers(60, size=200), rng.integers(len(corpus), size=200)], axis=1)
    side = QuerySide(lumpy(60, WIDTH, 3), positives) if asked else None
    sides = TaskSides(corpus, None, positives)
    plan = PassPlan.of(side, [32, 8], 0)
    here, there = (
        spread_of_pass(plan, each.pass_over(plan, sides, Silent()), side) for each in (LOCAL, engine)
    )
    assert len(here) == len(there) == (6 if asked else 2)
    for one, other in zip(here, there, strict=True):
        assert (one.side, one.dim, one.n, one.missing) == (other.side, other.dim, other.n, other.missing)
        for name, value in one.values.items():
            assert numbers(other.values[name]) == pytest.approx(numbers(value), rel=1e-10, abs=1e-10)
        assert one.cosines == other.cosines


def test_results_lost_with_a_node_are_made_again(ray, engine, corpus, monkeypatch):
    """When what the workers found is lost before it is merged, they do it again; progress ends at the sum."""
    merged, told = engine._merged, []

    def lose_once(work, parts):
        monkeypatch.setattr(engine, "_merged", merged)
        raise ray.exceptions.ObjectLostError(LOST, None, "")

    class Told(Silent):
        def advance(self, items, work):
            told.append(items)

    plan = PassPlan.of(None, [8], 0)
    sides = TaskSides(corpus, None, np.zeros((0, 2), dtype=np.int64))
    monkeypatch.setattr(engine, "_merged", lose_once)
    found = engine.pass_over(plan, sides, Told())
    assert found.stream.rows == sum(told) == len(corpus)
    assert min(told) == -len(corpus)


def test_a_corpus_that_no_worker_sees_is_one_message(engine, stored, lumpy):
    """A shard that is gone is named, with what a cluster needs."""
    vectors = lumpy(600, WIDTH, 0)
    corpus = stored(vectors)
    fitted = Fitted(Calibration.draw(corpus, 0))
    for path in corpus.paths:
        path.unlink()
    with pytest.raises(StorageError, match=r"\.npy.*every node sees under the same path"):
        CorpusSearch(corpus, vectors[:3], fitted, 10, NOBODY, lambda _: None, 0, engine).run(VARIANTS[:1])


def test_scores_that_are_no_numbers_are_an_encoding_error(engine, stored, lumpy):
    """NaN in the store fails as it does on one machine."""
    vectors = lumpy(600, WIDTH, 0)
    vectors[500] = np.nan
    corpus = stored(vectors)
    fitted = Fitted(Calibration(vectors[:300], 0))
    for each in (LOCAL, engine):
        with pytest.raises(EncodingError, match="not a number"):
            CorpusSearch(corpus, vectors[:3], fitted, 10, NOBODY, lambda _: None, 0, each).run(VARIANTS[:1])


NOBODY = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))


@given(st.integers(1, 50_000), st.sampled_from([256, 4096, 8192]), st.integers(1, 40))
def test_runs_are_whole_blocks_that_cover_everything(count, block, parts):
    """Runs follow one another from first to last, begin at blocks, and none is empty."""
    found = runs(count, block, parts)
    assert len(found) <= parts
    assert found[0][0] == 0
    assert found[-1][1] == count
    assert all(left[1] == right[0] for left, right in pairwise(found))
    assert all(start < stop and start % block == 0 for start, stop in found)


def plain(value):
    """Tell whether a value is made of numbers, texts, lists, dictionaries and arrays only."""
    if isinstance(value, dict):
        return all(isinstance(key, str | int) and plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(plain, value))
    return value is None or isinstance(value, str | int | float | np.ndarray)


def test_only_plain_values_travel(corpus, lumpy):
    """What is handed to workers and what they hand back holds no object of ours, and reads back the same."""
    seen = []

    class Engine:
        def scan(self, scan, advance):
            asked, where = wire.scan_plain(scan, "fit"), wire.corpus_plain(scan.corpus, 0)
            found = wire.to_scan(asked, where, wire.to_fitted(asked)).run(advance)
            seen.extend([asked, where, wire.scanned_plain(found)])
            return wire.to_scanned(seen[-1])

    found = search(corpus.slice(0, 3000), lumpy(4, WIDTH, 0), Engine())
    plan = PassPlan.of(None, [32], 0)
    seen += [wire.plan_plain(plan), wire.pass_plain(plan.over([corpus.block(0, 500)]))]
    assert len(found) == len(VARIANTS)
    assert all(map(plain, seen))
    assert not plain({"a": [found]})
    assert {PREFIX, PCA} == {each[0] for each in seen[0]["tracks"]}
