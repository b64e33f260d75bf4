"""The ways in which mteb's model classes put prompts to texts, as values that need no loaded model.

Each follows one class of mteb to the letter, oddities included, so that a text reaches the encoder exactly as
it would in `mteb.evaluate`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalsuite.models.mteb_tasks import prompt_type, task_metadata
from evalsuite.models.prompts import Role, joined, titled

_FALLBACKS: Mapping[Role, tuple[str, ...]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
    "symmetric": (),
}
"""What `encode_query` and `encode_document` of sentence-transformers look for, and in this order."""

_ASYMMETRIC = ("Retrieval", "Any2AnyRetrieval")
"""Task types whose documents EmbeddingGemma 2 sees as documents; all other texts are queries to it."""


@dataclass(frozen=True)
class NamedPrompts:
    """How `SentenceTransformerEncoderWrapper` chooses: by name, from the registry's table or the model's own.

    Attributes:
        table: Prompt text by task, type or role, with `-query` or `-document` for one side.
        default_name: Name of the prompt that applies when no other one fits.
    """

    table: Mapping[str, str]
    default_name: str | None = None

    def render(self, role: Role, task_type: str, task_name: str, text: str, title: str) -> tuple[str, str]:
        """See `PromptBook.render`; a title always goes in front of the text."""
        prompt = self.lookup(role, task_type, task_name)
        return prompt, joined(text, title) if role == "document" else text

    def lookup(self, role: Role, task_type: str, task_name: str) -> str:
        """Return the prompt of one side of a task; empty if there is none."""
        # mteb looks first; what it does not find, sentence-transformers looks for in the same table.
        names = (*_names(role, task_type, task_name), *_FALLBACKS[role], self.default_name or "")
        return next((self.table[name] for name in names if name in self.table), "")


def _names(role: Role, task_type: str, task_name: str) -> Iterator[str]:
    """Yield the names mteb looks a prompt up by (`get_prompt_name`), most specific first."""
    for name in (task_name, task_type):
        if role != "symmetric":
            yield f"{name}-{role}"
        yield name
    if role != "symmetric":
        yield role


@dataclass(frozen=True)
class Instructions:
    """How `InstructSentenceTransformerModel` asks: the task's instruction, put into a template.

    Attributes:
        settings: `instruction_template` and, where given, `prompts_dict` and `prompt_priority` of the class.
        for_documents: Whether documents get the instruction too.
        default: Prompt the model applies of itself where it gets none.
    """

    settings: Mapping[str, Any] = field(hash=False)
    for_documents: bool = True
    default: str = ""

    def render(self, role: Role, task_type: str, task_name: str, text: str, title: str) -> tuple[str, str]:
        """See `PromptBook.render`; a title always goes in front of the text."""
        if role != "document":
            return self._instruction(role, task_type, task_name), text
        prompt = self._instruction(role, task_type, task_name) if self.for_documents else self.default
        return prompt, joined(text, title)

    @functools.cached_property
    def _asked(self) -> dict[tuple[str, str, str], str]:
        """Instructions already asked for: a task asks once a text."""
        return {}

    def _instruction(self, role: Role, task_type: str, task_name: str) -> str:
        """Let mteb's own class find and format the instruction; no model is needed for that."""
        from mteb.models.instruct_wrapper import InstructSentenceTransformerModel

        key = (role, task_type, task_name)
        if key not in self._asked:
            model = object.__new__(InstructSentenceTransformerModel)
            vars(model).update(self.settings)
            with warnings.catch_warnings():
                # A task without an instruction for one side is no news: that side goes without.
                warnings.simplefilter("ignore", UserWarning)
                metadata = task_metadata(role, task_type, task_name)
                self._asked[key] = model.get_task_instruction(metadata, prompt_type(role))
        return self._asked[key]


@dataclass(frozen=True)
class TaskTemplates:
    """How `EmbeddingGemma2Wrapper` writes: one instruction a task, and a slot for a document's title."""

    def render(self, role: Role, task_type: str, task_name: str, text: str, title: str) -> tuple[str, str]:
        """See `PromptBook.render`; the whole template is part of the text, as in mteb."""
        metadata = task_metadata(role, task_type, task_name)
        if role == "document" and metadata.type in _ASYMMETRIC:
            return "", titled(text, title)
        body = joined(text, title) if role == "document" else text
        return "", f"task: {_gemma2_instruction(role, task_type, task_name)} | query: {body}"


@functools.cache
def _gemma2_instruction(role: Role, task_type: str, task_name: str) -> str:
    """Return the instruction EmbeddingGemma 2 was evaluated with on a task, else that of the task's type."""
    from mteb.models.model_implementations.google_embeddinggemma import (
        EMBEDDING_GEMMA_2_TASK_INSTRUCTIONS,
        _task_type_instruction,
    )

    listed = EMBEDDING_GEMMA_2_TASK_INSTRUCTIONS.get(task_name)
    return str(listed or _task_type_instruction(task_metadata(role, task_type, task_name)))
