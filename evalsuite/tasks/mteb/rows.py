"""Where mteb keeps a loaded task's rows, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalsuite.core.errors import TaskDataError, known_names

_NOUNS = {
    "STS": "pairs",
    "PairClassification": "pairs",
    "BitextMining": "pairs",
    "Summarization": "summarized texts",
}
"""What one row is, by type; a text for all other types."""

_SHOWN = {"BitextMining": "sentence1", "Summarization": "text", "ZeroShotClassification": "text"}
"""The column that shows a reader which row is meant, where per-query values are kept row by row."""


def place_of(abstask: Any) -> str:
    """Name a task at the head of an error."""
    return f"MTEB task {abstask.metadata.name}"


def is_retrieval(abstask: Any) -> bool:
    """Tell whether a task ranks documents for queries: its splits hold a corpus, queries and judgements."""
    from mteb.abstasks.retrieval import AbsTaskRetrieval

    return isinstance(abstask, AbsTaskRetrieval)


def split_rows(abstask: Any, split: str, subset: str) -> Any:
    """Return the rows of one split of one subset, as mteb's evaluators look them up.

    Raises:
        TaskDataError: If the loaded data lacks the split; lists those that are there.
    """
    data = abstask.dataset
    of_subset = data.get(subset, data)
    if split not in of_subset:
        known = known_names(sorted(map(str, of_subset)))
        raise TaskDataError(place_of(abstask), [f"{subset}: no split {split!r}; splits: {known}"])
    return of_subset[split]


def used_splits(abstask: Any) -> list[str]:
    """List the splits that decide the score: those evaluated, and the one a classifier is trained on."""
    training = getattr(abstask, "train_split", None)
    splits = list(abstask.eval_splits)
    return [*splits, training] if training and training not in splits else splits


def all_rows(abstask: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield `(split, subset, rows)` of every split that decides the score."""
    for split in used_splits(abstask):
        for subset in abstask.hf_subsets:
            yield split, subset, split_rows(abstask, split, subset)


def split_size(abstask: Any, split: str, subset: str) -> int:
    """Count the queries of a retrieval split that have judgements, or the rows of any other."""
    rows = split_rows(abstask, split, subset)
    return len(judged_queries(rows)) if is_retrieval(abstask) else len(rows)


def judged_queries(rows: Mapping[str, Any]) -> list[str]:
    """List the ids of the queries that mteb scores: those with at least one judgement, of any grade."""
    judged = rows["relevant_docs"]
    return [query for query in rows["queries"]["id"] if judged.get(query)]


def count_rows(abstask: Any) -> dict[str, int]:
    """Count what a loaded task holds, over all its splits and subsets; rows in common count once."""
    counts: dict[str, int] = {}
    seen: set[int] = set()

    def add(noun: str, number: int) -> None:
        counts[noun] = counts.get(noun, 0) + number

    noun = _NOUNS.get(str(abstask.metadata.type), "texts")
    for split, _subset, rows in all_rows(abstask):
        if id(rows) in seen:
            continue
        seen.add(id(rows))
        if is_retrieval(abstask):
            grades = [grade for judged in rows["relevant_docs"].values() for grade in judged.values()]
            add("documents", len(rows["corpus"]))
            add("queries", len(judged_queries(rows)))
            add("judgements", len(grades))
            add("relevant judgements", sum(grade > 0 for grade in grades))
        else:
            add(noun if split in abstask.eval_splits else f"training {noun}", len(rows))
    return counts


def column_values(rows: Any, column: str) -> Sequence[Any]:
    """Return a column as a plain list; `datasets` would give a lazy view that reads row by row."""
    values: Sequence[Any] = rows[column]
    return list(values[:])


def unit_texts(abstask: Any, split: str, subset: str) -> dict[str, str]:
    """Return the texts behind the per-query values of the mteb road, by their ids.

    Queries go by their own id, rows by their number from 1. Repetitions of an experiment have no text.
    """
    rows = split_rows(abstask, split, subset)
    if is_retrieval(abstask):
        queries = rows["queries"]
        return dict(zip(map(str, queries["id"]), map(_query_text, queries), strict=True))
    column = _SHOWN.get(str(abstask.metadata.type))
    if column is None or column not in getattr(rows, "column_names", ()):
        return {}
    values = column_values(rows, column)
    texts = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    return {str(number): str(text) for number, text in enumerate(texts, 1)}


def _query_text(query: Mapping[str, Any]) -> str:
    """Write a query as a reader sees it: with its instruction, if it has one."""
    instruction = query.get("instruction")
    return f"{query['text']} ({instruction})" if instruction else str(query["text"])
