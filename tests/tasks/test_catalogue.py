"""Promises of the catalogue: how what a user asks for becomes tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.tasks.catalogue import Catalogue, tasks_folder
from tests.tasks.conftest import QRELS, BeirMaker

CARD = """
name = "{name}"
kind = "retrieval"
description = "d"
how_made = "h"
licence = "CC0-1.0"
[source]
kind = "bundled"
path = "drinks"
"""
PAIRS = "sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\ne\tf\t3\n"


@pytest.fixture
def folder(beir: BeirMaker, tmp_path: Path) -> Path:
    """Make a folder with the cards `one`, `two` and `three` and the suites `pair` and `all`."""
    beir("cards/drinks", qrels={"test": QRELS, "train": QRELS})
    for name in ("one", "two", "three"):
        (tmp_path / "cards" / f"{name}.toml").write_text(CARD.format(name=name))
    (tmp_path / "cards" / "suites.toml").write_text('all = ["pair", "three", "one"]\npair = ["two", "one"]\n')
    return tmp_path / "cards"


def names(folder: Path, *refs: str | Path) -> list[str]:
    return [ref.name for ref in Catalogue(folder).resolve(refs)]


def test_bundled_folder_is_found_and_complete() -> None:
    """The three bundled tasks are there, with their suites."""
    catalogue = Catalogue()
    assert catalogue.folder == tasks_folder()
    assert set(catalogue.names()) >= {"near-miss", "python-docs", "rubric-sts"}
    assert catalogue.suites()["bundled"] == ("near-miss", "rubric-sts", "python-docs")
    assert catalogue.suites()["quick"] == ("near-miss", "rubric-sts")
    assert [catalogue.card(name).name for name in catalogue.names()] == catalogue.names()


def test_suites_unfold_in_order_and_drop_repeats(folder: Path) -> None:
    """A suite within a suite is unfolded where it stands; a task named twice is taken once."""
    assert Catalogue(folder).suites() == {"all": ("two", "one", "three"), "pair": ("two", "one")}
    assert names(folder, "three", "all", "one") == ["three", "two", "one"]


def test_mistakes_of_the_suites_are_reported_at_once(folder: Path) -> None:
    """Cycles, unknown names, clashes and values that are no lists come in one error."""
    (folder / "suites.toml").write_text(
        'a = ["b", "one"]\nb = ["c"]\nc = ["a"]\nself = ["self"]\none = ["two"]\n'
        'lost = ["fuor"]\nword = "one"\nempty = []\n"a b" = ["one"]\n'
    )
    with pytest.raises(TaskDataError) as caught:
        Catalogue(folder).suites()
    assert set(caught.value.problems) == {
        "one: a task has the same name; rename one",
        "lost: unknown task or suite 'fuor'",
        "word: not a list of names",
        "empty: empty",
        "'a b' is not a name; use letters, digits, dots, dashes and underscores",
        "a: contains itself (a > b > c > a)",
        "self: contains itself (self > self)",
    }


def test_unknown_card_suggests_the_nearest(folder: Path) -> None:
    """A misspelt name gets the nearest one and all known ones."""
    with pytest.raises(
        UsageError, match=r"did you mean 'three'\?\nknown tasks: one, three, two; known suites"
    ):
        Catalogue(folder).card("thre")


def test_card_must_be_called_as_its_file(folder: Path) -> None:
    """A name in a command leads to one file only."""
    (folder / "four.toml").write_text(CARD.format(name="five"))
    with pytest.raises(TaskDataError, match="name: 'five' is not the name of the file"):
        Catalogue(folder).card("four")


def test_everything_unknown_is_listed_in_one_error(folder: Path, tmp_path: Path) -> None:
    """Misspelt names, missing paths, missing splits and folders without a task come together."""
    (tmp_path / "hollow").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    refs = [
        "oen",
        "all:test",
        f"{folder / 'drinks'}:dev",
        tmp_path / "hollow",
        tmp_path / "notes.txt",
        "",
        "one",
    ]
    with pytest.raises(UsageError) as caught:
        Catalogue(folder).resolve(refs)
    lines = str(caught.value).split("\n")
    assert lines[0] == "'oen' is no task, suite, file or folder; did you mean 'one'?"
    assert lines[1] == "'all:test': all is a suite, and a suite takes no split"
    assert lines[2].endswith("drinks has no split 'dev'; splits: test, train")
    assert "hollow holds no task: neither a BEIR folder" in lines[3]
    assert "notes.txt is neither a card (.toml), nor a folder, nor a table" in lines[4]
    assert lines[5:] == [
        "'' is no task, suite, file or folder",
        "known tasks: one, three, two; known suites: all, pair",
    ]


def test_paths_work_wherever_names_do(folder: Path, tmp_path: Path) -> None:
    """BEIR folders, STS folders and files and cards outside the catalogue need no entry in it."""
    sts = tmp_path / "pairs"
    sts.mkdir()
    for split in ("test", "dev"):
        (sts / f"{split}.tsv").write_text(PAIRS)
    (tmp_path / "loose.tsv").write_text(PAIRS)
    own = tmp_path / "own.toml"
    own.write_text(CARD.format(name="mine").replace('path = "drinks"', 'path = "cards/drinks"'))
    refs = ["one", folder / "drinks", f"{folder / 'drinks'}:train", str(sts), f"{sts}:validation"]
    found = Catalogue(folder).resolve([*refs, tmp_path / "loose.tsv", str(own)])
    assert [ref.name for ref in found] == [
        "one", "drinks", "drinks:train", "pairs", "pairs:dev", "loose", "mine"
    ]  # fmt: skip
    tasks = [ref.load() for ref in found]
    assert [task.name for task in tasks] == [ref.name for ref in found]
    assert [task.kind for task in tasks] == ["retrieval"] * 3 + ["sts"] * 3 + ["retrieval"]


def test_the_same_data_asked_for_twice_is_one_task(folder: Path, tmp_path: Path) -> None:
    """Naming the default split, another spelling of the path, or the split's file changes nothing."""
    sts = tmp_path / "pairs"
    sts.mkdir()
    (sts / "test.tsv").write_text(PAIRS)
    drinks = folder / "drinks"
    assert names(folder, drinks, f"{drinks}:test", f"{folder}/./drinks/") == ["drinks"]
    assert names(folder, sts, f"{sts}:test", sts / "test.tsv") == ["pairs"]
    assert names(folder, "one", "one:test", folder / "one.toml") == ["one"]


