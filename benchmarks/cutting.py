"""Smaller copies of tasks, for a quick look."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.tasks.kinds import Task
    from evalsuite.tasks.task import RetrievalTask


def judged_first(task: RetrievalTask, count: int) -> RetrievalTask:
    """Keep `count` documents: all those judged for the first queries, as many as fit, then any others."""
    present = set(task.document_ids)
    kept: dict[str, None] = {}
    names = []
    for query in task.query_ids:
        wanted = kept | dict.fromkeys(identity for identity in task.qrels[query] if identity in present)
        if len(wanted) > count:
            break
        kept = wanted
        names.append(query)
    if not names:
        sys.exit(f"--documents {count} does not hold the judged documents of one query")
    others = (identity for identity in task.document_ids if identity not in kept)
    chosen = set(kept) | {identity for identity, _ in zip(others, range(count - len(kept)), strict=False)}
    rows = [row for row, identity in enumerate(task.document_ids) if identity in chosen]
    return dataclasses.replace(
        task,
        document_ids=[task.document_ids[row] for row in rows],
        documents=[task.documents[row] for row in rows],
        query_ids=names,
        queries=task.queries[: len(names)],
        qrels={name: task.qrels[name] for name in names},
    )


def cut(task: Task, documents: int, folder: Path) -> str:
    """Write a retrieval task with fewer documents to a folder, and return where."""
    from evalsuite.tasks.task import RetrievalTask

    if not isinstance(task, RetrievalTask):
        sys.exit(f"--documents cuts a corpus, and {task.name} has none")
    where = folder / "cut"
    corpus = zip(task.document_ids[:documents], task.documents[:documents], strict=True)
    queries = zip(task.query_ids, task.queries, strict=True)
    write_lines(where / "corpus.jsonl", [{"_id": i, "title": t.title, "text": t.text} for i, t in corpus])
    write_lines(where / "queries.jsonl", [{"_id": i, "text": t.text} for i, t in queries])
    (where / "qrels").mkdir()
    judgements = [f"{q}\t{d}\t{grade}" for q, grades in task.qrels.items() for d, grade in grades.items()]
    (where / "qrels" / "test.tsv").write_text("\n".join(judgements) + "\n", encoding="utf-8")
    return str(where)


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
