"""Promises of reading what a card points at."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.sources import load_task
from tests.tasks.conftest import QRELS, BeirMaker


def write_card(folder: Path, source: str, *, kind: str = "retrieval", extra: str = "") -> Path:
    path = folder / "mine.toml"
    texts = f'name = "mine"\nkind = "{kind}"\ndescription = "d"\nhow_made = "h"\nlicence = "CC0-1.0"\n'
    path.write_text(f"{texts}{extra}[source]\n{source}\n")
    return path


@pytest.fixture
def card_for(beir: BeirMaker, tmp_path: Path) -> Path:
    beir("drinks", qrels={"test": QRELS, "train": "q1\td2\t1\n"})
    return tmp_path


def test_card_puts_its_word_on_the_task(card_for: Path) -> None:
    """Name, metric, prompts and source are the card's; the texts are the folder's."""
    extra = 'main_metric = "map@100"\nprompts.task_type = "Reranking"\n'
    card = write_card(card_for, 'kind = "folder"\npath = "drinks"\nrevision = "7"', extra=extra)
    task = load_task(card)
    assert (task.name, task.main_metric, task.task_type) == ("mine", "map@100", "Reranking")
    assert task.source == "folder drinks (revision 7)"
    assert load_task(card, name="other").name == "other"


def test_cards_split_can_be_overridden(card_for: Path) -> None:
    """The card's split is the default, another one can be asked for."""
    card = write_card(card_for, 'kind = "bundled"\npath = "drinks"\nsplit = "train"')
    assert load_task(card).split == "train"
    assert load_task(card, split="test").split == "test"


def test_checksum_of_other_data_is_refused_and_both_are_named(card_for: Path) -> None:
    """A matching checksum passes; after one changed letter the message names both fingerprints."""
    source = 'kind = "folder"\npath = "drinks"'
    good = load_task(write_card(card_for, source)).fingerprint
    card = write_card(card_for, f'{source}\nchecksum = "{good}"')
    assert load_task(card).fingerprint == good
    assert load_task(card, split="train").split == "train"
    corpus = card_for / "drinks" / "corpus.jsonl"
    corpus.write_text(corpus.read_text().replace("Green", "green"))
    changed = load_task(write_card(card_for, source)).fingerprint
    with pytest.raises(TaskDataError, match=f"expects {good}, the data has {changed}"):
        load_task(write_card(card_for, f'{source}\nchecksum = "{good}"'))


def test_variables_and_home_are_filled_in(card_for: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card may point into a place that differs from machine to machine; an unset variable is named."""
    monkeypatch.setenv("HOME", str(card_for))
    monkeypatch.setenv("EVALSUITE_TEST_DATA", str(card_for))
    for path in ("~/drinks", "$EVALSUITE_TEST_DATA/drinks", "${EVALSUITE_TEST_DATA}/drinks"):
        assert load_task(write_card(card_for, f'kind = "folder"\npath = "{path}"')).split == "test"
    monkeypatch.delenv("EVALSUITE_TEST_DATA")
    with pytest.raises(TaskDataError, match=r"source.path: \$EVALSUITE_TEST_DATA is not set"):
        load_task(write_card(card_for, 'kind = "folder"\npath = "$EVALSUITE_TEST_DATA/drinks"'))


@pytest.mark.parametrize(("kind", "what"), [("folder", "folder"), ("bundled", "file or folder")])
def test_path_without_data_is_one_message(tmp_path: Path, kind: str, what: str) -> None:
    """Data that is not where the card says is the user's to fix."""
    with pytest.raises(TaskDataError, match=f"source.path: no such {what}: "):
        load_task(write_card(tmp_path, f'kind = "{kind}"\npath = "nowhere"'))


def test_sentence_pairs_come_from_files_and_folders(tmp_path: Path) -> None:
    """An STS card names a file or a folder of splits."""
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "dev.tsv").write_text("sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\ne\tf\t3\n")
    for source in ('kind = "file"\npath = "pairs/dev.tsv"', 'kind = "folder"\npath = "pairs"\nsplit = "dev"'):
        task = load_task(write_card(tmp_path, source, kind="sts"))
        assert (task.kind, task.name, task.split) == ("sts", "mine", "dev")


def test_python_docs_have_no_splits(tmp_path: Path) -> None:
    """Asking the derived task for a split is refused before any work."""
    with pytest.raises(TaskDataError, match="has no splits; leave :dev away"):
        load_task(write_card(tmp_path, 'kind = "python-stdlib"'), split="dev")