def test_split_of_a_card_is_part_of_the_name(folder: Path) -> None:
    """A card's other split is another task."""
    assert names(folder, "one", "one:train") == ["one", "one:train"]
    assert Catalogue(folder).resolve(["one:train"])[0].load().split == "train"


def test_path_with_a_colon_is_a_path_first(folder: Path, beir: BeirMaker) -> None:
    """A folder whose name looks like a split is found as it is written."""
    assert names(folder, beir("odd:name")) == ["odd:name"]


def test_names_win_over_paths(folder: Path, beir: BeirMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder called as a task is reached by `./NAME` or a Path."""
    monkeypatch.chdir(beir("here/one").parent)
    catalogue = Catalogue(folder)
    assert catalogue.resolve(["one"])[0].form == "card"
    assert [ref.form for ref in catalogue.resolve(["./one"])] == ["beir"]
    assert [ref.form for ref in catalogue.resolve([Path("one")])] == ["beir"]


def test_equal_names_get_their_parent_folder(folder: Path, beir: BeirMaker) -> None:
    """Two folders of the same name stay apart; the catalogue's own task keeps its name."""
    left, right, clash = beir("left/data"), beir("right/data"), beir("mine/one")
    assert names(folder, left, right) == ["left/data", "right/data"]
    assert names(folder, "one", clash) == ["one", "mine/one"]
    assert names(folder, left) == ["data"]


def test_names_that_stay_equal_are_refused(folder: Path, beir: BeirMaker) -> None:
    """When the parent folder does not help either, both paths are named."""
    with pytest.raises(UsageError, match=r"same name; .*\n.*x/sub/data\n.*y/sub/data"):
        names(folder, beir("x/sub/data"), beir("y/sub/data"))


def test_description_needs_no_texts(folder: Path) -> None:
    """Kind, source and licence are known before anything is read."""
    card, path = Catalogue(folder).resolve(["one", folder / "drinks"])
    assert (card.describe().kind, card.describe().source, card.describe().licence) == (
        "retrieval", "bundled drinks", "CC0-1.0",
    )  # fmt: skip
    assert (path.describe().source, path.describe().licence) == (
        f"BEIR folder {folder / 'drinks'}", "not stated",
    )  # fmt: skip


def test_broken_card_waits_until_it_is_read(folder: Path) -> None:
    """Finding a task whose card is malformed works, so that `check` can list the card's mistakes."""
    (folder / "one.toml").write_text("name = 3")
    (ref,) = Catalogue(folder).resolve(["one"])
    assert ref.name == "one"
    with pytest.raises(TaskDataError, match="name: input should be a valid string"):
        ref.load()
