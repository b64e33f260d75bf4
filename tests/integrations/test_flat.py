"""Flat metrics: a run as one dictionary of numbers."""

import math

import pytest

from evalsuite.core.errors import UsageError
from evalsuite.integrations.flat import flat_metrics, value_of
from tests.history.made_up import small_run, with_spread
from tests.reporting.made_up import broken


def test_names_and_values():
    """A key a cell, a mean a variant, one mean of all, and how many failed; worked by hand."""
    flat = flat_metrics(small_run())
    assert flat["SciFact_4/float32_ndcg@10"] == pytest.approx(0.80)
    assert flat["STSb_4/binary_cosine_spearman"] == pytest.approx(0.50)
    assert flat["mean_2/float32"] == pytest.approx(0.60)
    assert flat["mean"] == pytest.approx((0.80 + 0.60 + 0.50) / 3)
    assert flat["failed_cells"] == 0


def test_every_main_value_of_the_run_is_there(finished_run):
    """One number a cell, equal to the record's."""
    frame = finished_run.to_frame()
    flat = flat_metrics(finished_run)
    main = frame[frame["main"]]
    for row in main.itertuples():
        assert flat[f"{row.task}_{row.variant}_{row.metric}"] == row.value
    assert flat["mean"] == pytest.approx(main["value"].mean())


def test_more_metrics_by_glob(finished_run):
    """`recall@*` adds recall at every cut-off and drops the main metric unless it is named too."""
    flat = flat_metrics(finished_run, ["recall@*"])
    cells = [name for name in flat if name.startswith("harbour_64/float32_")]
    assert cells
    assert all("_recall@" in name for name in cells)


def test_a_failed_cell_is_neither_zero_nor_left_out():
    """It is NaN, and so are the means it belongs to; the others stay."""
    flat = flat_metrics(broken(small_run(), {("SciFact", "4/binary"): "no"}))
    assert math.isnan(flat["SciFact_4/binary_ndcg@10"])
    assert math.isnan(flat["mean_4/binary"])
    assert math.isnan(flat["mean"])
    assert flat["mean_4/float32"] == pytest.approx(0.80)
    assert flat["failed_cells"] == 1


def test_spread_is_there_where_it_was_measured():
    """By task, dimension and side."""
    flat = flat_metrics(with_spread(small_run(), 3.0))
    assert flat["SciFact_4/spread_document_second_moment_x_dim"] == 3.0
    assert flat["SciFact_2/spread_document_second_moment_x_dim"] == 2.0


def test_an_unknown_name_says_what_there_is():
    """A misspelt primary metric is one message."""
    with pytest.raises(UsageError, match=r"no metric 'maen'.*mean_4/float32"):
        value_of(flat_metrics(small_run()), "maen")
