"""History: one frame, SQL over the views, and a database that reads the runs and nothing else."""

import builtins
import json

import pandas as pd
import pytest

from evalsuite.core.errors import UsageError
from evalsuite.core.run import Run
from evalsuite.history import History
from tests.history.made_up import small_run, write
from tests.reporting.made_up import broken


@pytest.fixture
def folder(tmp_path):
    """Two runs, the second worse; the first one's folder needs quoting in SQL."""
    write(small_run("a"), tmp_path / "runs" / "it's the first")
    run = broken(small_run("b", created="2025-02-01T00:00:00Z", lower=10.0), {("SciFact", "4/binary"): "no"})
    write(run, tmp_path / "runs" / "second", official=True)
    return tmp_path / "runs"


@pytest.fixture
def history(folder):
    """Both runs."""
    return History([folder])


def test_the_frame_and_the_view_are_the_same(history):
    """Every row, every column, in pandas without SQL and by SQL."""
    frame = history.frame()
    pd.testing.assert_frame_equal(
        history.query("select * from results").astype(object).where(lambda f: f.notna(), None),
        frame.astype(object).where(lambda f: f.notna(), None),
        check_dtype=False,
    )
    assert set(frame["checkpoint"]) == {"a", "b"}


def test_one_folder_needs_no_list(folder):
    """A path alone is one path, not its letters."""
    assert len(History(folder).runs) == len(History(str(folder)).runs) == 2


def test_means_over_queries_are_the_means_of_the_tables(history):
    """(1.0 + 0.6) / 2 at 4/float32; each run has its own rows."""
    answer = history.query(
        'select checkpoint, avg("ndcg@10") as mean, count(*) as n from per_query '
        "where task = 'SciFact' and variant = '4/float32' group by checkpoint order by checkpoint"
    )
    assert answer["checkpoint"].tolist() == ["a", "b"]
    assert answer["mean"].tolist() == pytest.approx([0.8, 0.8])
    assert answer["n"].tolist() == [2, 2]


def test_columns_a_task_lacks_are_null_there(history):
    """Cosines of pairs and ranks of queries share the view."""
    answer = history.query(
        'select task, count("ndcg@10") r, count(cosine) c from per_query group by 1 order by 1'
    )
    assert answer.values.tolist() == [["STSb", 0, 12], ["SciFact", 12, 0]]


def test_views_join_on_whose_a_row_is(history):
    """A failed cell has no mean, so SQL's mean is over the other run alone."""
    answer = history.query(
        "select avg(value) as mean from results join runs using (run) "
        "where task = 'SciFact' and variant = '4/binary' and main and runs.cells = 6"
    )
    assert answer["mean"].tolist() == pytest.approx([0.5])


def test_official_metrics_are_a_view(history):
    """Those of the one run that has them."""
    answer = history.query("select checkpoint, task, metric, value from official")
    assert answer.values.tolist() == [["b", "SciFact", "ndcg_at_10", 0.8]]


def test_views_without_rows_can_be_asked_too(tmp_path):
    """No spread, no official metrics, no per-query values: no rows, no error."""
    (tmp_path / "record.json").write_text(small_run().record.to_json(), encoding="utf-8")
    history = History(tmp_path)
    for view in ("spread", "official", "per_query"):
        assert history.query(f"from {view}").empty
    assert set(history.views()) == {"results", "per_query", "official", "spread", "runs"}


def test_pivots_and_common_table_expressions_work(history):
    """What people write for a table of results."""
    answer = history.query(
        "pivot (from results where main and task = 'STSb') on variant using max(value) group by run"
    )
    assert {"4/float32", "2/float32", "4/binary"} < set(answer.columns)
    assert history.query("with x as (from runs) select count(*) n from x")["n"].tolist() == [2]


