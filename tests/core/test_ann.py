"""The nouns of the approximate search probe: they survive JSON and find their own parts."""

import pytest

from evalsuite.core.ann import AnnCurve, AnnPoint, AnnProbe, HnswBuild, IvfBuild


def curve_of(index, asked, work):
    """A curve of one point that reaches recall .95 at `work`."""
    build = HnswBuild(m=4, ef_construction=8, seed=1)
    if index == "ivf":
        build = IvfBuild(lists=3, training_documents=9, seed=1)
    return AnnCurve(
        index=index,
        dim=8,
        precision="int8",
        asked=asked,
        truth="codes",
        distance="inner product",
        points=(AnnPoint(parameter=10, work=work, recall=0.96),),
        auc=0.5,
        work_at={0.9: work, 0.95: work, 0.99: None},
        build=build,
    )


@pytest.fixture
def probe():
    """HNSW answers queries with three times the work of documents."""
    curves = (
        curve_of("hnsw", "query", 30.0),
        curve_of("hnsw", "document", 10.0),
        curve_of("ivf", "query", 7.0),
    )
    return AnnProbe(dim=8, precision="int8", k=10, documents=9, queries=2, held_out=1, seed=1, curves=curves)


def test_json_round_trip(probe):
    """What is written is read back equal, the builds with their kinds and the recalls as numbers."""
    assert AnnProbe.model_validate_json(probe.model_dump_json()) == probe


def test_gap_is_the_ratio_of_work(probe):
    """Queries that cost 30 where documents cost 10 have a gap of 3; an unreached recall has none."""
    assert probe.out_of_distribution_gap("hnsw", "codes", 0.95) == 3.0
    assert probe.out_of_distribution_gap("hnsw", "codes", 0.99) is None


def test_a_curve_that_was_not_measured_is_an_error(probe):
    """The missing curve is named."""
    with pytest.raises(KeyError, match=r"ivf.*document"):
        probe.curve("ivf", "document", "codes")
