"""`evalsuite report`: published scores by name, and what there is."""

import gc
import json
import subprocess
import sys

import pytest

from evalsuite.cli.app import main
from tests.reporting.made_up import realistic_run
from tests.reporting.made_up_parts import with_values


@pytest.fixture
def folder(tmp_path):
    """A run on disk."""
    (tmp_path / "record.json").write_text(realistic_run().record.to_json(), encoding="utf-8")
    return tmp_path


def command(capsys, *words):
    """Run the command; return its exit code and both streams."""
    with pytest.raises(SystemExit) as caught:
        main(["report", *map(str, words)])
    streams = capsys.readouterr()
    return caught.value.code or 0, streams.out, streams.err


def test_published_scores_are_listed(capsys):
    """Names with their sources, for people and for machines; no run is needed."""
    code, out, _ = command(capsys, "--published", "list")
    assert code == 0
    assert "hakari: EmbeddingGemma 2 on HAKARI-Bench, 5 rows" in out.replace("\n", " ")
    code, out, _ = command(capsys, "--published", "list", "--json")
    assert {"embeddinggemma", "hakari"} <= {table["name"] for table in json.loads(out)}


def test_published_scores_come_into_the_report(capsys, folder):
    """Names with commas; the page and a further figure show them."""
    code, out, _ = command(capsys, folder, "--published", "embeddinggemma,hakari", "--quiet")
    assert code == 0
    assert "report.html" in out.replace("\n", "")
    assert "EmbeddingGemma 2 on HAKARI-Bench" in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "figures" / "retention-by-dimension.svg").is_file()


def test_it_says_what_to_ship_and_where_the_files_are(capsys, folder):
    """A row a precision with bars, the advice, the page, the table, the figures; no paper unasked."""
    code, out, _ = command(capsys, folder)
    assert code == 0
    assert "██▆▄" in out
    assert "Ship 384/int8. It keeps" in out
    told = out.replace("\n", "")
    for name in ("report.html", "results.csv", "figures"):
        assert str(folder / name) in told
    assert "paper:" not in out


def test_a_cold_report_imports_little(folder):
    """Neither torch nor mteb nor pandas: it answers in about a second."""
    code = (
        "import sys\nfrom evalsuite.cli.app import main\n"
        f"try:\n    main(['report', {str(folder)!r}])\n"
        "finally:\n    heavy = {'torch', 'mteb', 'transformers', 'pandas', 'scipy'} & set(sys.modules)\n"
        "    print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == "[]", done.stderr
    assert (folder / "report.html").is_file()


def test_garbage_is_collected_again_afterwards(capsys, folder):
    """Also where the command fails."""
    command(capsys, folder, "--quiet")
    assert gc.isenabled()
    command(capsys, folder / "nowhere")
    assert gc.isenabled()


def test_paper_writes_what_a_paper_needs(capsys, folder, monkeypatch):
    """`--paper` fills its own folder; machines are told every file."""
    monkeypatch.setattr("evalsuite.reporting.paper.write.figures_for_print", lambda _: iter(()))
    code, out, _ = command(capsys, folder, "--paper", "--json")
    assert code == 0
    written = json.loads(out)
    assert written["paper"] == [str(folder / "paper" / name) for name in ("tables.tex", "model-card.md")]
    assert set(written) == {"html", "markdown", "csv", "figures", "paper", "problems"}


def test_unknown_tables_and_no_run_are_usage_errors(capsys, folder):
    """Exit code 2, one message, nothing written."""
    code, _, err = command(capsys, folder, "--published", "nope")
    assert (code, "no published table nope" in err.replace("\n", " ")) == (2, True)
    assert not (folder / "report.html").exists()
    code, _, err = command(capsys)
    assert (code, "no run given" in err) == (2, True)


def test_values_that_cannot_be_read_are_told(capsys, tmp_path):
    """The report is written without them, and stderr and JSON name the file and what to do."""
    run = with_values(realistic_run(), tmp_path)
    (tmp_path / "record.json").write_text(run.record.to_json(), encoding="utf-8")
    broken = tmp_path / run.record.per_query[0].path
    broken.write_bytes(b"not parquet")
    code, out, err = command(capsys, tmp_path, "--json")
    assert code == 0
    assert str(broken) in err.replace("\n", "")
    assert "evaluate again" in json.loads(out)["problems"][0]
