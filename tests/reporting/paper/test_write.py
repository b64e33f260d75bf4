"""What is for print lies in one folder, and only if it was asked for."""

import pytest

from evalsuite.reporting.write import FORMATS, PAPER, write_report
from tests.reporting.made_up import SCIFACT, cells_of, checkpoint_entry, make_run, task_entry


@pytest.fixture
def small():
    """Runs of two checkpoints on one task."""
    task = task_entry("SciFact")
    return [
        make_run([checkpoint_entry(label)], [task], cells_of(label, task, SCIFACT))
        for label in ("All-MiniLM L6", "b")
    ]


def test_every_file_for_print_is_written(small, tmp_path):
    """Figures in three formats, one file of tables, one card."""
    files = write_report(small[:1], tmp_path, formats=[PAPER])
    names = sorted(path.name for path in files.paper)
    assert names == sorted(path.name for path in (tmp_path / "paper").iterdir())
    assert len([name for name in names if name.endswith(".pdf")]) == 6
    assert {"tables.tex", "model-card.md", "quality-by-bytes-page.png", "retention-page.svg"} <= set(names)
    card = (tmp_path / "paper" / "model-card.md").read_text(encoding="utf-8")
    assert "](quality-by-bytes-page.png)" in card
    assert [path.name for path in tmp_path.iterdir()] == ["paper"]


def test_each_checkpoint_has_its_card(small, tmp_path, monkeypatch):
    """Named after it, in letters that every file system takes."""
    monkeypatch.setattr("evalsuite.reporting.paper.write.figures_for_print", lambda _: iter(()))
    write_report(small, tmp_path, formats=[PAPER])
    cards = sorted(path.name for path in (tmp_path / "paper").glob("*.md"))
    assert cards == ["model-card-all-minilm-l6.md", "model-card-b.md"]


def test_print_is_no_default():
    """It takes seconds."""
    assert PAPER not in FORMATS
