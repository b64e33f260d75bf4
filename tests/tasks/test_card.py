"""Promises of task cards."""

from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.card import Source, TaskCard, load_card

GOOD = """
name = "mine"
kind = "retrieval"
description = "Finds things."
how_made = "By hand."
licence = "CC0-1.0"
[source]
kind = "folder"
path = "data"
"""


def problems(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaskDataError) as caught:
        load_card(path)
    return list(caught.value.problems)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_left_out_fields_follow_the_kind(path: Path) -> None:
    """Metric and prompts of a card that names none are the usual ones of its kind."""
    path.write_text(GOOD)
    card = load_card(path)
    assert (card.metric, card.task_type, card.language) == ("ndcg@10", "Retrieval", "en")
    path.write_text(GOOD.replace("retrieval", "sts"))
    assert (load_card(path).metric, load_card(path).task_type) == ("cosine_spearman", "STS")


def test_given_metric_and_prompts_are_kept(path: Path) -> None:
    """A card chooses its first metric and the prompts that fit."""
    path.write_text('main_metric = "recall@100"\n' + GOOD + '[prompts]\ntask_type = "InstructionRetrieval"\n')
    assert (load_card(path).metric, load_card(path).task_type) == ("recall@100", "InstructionRetrieval")


def test_every_mistake_is_reported_at_once(path: Path) -> None:
    """Missing, misspelt, mistyped and contradictory fields come in one error, each named."""
    text = """
name = "my task"
kind = "sts"
descripton = "misspelt"
how_made = 3
licence = "CC0-1.0"
main_metric = "ndcg@10"
[source]
kind = "python-stdlib"
path = "data"
checksum = "abc"
speed = 1
"""
    found = problems(path, text)
    assert {problem.split(":")[0] for problem in found} == {
        "name", "description", "descripton", "how_made", "main_metric",
        "source.kind", "source.path", "source.checksum", "source.speed",
    }  # fmt: skip
    assert "source.speed: no such field; fields: kind, path, revision, checksum, split" in found
    assert "how_made: input should be a valid string, not 3" in found
    assert "description: missing" in found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "retrieval"', 'kind = "x"', "kind: input should be 'retrieval' or 'sts', not 'x'"),
        ('path = "data"', "", "source.path: missing; a folder source needs one"),
        ('kind = "folder"', 'kind = "file"', "source.kind: a retrieval task is a folder, not a file"),
        (
            'kind = "folder"\npath = "data"',
            'kind = "bundled"\npath = "../data"',
            "source.path: '../data' leaves the card's folder; bundled data lies beside its card",
        ),
        (
            'kind = "retrieval"',
            'kind = "sts"\nmain_metric = "mrr@10"',
            "main_metric: mrr@10 does not score a task of kind sts",
        ),
        (
            'kind = "folder"\npath = "data"',
            'kind = "python-stdlib"\nsplit = "dev"',
            "source.split: python-stdlib has none",
        ),
    ],
)
def test_each_mistake_says_what_is_allowed(path: Path, old: str, new: str, message: str) -> None:
    """The field comes first, then what belongs there."""
    assert old in GOOD
    assert problems(path, GOOD.replace(old, new)) == [message]


def test_unknown_metric_lists_the_known(path: Path) -> None:
    """A metric that does not exist is refused with those that do."""
    (found,) = problems(path, 'main_metric = "ndgc@10"\n' + GOOD)
    assert found.startswith("main_metric: unknown metric 'ndgc@10'; known metrics: ndcg@K")


def test_syntax_errors_name_the_line(path: Path) -> None:
    """TOML that cannot be parsed says where."""
    (found,) = problems(path, 'name = "a"\nkind = \n')
    assert found.startswith("not TOML:")
    assert "line 2" in found


def test_card_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    """A missing file and a file that is no text are the user's to fix."""
    with pytest.raises(TaskDataError, match="cannot be read"):
        load_card(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TaskDataError, match="not TOML"):
        load_card(tmp_path / "bytes.toml")


def test_cards_made_in_python_keep_the_same_rules() -> None:
    """A contradiction is refused without a file too."""
    with pytest.raises(pydantic.ValidationError, match=r"source.path: missing"):
        TaskCard(name="a", kind="sts", description="d", how_made="h", licence="l", source=Source(kind="file"))
