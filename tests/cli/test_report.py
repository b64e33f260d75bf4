"""`evalsuite report`: published scores by name, and what there is."""

import json

import pytest

from evalsuite.cli.app import main
from tests.reporting.made_up import realistic_run


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
    assert (folder / "figures" / "retention-by-dimension.png").is_file()


def test_unknown_tables_and_no_run_are_usage_errors(capsys, folder):
    """Exit code 2, one message, nothing written."""
    code, _, err = command(capsys, folder, "--published", "nope")
    assert (code, "no published table nope" in err.replace("\n", " ")) == (2, True)
    assert not (folder / "report.html").exists()
    code, _, err = command(capsys)
    assert (code, "no run given" in err) == (2, True)
