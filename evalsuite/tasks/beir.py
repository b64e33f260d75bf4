"""Reading a BEIR folder: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`, plain or `.gz`."""

from __future__ import annotations

import os
from pathlib import Path

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.lines import read_json_rows, text_fault
from evalsuite.tasks.oddities import retrieval_warnings
from evalsuite.tasks.problems import Problems
from evalsuite.tasks.qrels import Judgements, identifier, qrels_files, read_qrels
from evalsuite.tasks.splits import choose_split, name_with_split
from evalsuite.tasks.task import RetrievalTask, TaskText

LAYOUT = "corpus.jsonl, queries.jsonl and qrels/test.tsv (each plain or .gz)"
"""What a BEIR folder holds, for messages."""


def read_beir(
    folder: str | os.PathLike[str], *, split: str | None = None, name: str | None = None
) -> RetrievalTask:
    """Read and check a BEIR folder.

    Args:
        folder: The folder. Rows carry `_id` or `id` (strings or integers) and `text`; documents may carry
            `title`. Judgements are tab separated (`query-id`, `corpus-id`, `score`; header optional) in
            `qrels/SPLIT.tsv`, or in `qrels.tsv` or `qrels.jsonl` beside the corpus, which is split `test`.
        split: Which judgements to use; by default `test`, else the only ones there are.
        name: What to call the task; by default the folder's name, with `:split` unless it is the default.

    Raises:
        TaskDataError: Lists every mistake of the files.
        UsageError: If the split is not there; lists those that are.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise TaskDataError(str(folder), [f"no such folder; expected one with {LAYOUT}"])
    problems = Problems(folder)
    files = qrels_files(folder)
    chosen = choose_split(list(files), split, str(folder)) if files else split or "test"
    documents = _read_texts(folder, "corpus", problems)
    queries = _read_texts(folder, "queries", problems)
    judgements = _read_judgements(files.get(chosen, []), problems)
    if queries and judgements.grades and not queries.keys() & judgements.grades.keys():
        problems.add("no query of the judgements is in queries.jsonl; are the files of the same data set?")
    problems.raise_if_any()
    kept = sorted(queries.keys() & judgements.grades.keys())
    order = sorted(documents, reverse=True)
    return RetrievalTask(
        name=name or name_with_split(folder.resolve().name, chosen, list(files)),
        document_ids=order,
        documents=[documents[key] for key in order],
        query_ids=kept,
        queries=[queries[key] for key in kept],
        qrels={key: judgements.grades[key] for key in kept},
        split=chosen,
        source=f"BEIR folder {folder}",
        warnings=retrieval_warnings(documents, queries, judgements),
    )


def is_beir(folder: Path) -> bool:
    """Tell whether a folder is laid out as BEIR's, at least in part."""
    names = ("corpus.jsonl", "corpus.jsonl.gz", "queries.jsonl", "queries.jsonl.gz", "qrels")
    return any((folder / name).exists() for name in names) or bool(qrels_files(folder))


def _read_texts(folder: Path, kind: str, problems: Problems) -> dict[str, TaskText]:
    """Read `corpus` or `queries`: id -> text, in file order."""
    files = [path for path in (folder / f"{kind}.jsonl", folder / f"{kind}.jsonl.gz") if path.is_file()]
    if len(files) != 1:
        both = f"both {kind}.jsonl and {kind}.jsonl.gz are there; keep one"
        problems.add(both if files else f"{kind}.jsonl is missing (or {kind}.jsonl.gz); expected {LAYOUT}")
        return {}
    path = files[0]
    noun = "document" if kind == "corpus" else "query"
    texts: dict[str, TaskText] = {}
    lines: dict[str, int] = {}
    for number, row in read_json_rows(path, problems):
        key, text, faults = _read_row(row, titled=kind == "corpus")
        for fault in faults:
            problems.add(fault, file=path, line=number)
        if key in lines:
            problems.add(f"duplicate {noun} id {key!r}, first on line {lines[key]}", file=path, line=number)
        elif key is not None:
            lines[key] = number
            texts[key] = text
    if not texts and not problems.of(path):
        problems.add("empty: no documents" if kind == "corpus" else "empty: no queries", file=path)
    return texts


def _read_row(row: dict[str, object], *, titled: bool) -> tuple[str | None, TaskText, list[str]]:
    """Check one line of a corpus or of queries: `(id, text, faults)`; an id of None is a fault too."""
    faults = []
    given = row.get("_id", row.get("id"))
    key = identifier(given)
    if given is None:
        faults.append("no _id")
    elif key is None:
        faults.append(f"_id {given!r} is empty or neither a string nor an integer")
    of = f" (_id {key!r})" if key is not None else ""
    if "text" not in row:
        faults.append(f"no text{of}")
    title = row.get("title") if titled else None
    title = "" if title is None else title
    for name, value in (("text", row.get("text", "")), ("title", title)):
        fault = text_fault(value)
        if fault:
            faults.append(f"{name} {fault}{of}")
    return key, TaskText(str(row.get("text", "")), str(title)), faults


def _read_judgements(files: list[Path], problems: Problems) -> Judgements:
    """Read the judgements of the chosen split."""
    if not files:
        problems.add(f"judgements are missing: no qrels/*.tsv, qrels.tsv or qrels.jsonl; expected {LAYOUT}")
        return Judgements()
    if len(files) > 1:
        names = " and ".join(problems.label(path) for path in files)
        problems.add(f"{names} are judgements of the same split; keep one")
        return Judgements()
    judgements = read_qrels(files[0], problems)
    if not judgements.grades and not problems.of(files[0]):
        problems.add("empty: no judgements", file=files[0])
    return judgements
