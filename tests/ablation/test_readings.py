"""Readings: what a number becomes without each query, by brute force and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from evalsuite.ablation.readings import ann, quality, read_mean, read_spearman, spread
from evalsuite.core.ann import AnnCurve, AnnEntry, AnnPoint, AnnProbe, HnswBuild
from evalsuite.core.run import Run
from evalsuite.core.spread import SpreadEntry, SpreadValue


@given(seed=st.integers(0, 50), n=st.integers(5, 40), levels=st.integers(2, 50))
def test_leaving_a_pair_out_is_correlating_the_others(seed, n, levels):
    """The quick way through ranks equals ranking the remaining pairs anew, ties included."""
    rng = np.random.default_rng(seed)
    cosines, gold = (
        rng.integers(0, levels, n) + np.eye(n)[0] * 100,
        rng.integers(0, 5, n) + np.eye(n)[1] * 9.0,
    )
    cosines[2] -= 50
    gold[3] -= 7
    reading = read_spearman(cosines, gold)
    assert reading.value == pytest.approx(100 * spearmanr(cosines, gold).statistic)
    for place in range(4, n):
        expected = 100 * spearmanr(np.delete(cosines, place), np.delete(gold, place)).statistic
        assert reading.left_out[place] == pytest.approx(expected)


def test_more_pairs_than_a_chunk_are_read_alike():
    """Chunks are an inner matter."""
    rng = np.random.default_rng(0)
    cosines, gold = rng.standard_normal(600), rng.standard_normal(600)
    expected = 100 * spearmanr(cosines[:-1], gold[:-1]).statistic
    assert read_spearman(cosines, gold).left_out[-1] == pytest.approx(expected)


def test_pseudo_values_of_a_mean_are_the_values():
    """The jackknife of a mean gives the queries back."""
    values = np.array([0.2, 0.4, 0.9])
    np.testing.assert_allclose(read_mean(values).pseudo, 100 * values)


def test_retention_is_a_ratio_of_means():
    """Two queries, 0.5 of 1.0 and 0.5 of 0.5: 1.0 / 1.5; without the first, 100 %."""
    reading = read_mean(np.array([0.5, 0.5])).over(read_mean(np.array([1.0, 0.5])))
    assert reading.value == pytest.approx(100 / 1.5)
    np.testing.assert_allclose(reading.left_out, [100.0, 50.0])


def test_a_ratio_over_nothing_is_not_a_number():
    """A reference of 0 has no retention, and no warning either."""
    assert np.isnan(read_mean(np.zeros(3)).over(read_mean(np.zeros(3))).value)


def test_a_runs_numbers_are_the_records(finished_run):
    """Qualities are the record's headline values in points; float32 at full width is nobody's share."""
    found = quality(finished_run)
    frame = finished_run.to_frame()
    main = frame[frame["main"]].set_index(["task", "dim", "precision"])["value"]
    qualities = {what: numbers for what, numbers in found.items() if what.quantity == "quality"}
    assert len(qualities) == len(main) == 12
    for what, numbers in qualities.items():
        assert numbers["fake"].value == pytest.approx(100 * main[what.task, what.dim, what.precision])
    kept = {(what.dim, what.precision) for what in found if what.quantity == "retention"}
    assert kept == {(64, "int8"), (64, "binary"), (16, "float32"), (16, "int8"), (16, "binary")}


def test_retention_of_codes_is_of_the_same_dimension(finished_run):
    """Binary at 16 dims is a share of float32 at 16 dims, which is a share of the full width."""
    values = {
        (what.quantity, what.dim, what.precision): numbers["fake"].value
        for what, numbers in quality(finished_run).items()
        if what.task == "harbour"
    }
    small, full = values["quality", 16, "float32"], values["quality", 64, "float32"]
    expected = 100 * values["quality", 16, "binary"] / small
    assert values["retention", 16, "binary"] == pytest.approx(expected)
    assert values["retention", 16, "float32"] == pytest.approx(100 * small / full)


def test_a_task_without_values_a_query_is_read_whole(finished_run):
    """What MTEB scores its own way has one number a checkpoint, so only seeds can tell chance apart."""
    record = finished_run.record
    tasks = tuple(task.model_copy(update={"kind": "mteb"}) for task in record.tasks)
    found = quality(Run(record.model_copy(update={"tasks": tasks}), finished_run.folder))
    by_value = {what: numbers["fake"].value for what, numbers in quality(finished_run).items()}
    for what, numbers in found.items():
        assert numbers["fake"].value == pytest.approx(by_value[what])
        assert numbers["fake"].left_out.size == 0


def curve(asked, truth, work):
    return AnnCurve(
        index="hnsw", dim=8, precision="float32", asked=asked, truth=truth, distance="", auc=0.5,
        points=(AnnPoint(parameter=10, work=work, recall=0.9),), work_at={0.95: work},
        build=HnswBuild(m=2, ef_construction=4, seed=0),
    )  # fmt: skip


def test_search_is_read_once_where_codes_are_the_vectors():
    """Work and area of each curve; float32's codes repeat nothing, and an unreached recall has no work."""
    curves = (
        curve("query", "float32", 40.0),
        curve("query", "codes", 40.0),
        curve("document", "float32", 40.0),
    )
    probe = AnnProbe(
        dim=8, precision="float32", k=10, documents=9, queries=1, held_out=1, seed=0,
        curves=(*curves[:2], curves[2].model_copy(update={"work_at": {0.95: None}})),
    )  # fmt: skip
    entry = AnnEntry(checkpoint="a", task="t", probe=probe)
    found = {what.name: numbers["a"].value for what, numbers in ann([entry]).items()}
    assert found == {
        "hnsw query against float32, area": 0.5, "hnsw query against float32, work at recall 0.95": 40.0,
        "hnsw document against float32, area": 0.5,
    }  # fmt: skip


def test_spread_is_read_side_by_side():
    """One number a side and dimension, with nothing to leave out."""
    entry = SpreadEntry(
        checkpoint="a", task="t", side="query", dim=8, n=5, ideal_rank=8,
        values={"second_moment": SpreadValue(value=0.2)}, missing={},
    )  # fmt: skip
    ((what, numbers),) = spread([entry], ["second_moment", "mean_cosine"]).items()
    assert (what.name, what.dim) == ("query second_moment", 8)
    assert numbers["a"].pseudo.tolist() == [0.2]
