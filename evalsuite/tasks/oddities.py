"""What is odd about a task's data without being a mistake, as one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from evalsuite.tasks.qrels import Judgements
from evalsuite.tasks.task import TaskText

_SHOWN_IDS = 5


def retrieval_warnings(
    documents: Mapping[str, TaskText], queries: Mapping[str, TaskText], judgements: Judgements
) -> tuple[str, ...]:
    """List what is odd about a corpus, its queries and their judgements (all as read)."""
    scored = {query: grades for query, grades in judgements.grades.items() if query in queries}
    found = [
        *_judgement_warnings(documents, queries, judgements),
        *_query_warnings(queries, scored),
        *_document_warnings(documents),
    ]
    return tuple(text for text in found if text)


def _judgement_warnings(
    documents: Mapping[str, TaskText], queries: Mapping[str, TaskText], judgements: Judgements
) -> Iterable[str]:
    grades = judgements.grades
    unfound = [(q, d) for q, judged in grades.items() if q in queries for d in judged if d not in documents]
    names = list(dict.fromkeys(document for _, document in unfound))
    if unfound:
        yield (
            f"{_count(len(unfound), 'judgement')} of documents that are not in the corpus; "
            f"kept, and counted as not found: {_some(names)}"
        )
    unknown = [query for query in grades if query not in queries]
    if unknown:
        dropped = sum(len(grades[query]) for query in unknown)
        yield f"{_count(dropped, 'judgement')} dropped: no such query in queries.jsonl: {_some(unknown)}"
    negative = sum(grade < 0 for q, judged in grades.items() if q in queries for grade in judged.values())
    if negative:
        yield f"{_count(negative, 'negative grade')} counted as not relevant, as trec_eval does"
    if judgements.repeated:
        yield f"{_count(judgements.repeated, 'judgement')} repeated with the same grade; counted once"


def _query_warnings(
    queries: Mapping[str, TaskText], scored: Mapping[str, Mapping[str, int]]
) -> Iterable[str]:
    unjudged = [query for query in queries if query not in scored]
    if unjudged:
        yield f"{_count(len(unjudged), 'query')} without judgements; not scored: {_some(unjudged)}"
    hopeless = [query for query, grades in scored.items() if max(grades.values()) <= 0]
    if hopeless:
        yield (
            f"{_count(len(hopeless), 'query')} without a relevant document; "
            f"scored 0, as trec_eval does: {_some(hopeless)}"
        )
    empty = [query for query in scored if not queries[query].text.strip()]
    if empty:
        yield f"{_count(len(empty), 'query')} with an empty text: {_some(empty)}"


def _document_warnings(documents: Mapping[str, TaskText]) -> Iterable[str]:
    empty = [key for key, text in documents.items() if not text.text.strip() and not text.title.strip()]
    if empty:
        yield f"{_count(len(empty), 'empty document')}: {_some(empty)}"
    filled = len(documents) - len(empty)
    repeats = filled - len({text for text in documents.values() if text.text.strip() or text.title.strip()})
    if repeats:
        yield (
            f"{_count(repeats, 'document')} {'repeats' if repeats == 1 else 'repeat'} the title and text of "
            "another; equal scores are certain"
        )


def _count(number: int, noun: str) -> str:
    """Write a number with its noun in the singular or plural."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def _some(ids: Sequence[str]) -> str:
    """Write the first few ids."""
    return ", ".join(ids[:_SHOWN_IDS]) + (", ..." if len(ids) > _SHOWN_IDS else "")
