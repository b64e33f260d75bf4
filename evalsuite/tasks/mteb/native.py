"""The native road: a part of a loaded MTEB task as a task of our own, with the texts mteb would encode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.core.measure import CORRELATIONS, CUTOFFS, Measure
from evalsuite.tasks.mteb.rows import column_values, judged_queries, place_of, split_rows
from evalsuite.tasks.oddities import retrieval_warnings
from evalsuite.tasks.qrels import Judgements
from evalsuite.tasks.task import NativeTask, RetrievalTask, StsTask, TaskText

_SCORING = ("evaluate", "_evaluate_subset", "_add_main_score")
_RETRIEVAL_SCORING = (*_SCORING, "task_specific_scores")
_STS_SCORING = (*_SCORING, "_calculate_scores", "_normalize")


def suits_native_road(abstask: Any) -> bool:
    """Tell, before the data is loaded, whether our own search and metrics give a task's official scores.

    They do for text retrieval and STS whose scoring is mteb's stock one. Data can still rule it out:
    `native_part` then returns None.
    """
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.sts import AbsTaskSTS

    metadata, main = abstask.metadata, _measure(abstask)
    if list(metadata.modalities) != ["text"] or main is None:
        return False
    if metadata.type == "Retrieval" and isinstance(abstask, AbsTaskRetrieval):
        stock_ranks = tuple(abstask.k_values) == CUTOFFS
        return (
            stock_ranks
            and main.cutoff in CUTOFFS
            and _is_stock(abstask, AbsTaskRetrieval, _RETRIEVAL_SCORING)
        )
    if metadata.type == "STS" and isinstance(abstask, AbsTaskSTS):
        symmetric = abstask.input1_prompt_type is None and abstask.input2_prompt_type is None
        plain = all(isinstance(name, str) for name in abstask.column_names)
        return (
            symmetric and plain and main.name in CORRELATIONS and _is_stock(abstask, AbsTaskSTS, _STS_SCORING)
        )
    return False


def native_part(abstask: Any, split: str, subset: str, source: str) -> NativeTask | None:
    """Convert one split of one subset of a task that `suits_native_road`.

    Returns:
        The task, called as mteb calls it because prompts are looked up by that name; None if the data needs
        mteb's evaluator: candidates to re-rank, or documents or queries whose ids repeat.

    Raises:
        TaskDataError: If the part has no documents, no judged queries or no pairs.
    """
    rows = split_rows(abstask, split, subset)
    if abstask.metadata.type == "STS":
        return _sts_part(abstask, split, rows, source)
    return _retrieval_part(abstask, split, rows, source)


def _retrieval_part(abstask: Any, split: str, rows: Mapping[str, Any], source: str) -> RetrievalTask | None:
    ids = [str(key) for key in column_values(rows["corpus"], "id")]
    if rows.get("top_ranked") is not None or len(set(ids)) < len(ids):
        return None
    kept = sorted(judged_queries(rows))
    if not ids or not kept:
        fault = "no documents" if not ids else "no query has a judgement"
        raise TaskDataError(place_of(abstask), [f"split {split}: {fault}"])
    documents = dict(zip(ids, document_texts(rows["corpus"]), strict=True))
    query_ids = [str(key) for key in column_values(rows["queries"], "id")]
    if len(set(query_ids)) < len(query_ids):
        return None
    queries = dict(zip(query_ids, query_texts(rows["queries"]), strict=True))
    grades = {query: {str(d): int(g) for d, g in rows["relevant_docs"][query].items()} for query in kept}
    order = sorted(documents, reverse=True)
    return RetrievalTask(
        name=str(abstask.metadata.name),
        document_ids=order,
        documents=[documents[key] for key in order],
        query_ids=kept,
        queries=[queries[key] for key in kept],
        qrels=grades,
        main_metric=str(_measure(abstask)),
        task_type=str(abstask.metadata.type),
        split=split,
        source=source,
        warnings=retrieval_warnings(documents, {key: queries[key] for key in kept}, Judgements(grades)),
        ignore_identical_ids=bool(abstask.ignore_identical_ids),
        skip_first_result=bool(abstask.skip_first_result),
    )


def _sts_part(abstask: Any, split: str, rows: Any, source: str) -> StsTask:
    first, second = (column_values(rows, column) for column in abstask.column_names)
    if not first:
        raise TaskDataError(place_of(abstask), [f"split {split}: no pairs"])
    return StsTask(
        name=str(abstask.metadata.name),
        pair_ids=[str(number) for number in range(1, len(first) + 1)],
        first=[TaskText(str(text)) for text in first],
        second=[TaskText(str(text)) for text in second],
        scores=[float(score) for score in column_values(rows, "score")],
        main_metric=str(_measure(abstask)),
        task_type=str(abstask.metadata.type),
        split=split,
        source=source,
        warnings=_repeated_pairs(first, second),
    )


def document_texts(corpus: Any) -> list[TaskText]:
    """Read a corpus: body and title apart; mteb joins them as `TITLE TEXT` when it encodes."""
    texts = column_values(corpus, "text")
    titles = column_values(corpus, "title") if "title" in corpus.column_names else [""] * len(texts)
    return [TaskText(text or "", title or "") for text, title in zip(texts, titles, strict=True)]


def query_texts(queries: Any) -> list[TaskText]:
    """Read queries as mteb's data loader does: an instruction after the text, a conversation as one text."""
    texts = column_values(queries, "text")
    has_instruction = "instruction" in queries.column_names
    instructions = column_values(queries, "instruction") if has_instruction else [None] * len(texts)
    return [TaskText(_query_text(t, i)) for t, i in zip(texts, instructions, strict=True)]


def _query_text(text: Any, instruction: str | None) -> str:
    """Write one query; the instruction follows a text and precedes a conversation, as in mteb."""
    if isinstance(text, list):
        turns = [turn if isinstance(turn, str) else f"{turn['role']}: {turn['content']}" for turn in text]
        conversation = "; ".join(turns)
        return conversation if instruction is None else f"{instruction} {conversation}"
    return str(text) if instruction is None else f"{text} {instruction}"


def _repeated_pairs(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    counts = Counter(zip(first, second, strict=True))
    repeated = len(first) - len(counts)
    text = f"{repeated:,} of {len(first):,} pairs repeat another pair; all are counted"
    return (text,) if repeated else ()


def _measure(abstask: Any) -> Measure | None:
    """Read a task's main score as one of our measures; None if it is none."""
    name, at, rank = str(abstask.metadata.main_score).partition("_at_")
    try:
        return Measure.parse(f"{name}@{rank}" if at else name)
    except UsageError:
        return None


def _is_stock(abstask: Any, base: type, methods: Sequence[str]) -> bool:
    """Tell whether a task overrides none of the methods that make its scores."""
    return all(getattr(type(abstask), method) is getattr(base, method) for method in methods)
