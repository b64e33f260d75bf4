"""Promises of checking a task's data."""

from __future__ import annotations

from pathlib import Path

from evalsuite.tasks.catalogue import Catalogue
from evalsuite.tasks.check import CheckReport, check
from tests.tasks.conftest import QRELS, BeirMaker


def report(path: Path) -> CheckReport:
    (ref,) = Catalogue().resolve([path])
    return check(ref)


def test_good_folder_has_counts_and_a_fingerprint(beir: BeirMaker) -> None:
    """What is there is counted, and the fingerprint is ready for a card."""
    found = report(beir(qrels=QRELS + "q2\tgone\t1\n"))
    assert found.ok
    assert found.counts == {"documents": 3, "queries": 2, "judgements": 4, "relevant judgements": 3}
    assert found.warnings == (
        "1 judgement of documents that are not in the corpus; kept, and counted as not found: gone",
    )
    assert len(found.fingerprint) == 64


def test_bad_folder_lists_its_mistakes_instead_of_raising(beir: BeirMaker) -> None:
    """Mistakes are values here, those of missing files too."""
    found = report(beir(queries=None, qrels="q1\n"))
    assert not found.ok
    assert [problem.split(" ")[0] for problem in found.problems] == ["queries.jsonl", "qrels/test.tsv:1:"]
    assert found.counts == {}


def test_folder_without_judgements_is_checked(beir: BeirMaker) -> None:
    """A folder whose split cannot be known yet is still a report."""
    assert report(beir(qrels=None)).problems[0].startswith("judgements are missing")


def test_sentence_pairs_are_counted(tmp_path: Path) -> None:
    """An STS file counts its pairs and its different sentences."""
    path = tmp_path / "pairs.tsv"
    path.write_text("sentence1\tsentence2\tscore\na\tb\t1\na\td\t2\ne\tf\t3\n")
    assert report(path).counts == {"pairs": 3, "different sentences": 5}


def test_broken_cards_and_missing_splits_are_reports_too(tmp_path: Path, beir: BeirMaker) -> None:
    """A card with mistakes, or naming a split that is not there, does not raise."""
    path = tmp_path / "mine.toml"
    path.write_text("kind = 1\n")
    assert "name: missing" in report(path).problems
    beir("drinks")
    path.write_text(
        'name = "mine"\nkind = "retrieval"\ndescription = "d"\nhow_made = "h"\nlicence = "l"\n'
        '[source]\nkind = "folder"\npath = "drinks"\nsplit = "dev"\n'
    )
    (problem,) = report(path).problems
    assert problem.endswith("has no split 'dev'; splits: test")


def test_bundled_texts_are_clean() -> None:
    """The sets written for evalsuite have no mistakes, no oddities and their promised sizes."""
    near_miss, rubric = (check(ref) for ref in Catalogue().resolve(["quick"]))
    assert (near_miss.problems, near_miss.warnings) == ((), ())
    assert near_miss.counts["documents"] >= 400
    assert near_miss.counts["queries"] >= 150
    assert (rubric.problems, rubric.warnings) == ((), ())
    assert rubric.counts["pairs"] >= 300
