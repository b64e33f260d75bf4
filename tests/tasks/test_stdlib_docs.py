"""Promises of the retrieval task derived from the standard library."""

from __future__ import annotations

import platform
import sys
import textwrap
from pathlib import Path

import pytest

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.stdlib_docs import LONGEST_DOCUMENT, MOST_QUERIES, read_stdlib_docs
from evalsuite.tasks.task import RetrievalTask

COPY = '''
def copy(src: str, dst, *, deep=False):
    """Copy one thing to another place.

    The place must exist, and nothing is overwritten.
    """
'''


def library(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        path = tmp_path / (name.replace("__in__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def read(folder: Path) -> RetrievalTask:
    return read_stdlib_docs(library=folder)


def documents(task: RetrievalTask) -> dict[str, tuple[str, str]]:
    return {k: (d.title, d.text) for k, d in zip(task.document_ids, task.documents, strict=True)}


def test_summary_asks_and_the_rest_answers(tmp_path: Path) -> None:
    """The query is the summary; the document is the rest, titled with the signature."""
    task = read(library(tmp_path, files=COPY))
    assert documents(task) == {
        "files.copy": (
            "files.copy(src, dst, *, deep=False)",
            "The place must exist, and nothing is overwritten.",
        )
    }
    assert [query.text for query in task.queries] == ["Copy one thing to another place."]
    assert task.qrels == {"files.copy": {"files.copy": 1}}
    assert platform.python_version() in task.source


def test_same_summary_is_one_query_with_all_its_documents(tmp_path: Path) -> None:
    """Documents that share their summary are all relevant; identical ones are merged."""
    other = COPY.replace("The place must exist", "The place is made")
    inside = textwrap.indent(COPY, "    ")
    guarded = f"if True:\n{inside}\nelse:\n{inside}"
    task = read(library(tmp_path, a=guarded, b=other, c=COPY + other))
    assert set(documents(task)) == {"a.copy", "b.copy", "c.copy", "c.copy#2"}
    assert task.qrels == {"a.copy": dict.fromkeys(("a.copy", "b.copy", "c.copy", "c.copy#2"), 1)}


def test_methods_and_classes_show_how_they_are_called(tmp_path: Path) -> None:
    """A class takes the parameters of its start, a method loses `self`, a module has none."""
    text = '''"""Things that can be opened.

Open them with care and close them again.
"""
class Thing:
    """One thing that can be opened.

    Opening it twice is a mistake.
    """
    def __init__(self, name: str, size=1): ...
    def open(self, how):
        """Open the thing for good.

        It cannot be closed again afterwards.
        """
    @staticmethod
    def make(kind):
        """Make a thing of a kind.

        The kind decides what is made.
        """
'''
    titles = {title for title, _ in documents(read(library(tmp_path, things=text))).values()}
    assert titles == {
        "things",
        "things.Thing(name, size=1)",
        "things.Thing.open(how)",
        "things.Thing.make(kind)",
    }


def test_short_summaries_only_distract_and_short_rests_are_left_out(tmp_path: Path) -> None:
    """A summary of three words asks nothing; a rest of four words answers nothing."""
    unclear = COPY.replace("Copy one thing to another place.", "Copy a thing.").replace("copy(", "unclear(")
    brief = COPY.replace("The place must exist, and nothing is overwritten.", "It must exist now.")
    task = read(library(tmp_path, a=COPY, b=unclear, c=brief.replace("copy(", "brief(")))
    assert set(documents(task)) == {"a.copy", "b.unclear"}
    assert list(task.query_ids) == ["a.copy"]


def test_private_test_and_installed_code_is_left_out(tmp_path: Path) -> None:
    """Only public modules of the library itself count; packages are called by their folder."""
    names = [
        "_private",
        "test__in__case",
        "pkg__in__tests__in__case",
        "site-packages__in__other",
        "idlelib__in__x",
    ]
    folder = library(tmp_path, pkg__in____init__=COPY, **dict.fromkeys(names, COPY))
    (folder / "pkg" / "_hidden.py").write_text(COPY)
    assert list(read(folder).document_ids) == ["pkg.copy"]


def test_documents_are_cut_to_length(tmp_path: Path) -> None:
    """Long documentation is cut, so that real models encode the corpus in minutes."""
    task = read(library(tmp_path, a=COPY.replace("The place", "word " * 500)))
    assert len(task.documents[0].text.split()) == LONGEST_DOCUMENT


def test_files_that_cannot_be_parsed_are_named(tmp_path: Path) -> None:
    """One broken file does not hide the others, and a warning names it."""
    task = read(library(tmp_path, a=COPY, broken="def :"))
    assert list(task.warnings) == ["source files that cannot be parsed were left out: broken"]


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_library_without_sources_is_one_message(tmp_path: Path, name: str) -> None:
    """A Python that ships byte code only is told apart from an empty result."""
    with pytest.raises(TaskDataError, match="needs a Python that ships its sources"):
        read(tmp_path / name)


def test_this_pythons_library_is_a_task_of_the_promised_size() -> None:
    """Thousands of documents, hundreds of queries, twice the same, and nothing is imported."""
    before = set(sys.modules)
    task = read_stdlib_docs()
    assert "turtle" not in set(sys.modules) - before
    assert 1500 <= len(task.documents) <= 5000
    assert 600 <= len(task.queries) <= MOST_QUERIES
    assert list(task.document_ids) == sorted(task.document_ids, reverse=True)
    assert list(task.query_ids) == sorted(task.query_ids)
    assert all(d in set(task.document_ids) for judged in task.qrels.values() for d in judged)
    assert read_stdlib_docs().fingerprint == task.fingerprint
