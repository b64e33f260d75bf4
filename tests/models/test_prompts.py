from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import CheckpointError
from evalsuite.models.prompts import EMBEDDINGGEMMA_PROMPTS, PromptBook

CATALOGUE = PromptBook(EMBEDDINGGEMMA_PROMPTS, "embeddinggemma catalogue")


def book(**prompts: str) -> PromptBook:
    return PromptBook({name.replace("_", "-"): text for name, text in prompts.items()}, "checkpoint")


@pytest.mark.parametrize(
    ("role", "task_type", "expected"),
    [
        ("query", "Retrieval", "task: search result | query: "),
        ("query", "Reranking", "task: search result | query: "),
        ("query", "QuestionAnswering", "task: question answering | query: "),
        ("query", "FactChecking", "task: fact checking | query: "),
        ("query", "InstructionRetrieval", "task: code retrieval | query: "),
        ("symmetric", "STS", "task: sentence similarity | query: "),
        ("symmetric", "Clustering", "task: clustering | query: "),
        ("symmetric", "Classification", "task: classification | query: "),
        ("symmetric", "Summarization", "task: summarization | query: "),
        ("document", "Reranking", "title: none | text: "),
        ("document", "QuestionAnswering", "title: none | text: "),
    ],
)
def test_the_catalogue_is_that_of_the_model_card(role, task_type, expected):
    """Each use gets the prompt the EmbeddingGemma model card lists for it."""
    assert CATALOGUE.lookup(role, task_type, "any") == expected


def test_lookup_goes_from_the_most_specific_name_to_the_role():
    """Task and role, then task, then type and role, then type, then role."""
    names = ["Sci-query", "Sci", "Retrieval-query", "Retrieval", "query"]
    prompts = {name: f"<{name}>" for name in names}
    for name in names:
        assert PromptBook(prompts).lookup("query", "Retrieval", "Sci") == f"<{name}>"
        del prompts[name]
    assert PromptBook(prompts).lookup("query", "Retrieval", "Sci") == ""


@pytest.mark.parametrize("name", ["document", "passage", "corpus"])
def test_documents_know_all_three_names_of_their_role(name):
    """A model that calls its document prompt passage or corpus is understood."""
    assert book(query="query: ", **{name: "passage: "}).lookup("document", "Retrieval", "Sci") == "passage: "


def test_documents_do_not_get_the_prompt_of_queries():
    """The bare type's prompt is the query's; documents prefer the prompt of their role."""
    prompts = book(Retrieval="find: ", document="doc: ")
    assert prompts.lookup("document", "Retrieval", "Sci") == "doc: "
    assert prompts.lookup("query", "Retrieval", "Sci") == "find: "
    assert PromptBook({"query": "q: "}, "checkpoint", "query").lookup("document", "Retrieval", "Sci") == ""


def test_comparisons_take_no_prompt_of_a_role():
    """Two sentences compared with each other are neither query nor document."""
    assert book(query="query: ", document="doc: ").lookup("symmetric", "STS", "stsb") == ""


def test_the_default_prompt_applies_when_nothing_else_fits():
    """A declared default is used last, as sentence-transformers does."""
    declared = {"prompts": {"general": "text: "}, "default_prompt_name": "general"}
    prompts = PromptBook.from_config(declared, gemma_encoder=False, where="model")
    assert prompts.lookup("symmetric", "STS", "stsb") == "text: "


def test_a_title_fills_the_slot_of_the_gemma_prompt():
    """Titled and untitled documents take one path: an empty prompt, all in the text."""
    assert CATALOGUE.render("document", "Retrieval", "t", "body", "Moon") == ("", "title: Moon | text: body")
    assert CATALOGUE.render("document", "Retrieval", "t", "body") == ("", "title: none | text: body")


def test_other_models_get_title_and_text():
    """As in BEIR: one space between, nothing when there is no title."""
    assert book(passage="p: ").render("document", "Retrieval", "t", "body", "Moon") == ("p: ", "Moon body")
    assert PromptBook().render("document", "Retrieval", "t", "body") == ("", "body")


@given(text=st.text(), role=st.sampled_from(["query", "symmetric"]))
def test_queries_and_sentences_are_never_altered(text, role):
    """Only documents are rewritten; any other text comes back as it was."""
    assert CATALOGUE.render(role, "Retrieval", "t", text)[1] == text


def test_empty_prompts_count_as_none():
    """A checkpoint that declares only empty prompts declares none; a Gemma encoder gets the catalogue."""
    declared = {"prompts": {"query": "", "document": None}}
    assert PromptBook.from_config(declared, gemma_encoder=False, where="m") == PromptBook()
    assert PromptBook.from_config(declared, gemma_encoder=True, where="m") == CATALOGUE


def test_malformed_prompts_are_named():
    """A prompt that is not text is a clear error."""
    with pytest.raises(CheckpointError, match=r"config.json: `prompts` must map names to texts"):
        PromptBook.from_config({"prompts": {"query": 3}}, gemma_encoder=False, where="config.json")
