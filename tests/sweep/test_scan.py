"""A scan in parts: joined in their order they give the very numbers of one scan."""

from itertools import pairwise

import numpy as np
import pytest

from evalsuite.core.variant import ASYMMETRIC, PREFIX, SYMMETRIC
from evalsuite.embeddings.space import Space as Stored
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.lanes import Track
from evalsuite.sweep.scan import LEAST_BLOCK, Scan, block_rows
from evalsuite.sweep.spaces import Fitted, Space
from evalsuite.vectors.search import Pairs

TRACKS = [
    Track(Space(PREFIX, 16), "float32", SYMMETRIC),
    Track(Space(PREFIX, 16), "int8_affine", SYMMETRIC),
    Track(Space(PREFIX, 16), "int8_affine", ASYMMETRIC),
    Track(Space(PREFIX, 8), "binary", SYMMETRIC),
]


@pytest.fixture
def scan(tmp_path, monkeypatch):
    """A scan of 1,500 documents in blocks of 256, with copies among them."""
    monkeypatch.setattr("evalsuite.sweep.scan.BLOCK_DOCUMENTS", LEAST_BLOCK)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((300, 16)).astype(np.float32)[rng.integers(300, size=1500)]
    space = Stored(tmp_path)
    space.add([str(row) for row in range(1500)], vectors)
    corpus = space.vectors([str(row) for row in range(1500)])
    watch, _ = Pairs.ordered(rng.integers(7, size=30), rng.integers(1500, size=30))
    sample = np.sort(rng.choice(1500, 64, replace=False))
    return Scan(corpus, vectors[:7], Fitted(Calibration(vectors, 0)), 20, watch, sample, TRACKS)


@pytest.mark.parametrize("cuts", [[512], [256, 1280], [256, 512, 768, 1024, 1280]])
def test_parts_joined_are_the_whole(scan, cuts):
    """Rankings, sampled scores and losses are equal to the last bit, and every document is told of once."""
    told = []
    whole = scan.run(lambda _: None)
    edges = [0, *cuts, 1500]
    joined = None
    for start, stop in pairwise(edges):
        found = scan.part(start, stop).run(told.append)
        joined = found if joined is None else joined.then(found, scan.depth)
    assert sum(told) == 1500
    assert set(joined.rankings) >= set(TRACKS)
    for track in TRACKS:
        for name in ("rows", "scores", "boundary", "watched"):
            one, other = (getattr(each.rankings[track], name) for each in (joined, whole))
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(joined.sampled[track], whole.sampled[track])
    for track, losses in whole.losses.items():
        own = joined.losses[track]
        assert own.noise.sqnr_db == losses.noise.sqnr_db
        assert (own.saturated, own.clipped) == (losses.saturated, losses.clipped)
    assert whole.losses


def test_blocks_shrink_with_many_queries():
    """By hand: 8 Mi scores are 4,096 documents of 2,048 queries, 2,048 of twice as many, never under 256."""
    assert [block_rows(4096, queries) for queries in (1, 2048, 4096, 10**6)] == [4096, 4096, 2048, 256]
