"""A retrieval task derived from the running Python's standard library: find documentation by its summary.

The query is a docstring's summary; the document is the rest of that docstring, under its signature. Source
files are parsed, never imported. The data follow the Python version, so the fingerprint belongs to every
result.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.docstrings import Docstring, read_docstrings, source_files
from evalsuite.tasks.lines import text_fault
from evalsuite.tasks.task import RetrievalTask, TaskText

MOST_QUERIES = 800
"""How many queries are asked; the documents of the others stay in the corpus as distractors."""

LONGEST_DOCUMENT = 160
"""Words after which a document is cut, so that real models encode the corpus in minutes on two cores."""

_SHORTEST_DOCUMENT = 5
_SUMMARY_WORDS = range(4, 31)
_WORD = re.compile(r"[A-Za-z][a-z]*(?:['-][a-z]+)*[.,:;!?]?")


@dataclass(frozen=True)
class _Entry:
    """A document and the summary that should find it."""

    key: str
    document: TaskText
    summary: str


def read_stdlib_docs(name: str = "python-docs", *, library: Path | None = None) -> RetrievalTask:
    """Derive the task from a standard library's source files.

    Args:
        name: What to call the task.
        library: The folder of the standard library; by default that of the running Python.

    Raises:
        TaskDataError: If the folder holds no documented source files (some builds ship byte code only).
    """
    library = library or Path(sysconfig.get_path("stdlib"))
    docstrings, unreadable = _collect(library)
    entries = _entries(docstrings)
    judgements = _judgements(entries)
    if not judgements:
        problem = "no documented Python source files; this task needs a Python that ships its sources"
        raise TaskDataError(str(library), [problem])
    documents = {entry.key: entry.document for entry in entries}
    order = sorted(documents, reverse=True)
    queries = sorted(judgements)
    return RetrievalTask(
        name=name,
        document_ids=order,
        documents=[documents[key] for key in order],
        query_ids=queries,
        queries=[TaskText(judgements[key][0]) for key in queries],
        qrels={key: dict.fromkeys(judgements[key][1], 1) for key in queries},
        source=f"standard library of Python {platform.python_version()}, docstrings parsed from its sources",
        warnings=unreadable,
    )


def _collect(library: Path) -> tuple[list[Docstring], tuple[str, ...]]:
    """Read every public docstring below a folder; the second part warns of files that could not be read."""
    docstrings: list[Docstring] = []
    unreadable = []
    for module, path in source_files(library) if library.is_dir() else ():
        try:
            docstrings += read_docstrings(module, path)
        except (SyntaxError, ValueError, OSError):
            unreadable.append(module)
    warning = f"source files that cannot be parsed were left out: {', '.join(unreadable)}"
    return docstrings, (warning,) if unreadable else ()


def _entries(docstrings: Iterable[Docstring]) -> list[_Entry]:
    """Make the documents: cut to length, identical ones merged, every id once."""
    entries: dict[str, _Entry] = {}
    seen: set[TaskText] = set()
    for docstring in docstrings:
        words = docstring.rest.split()
        document = TaskText(" ".join(words[:LONGEST_DOCUMENT]), docstring.signature)
        if (
            len(words) < _SHORTEST_DOCUMENT
            or document in seen
            or text_fault(docstring.summary + docstring.rest)
        ):
            continue
        seen.add(document)
        key, again = docstring.name, 1
        while key in entries:  # defined once for each platform, with different texts
            again += 1
            key = f"{docstring.name}#{again}"
        entries[key] = _Entry(key, document, docstring.summary)
    return list(entries.values())


def _judgements(entries: Sequence[_Entry]) -> dict[str, tuple[str, list[str]]]:
    """Choose the queries: id -> (text, ids of its documents).

    A query is called after its first document. Which ones are asked follows the sha256 of their texts, so the
    choice is spread over the library and stays the same while the texts do.
    """
    answers: dict[str, list[str]] = {}
    for entry in entries:
        if _is_query(entry.summary):
            answers.setdefault(entry.summary, []).append(entry.key)
    chosen = sorted(answers, key=lambda text: hashlib.sha256(text.encode()).digest())[:MOST_QUERIES]
    return {answers[text][0]: (text, answers[text]) for text in chosen}


def _is_query(summary: str) -> bool:
    """Tell whether a summary is a sentence of words, not a signature, a heading's underline or an example."""
    words = summary.split()
    plain = sum(_WORD.fullmatch(word) is not None for word in words)
    return len(words) in _SUMMARY_WORDS and plain >= _SUMMARY_WORDS.start and "(" not in words[0]
