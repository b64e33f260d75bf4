"""Read texts out of what mteb hands to a model, without the slow walk through a data loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.tasks.task import Role, TaskText


def role_of(prompt_type: Any) -> Role:
    """Name the role of texts: mteb's prompt types are `query` and `document`; none means symmetric."""
    names: Mapping[str, Role] = {"query": "query", "document": "document"}
    return names[str(getattr(prompt_type, "value", prompt_type))] if prompt_type is not None else "symmetric"


def read_inputs(inputs: Any, role: Role) -> list[TaskText]:
    """Read the texts behind a data loader that mteb made.

    Args:
        inputs: torch `DataLoader` over a `datasets.Dataset`, whose columns are read at once; over anything
            else its batches are.
        role: What the texts are; a document's title is kept apart.
    """
    dataset = inputs.dataset
    if hasattr(dataset, "column_names"):
        columns = {name: dataset[name] for name in ("text", "body", "title") if name in dataset.column_names}
    else:
        columns = {}
        for batch in inputs:
            for name in batch.keys() & {"text", "body", "title"}:
                columns.setdefault(name, []).extend(batch[name])
    if role == "document" and "body" in columns:
        return join_titles(columns["body"], columns.get("title"))
    return [TaskText(text) for text in columns["text"]]


def read_corpus(corpus: Any) -> tuple[list[str], list[TaskText]]:
    """Read ids and documents of a corpus, in descending order of ids: row order is then the tie rule."""
    identities = list(corpus["id"])
    order = sorted(range(len(identities)), key=identities.__getitem__, reverse=True)
    titles = corpus["title"] if "title" in corpus.column_names else None
    documents = join_titles(corpus["text"], titles)
    return [identities[row] for row in order], [documents[row] for row in order]


def read_queries(queries: Any, metadata: Any) -> tuple[list[str], list[TaskText]]:
    """Read ids and queries, prepared by mteb: instructions appended, conversations joined."""
    from mteb._create_dataloaders import create_dataloader
    from mteb.types import PromptType

    prepared = create_dataloader(queries, task_metadata=metadata, prompt_type=PromptType.query)
    return list(queries["id"]), read_inputs(prepared, "query")


def join_titles(texts: Sequence[str], titles: Sequence[str | None] | None) -> list[TaskText]:
    """Put titles beside texts; a missing one is empty."""
    if titles is None:
        return [TaskText(text) for text in texts]
    return [TaskText(text, title or "") for text, title in zip(texts, titles, strict=True)]