@pytest.mark.parametrize(
    "sql",
    [
        "drop view results",
        "create table t as select 1",
        "insert into results select * from results",
        "select 1; select 2",
        "set memory_limit = '1GB'",
        "copy results to 'out.csv'",
        "attach 'x.db'",
        "install httpfs",
        "explain analyze create table t as select 1",
        "",
        "-- nothing",
    ],
)
def test_only_one_select_is_answered(history, sql):
    """Nothing else reaches the database."""
    with pytest.raises(UsageError, match="one SELECT statement"):
        history.query(sql)


def test_no_file_but_the_runs_can_be_read(history, folder, tmp_path):
    """Neither by a function, nor by a name, nor by listing, nor over the network; the runs still can."""
    secret = tmp_path / "secret.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(secret)
    record = folder / "second" / "record.json"
    for sql in (
        f"from read_parquet('{secret}')",
        f"from '{secret}'",
        f"from read_text('{record}')",
        f"from glob('{tmp_path}/*')",
        "select * from read_csv('https://example.org/x.csv')",
    ):
        with pytest.raises(UsageError, match=r"cannot be answered: .*(disabled|does not exist|extension)"):
            history.query(sql)
    assert history.query("select count(*) n from per_query")["n"].tolist() == [24]


def test_variables_of_the_calling_program_are_out_of_reach(history):
    """DuckDB would read a data frame of that name."""
    mine = pd.DataFrame({"x": [1]})
    with pytest.raises(UsageError, match="mine does not exist"):
        history.query("select * from mine")
    assert len(mine) == 1


def test_a_mistake_is_explained_with_the_views(history):
    """DuckDB's text, then every view with its columns."""
    with pytest.raises(UsageError) as caught:
        history.query("select valu from results")
    message = str(caught.value)
    assert 'Referenced column "valu" not found' in message
    for view in ("results", "per_query", "official", "spread", "runs"):
        assert f"  {view}: run, created" in message
    assert 'in double quotes such as "ndcg@10"' in message


def test_a_broken_table_is_named_and_left_out(folder):
    """The other tables are asked."""
    (file,) = (folder / "second" / "per_query").glob("*SciFact*")
    file.write_bytes(file.read_bytes()[:100])
    history = History(folder)
    (problem,) = history.problems
    assert file.name in problem
    assert "evaluate again" in problem
    assert history.query("select count(*) n from per_query")["n"].tolist() == [18]


def test_a_record_cannot_point_outside_its_run(folder, tmp_path):
    """A record from elsewhere does not make other files readable."""
    secret = tmp_path / "secret.parquet"
    pd.DataFrame({"variant": ["x"], "id": ["y"]}).to_parquet(secret)
    record = folder / "second" / "record.json"
    content = json.loads(record.read_text(encoding="utf-8"))
    content["per_query"][0]["path"] = "../../secret.parquet"
    record.write_text(json.dumps(content), encoding="utf-8")
    history = History(folder)
    assert "outside its run" in history.problems[0]
    assert history.query("select count(*) n from per_query")["n"].tolist() == [18]


def test_a_folder_that_duckdb_takes_for_a_pattern_is_said(tmp_path):
    """Its record is read, its tables are not, and the message says what to do."""
    write(small_run(), tmp_path / "run[1]")
    history = History(tmp_path)
    assert len(history.problems) == 2
    assert "rename the folder" in history.problems[0]
    assert len(history.frame()) > 0


def test_without_duckdb_the_frame_is_there_and_sql_says_what_to_install(history, monkeypatch):
    """One message, no traceback."""
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "duckdb":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert not history.frame().empty
    with pytest.raises(UsageError, match=r"pip install 'evalsuite\[history\]'"):
        history.query("select 1")


def test_a_real_run_can_be_asked(finished_run):
    """The mean of per-query values by SQL is the run's own number."""
    history = History(finished_run.folder)
    answer = history.query(
        "select variant, value, mean from results join ("
        'select variant, task, avg("ndcg@10") as mean from per_query group by all'
        ") using (variant, task) where metric = 'ndcg@10'"
    )
    assert len(answer) == 6
    assert answer["mean"].tolist() == pytest.approx(answer["value"].tolist(), abs=1e-12)
    assert isinstance(history.runs[0], Run)
