"""Prompts as mteb's registry of models prescribes them.

mteb is imported only when somebody asks for a model it may know.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Mapping
from typing import Any

from evalsuite.core.errors import UsageError, known_names
from evalsuite.models.prompts import PromptBook, Recipe
from evalsuite.models.recipes import Instructions, NamedPrompts, TaskTemplates

AUTO, OWN = "auto", "own"
"""Take the registry's prompts for a hub model it knows, or always the checkpoint's own."""

_SENTENCE_TRANSFORMERS = (
    "SentenceTransformerEncoderWrapper",
    "SentenceTransformerMultimodalEncoderWrapper",
    "sentence_transformers_loader",
)
"""Loaders of mteb that look prompts up by name."""

_NOT_PROMPTS = ("max_seq_length", "include_prompt", "add_eos_token", "padding_side")
"""Settings of mteb's loader that change vectors and are not applied here."""


def mteb_version() -> str:
    """Return the version of the installed mteb.

    Raises:
        UsageError: If mteb is not installed.
    """
    try:
        return importlib.metadata.version("mteb")
    except importlib.metadata.PackageNotFoundError as error:
        message = 'mteb is not installed; run: pip install "evalsuite[mteb]"'
        raise UsageError(message) from error


def registered(name: str) -> Any:
    """Return mteb's `ModelMeta` of a model, or None if its registry does not have it or mteb is missing."""
    if importlib.util.find_spec("mteb") is None:
        return None
    from mteb.models.model_implementations import MODEL_REGISTRY

    return MODEL_REGISTRY.get(name)


def choose_prompts(asked: str, hub_id: str, own: PromptBook) -> tuple[PromptBook, tuple[str, ...]]:
    """Choose between a checkpoint's own prompts and those of mteb's registry.

    Args:
        asked: `auto`, `own`, or the name of a model in the registry.
        hub_id: Name of the model on the hub; empty for folders and loaded models.
        own: The checkpoint's own prompts.

    Returns:
        The book, and what a careful reader should know about it, one sentence each.

    Raises:
        UsageError: If the registry does not have the model asked for, or mteb prepares its texts in a way
            that no book follows.
    """
    if asked == OWN or (asked == AUTO and not hub_id):
        return own, ()
    name = hub_id if asked == AUTO else asked
    meta = registered(name)
    if meta is None and asked == AUTO:
        return own, ()
    if meta is None:
        raise UsageError(unknown_model(f"prompts are asked for by {name!r}", name))
    recipe = _recipe(meta, own)
    if recipe is None:
        reason = f"mteb prepares the texts of {name} in code of its own ({_loader_name(meta)})"
        if asked == AUTO:
            return own, (f"{reason}; the prompts are the checkpoint's own, mteb:{name} follows mteb",)
        message = f"{reason}; open mteb:{name} to run that code, or use prompts='own'"
        raise UsageError(message)
    origin = f"mteb registry: {name}, mteb {mteb_version()}"
    return PromptBook(_described(recipe), origin, own.default_name, recipe), tuple(_not_applied(name, meta))


def unknown_model(what: str, name: str) -> str:
    """Say that mteb's registry does not have a model, and which names are near.

    Args:
        what: Start of the sentence.
        name: The name looked for.

    Raises:
        UsageError: If mteb is not installed.
    """
    mteb_version()
    from mteb.models.model_implementations import MODEL_REGISTRY

    endings = {each.rpartition("/")[2].casefold(): each for each in MODEL_REGISTRY}
    near = difflib.get_close_matches(name.rpartition("/")[2].casefold(), endings, n=3)
    return (
        f"{what}, which is not in mteb's registry of models; near: {known_names([endings[e] for e in near])}"
    )


def _recipe(meta: Any, own: PromptBook) -> Recipe | None:
    """Return what follows the class that mteb loads a model with; None if that class is not known here."""
    settings, loader = meta.loader_kwargs, _loader_name(meta)
    default = own.prompts.get(own.default_name or "", "")
    if loader == "EmbeddingGemma2Wrapper":
        return TaskTemplates()
    if loader == "InstructSentenceTransformerModel":
        return Instructions(
            _instruct_settings(settings), settings.get("apply_instruction_to_passages", True), default
        )
    if loader == "q3e_instruct_loader":
        from mteb.models.model_implementations.qwen3_models import instruction_template

        return Instructions({"instruction_template": instruction_template}, False, default)
    if loader in _SENTENCE_TRANSFORMERS:
        # The prompts of a loaded model always name both sides, empty where the checkpoint has none.
        table = settings.get("model_prompts") or {"query": "", "document": "", **own.prompts}
        return NamedPrompts(table, own.default_name)
    return None


def _instruct_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what decides an instruction out of a loader's settings."""
    found = {key: settings[key] for key in ("instruction_template", "prompts_dict") if settings.get(key)}
    if settings.get("prompt_priority"):
        from mteb.models.abs_encoder import PromptSource

        found["prompt_priority"] = [PromptSource.from_str(each) for each in settings["prompt_priority"]]
    return found


def _described(recipe: Recipe) -> dict[str, str]:
    """Write a recipe as texts, for the record and the fingerprint."""
    if isinstance(recipe, NamedPrompts):
        return dict(recipe.table)
    if isinstance(recipe, Instructions):
        template = recipe.settings.get("instruction_template", "")
        prompts = recipe.settings.get("prompts_dict") or {}
        return {
            "instruction template": template if isinstance(template, str) else _called(template),
            "documents": "with instruction" if recipe.for_documents else "without instruction",
            **{key: text if isinstance(text, str) else json.dumps(text) for key, text in prompts.items()},
        }
    return {
        "query": "task: {instruction} | query: ",
        "document": "title: {title} | text: ",
        "task instructions": _table_digest(),
    }


def _called(template: Any) -> str:
    """Show what a template that is a function makes of a query's instruction."""
    from mteb.types import PromptType

    return str(template("{instruction}", PromptType.query))


def _table_digest() -> str:
    """Describe EmbeddingGemma 2's table, too long for a record, by its size and content."""
    from mteb.models.model_implementations.google_embeddinggemma import EMBEDDING_GEMMA_2_TASK_INSTRUCTIONS

    table: Mapping[str, str] = EMBEDDING_GEMMA_2_TASK_INSTRUCTIONS
    content = json.dumps(dict(table), sort_keys=True).encode()
    return f"{len(table)} by task, sha256 {hashlib.sha256(content).hexdigest()}"


def _not_applied(name: str, meta: Any) -> list[str]:
    """Say which of mteb's other settings for a model are not followed."""
    found = {key: meta.loader_kwargs[key] for key in _NOT_PROMPTS if key in meta.loader_kwargs}
    if not found:
        return []
    settings = ", ".join(f"{key}={value}" for key, value in found.items())
    return [f"mteb loads {name} with {settings}, which is not applied; mteb:{name} follows mteb in all"]


def _loader_name(meta: Any) -> str:
    """Name the class or function that loads a model."""
    loader = getattr(meta.loader, "func", meta.loader)
    return str(getattr(loader, "__name__", loader))
