"""`evalsuite query`: one answer, for people and for machines."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from evalsuite.cli.app import main
from tests.history.made_up import small_run, write
from tests.reporting.made_up import NASTY, broken
from tests.test_light_start import PROBE, heavy_modules

MAIN = "select variant, value, n, revision from results where main and task = 'STSb' order by value desc"


@pytest.fixture
def folder(tmp_path):
    """A run with one failed cell, below reports/runs."""
    run = broken(small_run("m"), {("STSb", "4/binary"): NASTY})
    return write(run, tmp_path / "reports" / "runs" / "one")


def command(capsys, *words):
    """Run the command; return its exit code and both streams."""
    with pytest.raises(SystemExit) as caught:
        main(["query", *map(str, words)])
    streams = capsys.readouterr()
    return caught.value.code or 0, streams.out, streams.err


def test_people_get_a_table(capsys, folder):
    """Columns, rows, a dash for what is unknown, and how many rows there are."""
    code, out, err = command(capsys, MAIN, folder)
    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert lines[0] == ["variant", "value", "n", "revision"]
    assert lines[1:3] == [["4/float32", "0.8", "300", "–"], ["2/float32", "0.6", "300", "–"]]
    assert lines[-1] == ["3", "rows"]


def test_values_are_never_cut_and_never_obeyed(capsys, folder):
    """A narrow terminal does not shorten a fingerprint; markup and escapes in a reason are text."""
    _, out, _ = command(capsys, "select fingerprint, reason from results where status = 'failed'", folder)
    assert "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db" in out
    assert "<script>alert(1)</script>" in out
    assert "\x1b" not in out


def test_many_rows_are_shown_in_part_and_the_rest_is_said(capsys, folder):
    """Two hundred rows on the terminal; all as CSV."""
    sql = "select range as i from range(1234)"
    _, out, _ = command(capsys, sql, folder)
    assert len(out.splitlines()) == 202
    assert out.splitlines()[-1] == "1,234 rows, 1,034 of them not shown; --csv has all"
    assert len(command(capsys, sql, folder, "--csv")[1].splitlines()) == 1235


def test_machines_get_csv_and_json(capsys, folder):
    """NULL is empty and null; whole numbers stay whole; fractions keep their digits."""
    _, out, _ = command(capsys, MAIN, folder, "--csv")
    assert out == "variant,value,n,revision\n4/float32,0.8,300,\n2/float32,0.6,300,\n4/binary,,0,\n"
    _, out, _ = command(capsys, MAIN, folder, "--json")
    assert json.loads(out)[2] == {"variant": "4/binary", "value": None, "n": 0, "revision": None}
    _, out, _ = command(capsys, "select 1/3 as third, 'nan'::double as nan, [1, 2] as list", folder, "--json")
    assert json.loads(out) == [{"third": pytest.approx(1 / 3, abs=1e-15), "nan": None, "list": [1, 2]}]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_the_answer_goes_to_a_file(capsys, folder, tmp_path, suffix):
    """The file holds what was asked, and nothing else is left beside it."""
    file = tmp_path / "new" / f"answer.{suffix}"
    code, out, _ = command(capsys, MAIN, folder, "--out", file)
    assert (code, "3 rows" in out) == (0, True)
    frame = pd.read_parquet(file) if suffix == "parquet" else pd.read_csv(file)
    assert frame["variant"].tolist() == ["4/float32", "2/float32", "4/binary"]
    assert list(file.parent.iterdir()) == [file]


def test_reports_runs_is_where_runs_are_looked_for(capsys, folder, monkeypatch):
    """Without a folder: what `evalsuite run` wrote here; where there is nothing, one message."""
    monkeypatch.chdir(folder.parents[2])
    _, out, _ = command(capsys, "select run from runs", "--json")
    assert json.loads(out) == [{"run": "reports/runs/one"}]
    monkeypatch.chdir(folder)
    code, _, err = command(capsys, "select 1")
    assert (code, "reports/runs: no such file or folder" in err) == (2, True)


def test_broken_runs_are_named_on_stderr(capsys, folder):
    """The answer goes on without them, and says so."""
    (folder.parent / "two").mkdir()
    (folder.parent / "two" / "record.json").write_text("{", encoding="utf-8")
    code, out, err = command(capsys, "select count(*) as n from runs", folder.parent, "--csv")
    assert (code, out) == (0, "n\n1\n")
    assert "left out" in err
    assert "two/record.json" in err.replace("\n", "")


def test_mistakes_of_options_come_together(capsys, folder, tmp_path):
    """Exit code 2, every mistake in one message, nothing written."""
    code, _, err = command(capsys, MAIN, folder, "--json", "--csv", "--out", tmp_path / "x.txt")
    text = " ".join(err.split())
    assert code == 2
    assert "--out and --csv and --json: choose one" in text
    assert "ends in .parquet or .csv" in text
    assert not (tmp_path / "x.txt").exists()


def test_a_mistake_in_sql_is_one_message(capsys, folder):
    """Exit code 2, DuckDB's text, the views; no traceback."""
    code, out, err = command(capsys, "selec 1", folder)
    assert (code, out) == (2, "")
    assert "syntax error" in err
    assert "per_query: run, created" in err
    assert "Traceback" not in err


def test_a_query_imports_no_model_library_and_draws_nothing(folder):
    """The real command line in a fresh process: neither torch nor mteb nor matplotlib."""
    words = ["query", "from runs", str(folder), "--csv"]
    assert heavy_modules(PROBE, json.dumps(words)) == []
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(words)], capture_output=True, text=True, check=True
    )
    assert "matplotlib" not in json.loads(done.stderr.strip().splitlines()[-1])["modules"]
