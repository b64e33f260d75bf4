"""Prompts by role and task type: which words go in front of a text before it is encoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from evalsuite.core.errors import CheckpointError

Role = Literal["query", "document", "symmetric"]
"""What a text is in its task: one side of a retrieval, or either side of a comparison such as STS."""

CHECKPOINT, CATALOGUE, NO_PROMPTS = "checkpoint", "embeddinggemma catalogue", "none"
"""Where a book's prompts can come from; books made after mteb's registry name the model they follow."""

GEMMA_DOCUMENT = "title: none | text: "
"""EmbeddingGemma's document prompt; a document's real title replaces `none`."""

EMBEDDINGGEMMA_PROMPTS: Mapping[str, str] = {
    "query": "task: search result | query: ",
    "document": GEMMA_DOCUMENT,
    "Retrieval": "task: search result | query: ",
    "Retrieval-query": "task: search result | query: ",
    "Retrieval-document": GEMMA_DOCUMENT,
    "Reranking": "task: search result | query: ",
    "BitextMining": "task: search result | query: ",
    "QuestionAnswering": "task: question answering | query: ",
    "QuestionAnswering-document": GEMMA_DOCUMENT,
    "FactChecking": "task: fact checking | query: ",
    "FactChecking-document": GEMMA_DOCUMENT,
    "CodeRetrieval": "task: code retrieval | query: ",
    "CodeRetrieval-document": GEMMA_DOCUMENT,
    "InstructionRetrieval": "task: code retrieval | query: ",
    "InstructionRetrieval-document": GEMMA_DOCUMENT,
    "Classification": "task: classification | query: ",
    "MultilabelClassification": "task: classification | query: ",
    "Clustering": "task: clustering | query: ",
    "STS": "task: sentence similarity | query: ",
    "PairClassification": "task: sentence similarity | query: ",
    "Summarization": "task: summarization | query: ",
}
"""EmbeddingGemma's catalogue (model card of google/embeddinggemma-300m), keyed as MTEB looks prompts up."""

_ROLE_NAMES: Mapping[Role, tuple[str, ...]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
    "symmetric": (),
}


class Recipe(Protocol):
    """Another tool's way of putting prompts to texts, followed to the letter."""

    def render(self, role: Role, task_type: str, task_name: str, text: str, title: str) -> tuple[str, str]:
        """Return the prompt and the text that follows it; see `PromptBook.render`."""
        ...


@dataclass(frozen=True)
class PromptBook:
    """The prompts of one checkpoint and the rule that picks among them.

    Attributes:
        prompts: Prompt text by name; a name is a role, an MTEB task type or task, or `TYPE-ROLE`.
        origin: Where the prompts come from.
        default_name: Name of the prompt the checkpoint applies when no other one fits.
        recipe: Takes the place of the rules below; None follows them.
    """

    prompts: Mapping[str, str] = field(default_factory=dict)
    origin: str = NO_PROMPTS
    default_name: str | None = None
    recipe: Recipe | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, gemma_encoder: bool, where: str) -> PromptBook:
        """Take the book out of a `config_sentence_transformers.json`.

        Args:
            config: The parsed file, or a loaded model's `prompts` and `default_prompt_name` under these keys.
            gemma_encoder: Whether the backbone is a bidirectional Gemma; if it is and the checkpoint declares
                no prompt (empty ones do not count), EmbeddingGemma's catalogue is used.
            where: The file or model, for error messages.

        Raises:
            CheckpointError: If `prompts` is not a mapping of names to texts.
        """
        declared = config.get("prompts") or {}
        if not isinstance(declared, Mapping) or not all(
            isinstance(text, str | None) for text in declared.values()
        ):
            message = f"{where}: `prompts` must map names to texts, for example {{'query': 'query: '}}"
            raise CheckpointError(message)
        prompts = {str(name): text for name, text in declared.items() if text is not None}
        if any(prompts.values()):
            default = config.get("default_prompt_name")
            return cls(prompts, CHECKPOINT, str(default) if default in prompts else None)
        return cls(EMBEDDINGGEMMA_PROMPTS, CATALOGUE) if gemma_encoder else cls()

    def render(
        self, role: Role, task_type: str, task_name: str, text: str, title: str = ""
    ) -> tuple[str, str]:
        """Choose the prompt for one text and put a document's title where the model expects it.

        EmbeddingGemma's document prompt has a slot for the title, so for that prompt the whole document,
        titled or not, is written into the text and the prompt is empty: every document takes one path and
        a batch needs one prompt. Other models get `TITLE TEXT`, as in BEIR and MTEB.

        Args:
            role: What the text is in its task.
            task_type: MTEB type name such as `Retrieval` or `STS`.
            task_name: The task's own name.
            text: The text to encode.
            title: A document's title; empty if it has none.

        Returns:
            The prompt and the text that follows it.
        """
        if self.recipe is not None:
            return self.recipe.render(role, task_type, task_name, text, title)
        prompt = self.lookup(role, task_type, task_name)
        if role != "document":
            return prompt, text
        if prompt == GEMMA_DOCUMENT:
            return "", titled(text, title)
        return prompt, joined(text, title)

    def lookup(self, role: Role, task_type: str, task_name: str) -> str:
        """Find the prompt as MTEB does: task and role, task, type and role, type, role; empty if none fits.

        Two differences: a document prefers the prompt of its role to that of the bare type, which is the
        query's; and a default prompt made for queries is never put in front of documents.
        """
        for name in self._names(role, task_type, task_name):
            if name in self.prompts:
                return self.prompts[name]
        return ""

    def _names(self, role: Role, task_type: str, task_name: str) -> Iterator[str]:
        """Yield the names to try, most specific first."""
        roles = _ROLE_NAMES[role]
        yield from (f"{task_name}-{name}" for name in roles)
        yield task_name
        yield from (f"{task_type}-{name}" for name in roles)
        yield from (*roles, task_type) if role == "document" else (task_type, *roles)
        default = self.default_name
        if default is not None and not (role == "document" and default.endswith("query")):
            yield default


def titled(text: str, title: str) -> str:
    """Write a document the way EmbeddingGemma was trained on it."""
    return f"title: {title.strip() or 'none'} | text: {text}"


def joined(text: str, title: str) -> str:
    """Put a title in front of a document as BEIR and MTEB do, one space between."""
    return f"{title} {text}".strip()
