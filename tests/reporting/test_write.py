"""Writing a report to a folder."""

import subprocess
import sys

import pandas as pd
import pytest

from evalsuite.core.errors import StorageError, UsageError
from evalsuite.reporting.write import Extras, write_report
from tests.reporting.made_up import realistic_run


def test_every_file_is_written(minilm, tmp_path):
    """Page, Markdown, table, and each figure as SVG."""
    files = write_report([minilm], tmp_path / "out")
    found = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    names = ("quality-by-dimension", "quality-by-bytes", "retention")
    assert found == {"report.html", "report.md", "results.csv"} | {f"figures/{name}.svg" for name in names}
    assert files.html == tmp_path / "out" / "report.html"
    assert len(files.figures) == 3
    for path in files.figures:
        assert f"](figures/{path.name})" in files.markdown.read_text(encoding="utf-8")


def test_the_table_reads_back(minilm, tmp_path):
    """`results.csv` is the run's tidy frame."""
    files = write_report([minilm], tmp_path, formats=["csv"])
    frame = pd.read_csv(files.csv)
    assert len(frame) == len(minilm.to_frame())
    assert frame["value"].tolist() == minilm.to_frame()["value"].tolist()


def test_only_what_was_asked_for(minilm, tmp_path):
    """Without figures the Markdown shows none."""
    files = write_report([minilm], tmp_path, formats=["markdown"])
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert "![" not in files.markdown.read_text(encoding="utf-8")
    assert files.html is None


def test_the_same_run_gives_the_same_files(tmp_path):
    """Byte for byte, twice."""
    for name in ("one", "two"):
        write_report([realistic_run()], tmp_path / name)
    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


@pytest.mark.parametrize(("texts", "asked"), [(None, [False]), (True, [True]), (False, [])])
def test_texts_are_read_as_far_as_wanted(texts, asked, minilm, tmp_path, monkeypatch):
    """By default those at hand, on request all, or none at all: they may be confidential."""
    seen = []

    def read(_, *, every):
        seen.append(every)
        return {}

    monkeypatch.setattr("evalsuite.reporting.page.texts.texts_at_hand", read)
    write_report([minilm], tmp_path, formats=["html"], extras=Extras(texts=texts))
    assert seen == asked


def test_bad_runs_are_written_too(all_failed, nasty, failing, tmp_path):
    """Nothing about a run's content can stop its report."""
    assert write_report([all_failed, nasty, failing], tmp_path).html.stat().st_size > 0


def test_unknown_formats_are_named(minilm, tmp_path):
    """The error lists what would work, and nothing is written."""
    with pytest.raises(UsageError, match=r"pdf.*known formats: html, markdown, figures, csv, paper"):
        write_report([minilm], tmp_path, formats=["html", "pdf"])
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_a_clear_error(minilm, tmp_path):
    """A folder that cannot be made is the user's to fix."""
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(StorageError, match="out"):
        write_report([minilm], tmp_path / "out", formats=["csv"])


def test_reporting_loads_no_model_library():
    """The whole room imports without torch, transformers, sentence-transformers, mteb, pyplot."""
    code = (
        "import sys, evalsuite.reporting.write, evalsuite.reporting.html, evalsuite.reporting.terminal;"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'mteb', 'matplotlib.pyplot', 'pandas'};"
        "heavy &= set(sys.modules);"
        "sys.exit(' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
