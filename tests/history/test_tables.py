"""Records as tables: the runs' own numbers, one type a column, NULL for what is unknown."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.core.record import Failed
from evalsuite.core.run import FRAME_COLUMNS
from evalsuite.history import tables
from tests.history.made_up import small_run, with_spread
from tests.reporting.made_up import broken, mteb_run

KINDS = (
    small_run(),
    mteb_run(2),
    with_spread(small_run(), 2.0),
    broken(small_run(), {("SciFact", "4/binary"): "no"}),
)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_types_do_not_depend_on_the_runs(kinds):
    """Whichever runs come together, a column has one type: empty ones too."""
    runs = [KINDS[kind] for kind in kinds]
    for build in (tables.results, tables.spread, tables.overview):
        assert build(runs).schema == build([]).schema


def test_results_are_the_frames_of_the_runs():
    """Same rows, same order, same values, after whose they are."""
    runs = [small_run("a"), small_run("b", lower=10.0)]
    frame = tables.to_frame(tables.results(runs))
    assert tuple(frame.columns) == tables.RESULT_COLUMNS
    expected = [row for run in runs for row in run.to_frame()["value"]]
    assert frame["value"].tolist() == expected
    assert set(FRAME_COLUMNS) < set(frame.columns)
    assert frame["fingerprint"].nunique() == 1
    assert dict(zip(frame["task"], frame["task_fingerprint"], strict=True)) == {
        "SciFact": "SciFact-fingerprint",
        "STSb": "STSb-fingerprint",
    }


def test_failed_cells_are_rows_without_a_value():
    """NULL, not NaN and not zero; the reason stands beside it."""
    run = broken(small_run(), {("SciFact", "4/binary"): "out of memory"})
    assert any(isinstance(cell.outcome, Failed) for cell in run.record.cells)
    rows = [row for row in tables.results([run]).to_pylist() if row["status"] == "failed"]
    assert [(row["value"], row["reason"], row["n"]) for row in rows] == [(None, "out of memory", 0)]


def test_an_unknown_count_leaves_known_ones_whole():
    """300 queries stay 300 beside a task whose count is unknown."""
    table = tables.results([small_run(), mteb_run(1)])
    assert table.schema.field("n").type == pa.int64()
    assert set(table["n"].to_pylist()) == {300, None}
    assert str(tables.to_frame(table)["n"].dtype) == "Int64"


def test_spread_has_a_row_a_statistic_and_says_why_one_is_missing():
    """Two dimensions, one statistic measured and one not."""
    rows = tables.spread([small_run(), with_spread(small_run("b"), 3.0)]).to_pylist()
    seen = [(row["dim"], row["statistic"], row["value"], row["ideal"], row["reason"]) for row in rows]
    assert seen == [
        (4, "second_moment_x_dim", 3.0, 1.0, None),
        (4, "margin", None, None, "no queries"),
        (2, "second_moment_x_dim", 2.0, 1.0, None),
        (2, "margin", None, None, "no queries"),
    ]
    assert {(row["checkpoint"], row["side"], row["task"]) for row in rows} == {("b", "document", "SciFact")}


def test_the_overview_counts_cells_and_failures():
    """One row a run."""
    run = broken(small_run(), {("SciFact", "4/binary"): "no", ("STSb", "4/binary"): "no"})
    (row,) = tables.overview([run]).to_pylist()
    assert (row["cells"], row["failed"], row["tasks"]) == (6, 2, "SciFact, STSb")
    assert (row["evalsuite"], row["git_commit"], row["seconds"]) == ("0.1.0", "27cd111", 97.1)
