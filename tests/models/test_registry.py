from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import mteb
import mteb.mocks
import pytest
from datasets import Dataset, disable_progress_bars, enable_progress_bars
from mteb._create_dataloaders import create_dataloader
from mteb.models.model_implementations import MODEL_REGISTRY

from evalsuite.core.errors import UsageError
from evalsuite.models.mteb_tasks import prompt_type, task_metadata
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.prompts import EMBEDDINGGEMMA_PROMPTS, PromptBook, Role
from evalsuite.models.registry import choose_prompts, mteb_version
from tests.models.recording import RecordingModel

COMMIT = "0123456789abcdef0123456789abcdef01234567"

SIDES: list[tuple[str, Role]] = [
    ("SciFact", "query"),
    ("SciFact", "document"),
    ("ArguAna", "query"),
    ("ArguAna", "document"),
    ("CodeSearchNetRetrieval", "query"),
    ("CodeSearchNetRetrieval", "document"),
    ("Core17InstructionRetrieval", "query"),
    ("Core17InstructionRetrieval", "document"),
    ("AskUbuntuDupQuestions", "query"),
    ("AskUbuntuDupQuestions", "document"),
    ("STSBenchmark", "symmetric"),
    ("Banking77Classification", "symmetric"),
    ("TwentyNewsgroupsClustering.v2", "symmetric"),
    ("SprintDuplicateQuestions", "symmetric"),
    ("BornholmBitextMining", "symmetric"),
    ("SummEvalSummarization.v2", "symmetric"),
    ("CEDRClassification", "symmetric"),
    ("MockRetrievalTask", "query"),
    ("MockRetrievalTask", "document"),
    ("MockSTSTask", "symmetric"),
]
MODELS: list[tuple[str, Mapping[str, str], str | None]] = [
    ("google/embeddinggemma-300m", EMBEDDINGGEMMA_PROMPTS, None),
    ("google/embeddinggemma-2", {"query": "never used", "document": "never used"}, None),
    ("intfloat/multilingual-e5-small", {}, None),
    ("intfloat/multilingual-e5-large-instruct", {}, None),
    ("intfloat/multilingual-e5-large-instruct", {"general": "text: "}, "general"),
    ("Qwen/Qwen3-Embedding-0.6B", {"query": "Instruct: given\nQuery:", "document": ""}, None),
    ("sentence-transformers/all-MiniLM-L6-v2", {}, None),
    ("sentence-transformers/all-MiniLM-L6-v2", {"passage": "p: ", "general": "g: "}, "general"),
    ("Linq-AI-Research/Linq-Embed-Mistral", {}, None),
    ("BAAI/bge-small-en-v1.5", {}, None),
]
DOCUMENTS = [("Moon", "It circles the Earth."), ("", "No title here."), ("  ", " spaces ")]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No progress bars, and none of the warnings mteb gives about prompts it does not know."""
    disable_progress_bars()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    enable_progress_bars()


def what_mteb_sends(
    monkeypatch: pytest.MonkeyPatch, name: str, model: RecordingModel, task: str, role: Role
) -> list[tuple[str, str]]:
    """Run mteb's own model class over a recording model; return prompt and text of every input."""
    monkeypatch.setattr("sentence_transformers.SentenceTransformer", lambda *_, **__: model)
    meta = MODEL_REGISTRY[name]
    metadata = task_metadata(role, mteb_type(task), task)
    wrapper: Any = meta.loader(name, revision=meta.revision, **meta.loader_kwargs)
    columns = {"id": ["0", "1", "2"], "text": [body for _, body in DOCUMENTS]}
    if role == "document":
        columns["title"] = [title for title, _ in DOCUMENTS]
    rows = Dataset.from_dict(columns)
    column = "text" if role == "symmetric" else None
    loader = create_dataloader(
        rows, task_metadata=metadata, prompt_type=prompt_type(role), input_column=column
    )
    wrapper.encode(
        loader, task_metadata=metadata, hf_split="test", hf_subset="default", prompt_type=prompt_type(role)
    )
    return model.seen


def mteb_type(task: str) -> str:
    """Return the type of a task, also of a mock task."""
    known = {each.metadata.name: each.metadata.type for each in mteb.mocks.MOCK_TASK_TEST_GRID}
    return str(known.get(task) or mteb.get_task(task).metadata.type)


@pytest.mark.parametrize(("name", "own", "default"), MODELS)
def test_every_text_reaches_the_encoder_as_in_mteb(monkeypatch, name, own, default):
    """For each model class, task type and side: the prompt and the text are those mteb's own class sends."""
    book, _ = choose_prompts(name, "", PromptBook(own, "checkpoint", default))
    for task, role in SIDES:
        sent = what_mteb_sends(monkeypatch, name, RecordingModel(own, default), task, role)
        rendered = [
            book.render(role, mteb_type(task), task, body, title if role == "document" else "")
            for title, body in DOCUMENTS
        ]
        assert rendered == sent, (task, role)


@pytest.mark.parametrize(
    ("name", "role", "expected"),
    [
        ("google/embeddinggemma-300m", "query", ("task: search result | query: ", "body")),
        ("google/embeddinggemma-300m", "document", ("title: none | text: ", "Moon body")),
        ("google/embeddinggemma-2", "document", ("", "title: Moon | text: body")),
        ("intfloat/multilingual-e5-small", "document", ("passage: ", "Moon body")),
        ("intfloat/multilingual-e5-large-instruct", "document", ("", "Moon body")),
        (
            "intfloat/multilingual-e5-large-instruct",
            "query",
            (
                "Instruct: Given a scientific claim, retrieve documents that support or refute the claim"
                "\nQuery: ",
                "body",
            ),
        ),
    ],
)
def test_known_prompts_of_scifact(name, role, expected):
    """Written out by hand: what five models get on SciFact."""
    book, _ = choose_prompts(name, "", PromptBook(EMBEDDINGGEMMA_PROMPTS, "checkpoint"))
    title = "Moon" if role == "document" else ""
    assert book.render(role, "Retrieval", "SciFact", "body", title) == expected


def test_a_task_of_ones_own_gets_the_instruction_of_its_type():
    """mteb has no task of that name; its type, or the card's finer type, decides."""
    gemma2, _ = choose_prompts("google/embeddinggemma-2", "", PromptBook())
    e5, _ = choose_prompts("intfloat/multilingual-e5-large-instruct", "", PromptBook())
    assert e5.render("query", "Retrieval", "docs", "q") == (
        "Instruct: Retrieve text based on user query.\nQuery: ",
        "q",
    )
    assert e5.render("symmetric", "STS", "pairs", "q")[0].startswith(
        "Instruct: Retrieve semantically similar"
    )
    for task_type, instruction in [
        ("Retrieval", "search result"),
        ("CodeRetrieval", "code retrieval"),
        ("FactChecking", "fact checking"),
        ("QuestionAnswering", "question answering"),
        ("SomethingNew", "search result"),
    ]:
        assert gemma2.render("query", task_type, "mine", "q") == ("", f"task: {instruction} | query: q")
    assert gemma2.render("symmetric", "Unheard", "mine", "s") == ("", "task: sentence similarity | query: s")


def test_a_task_of_another_type_is_another_task():
    """Somebody's own STS task called SciFact does not get SciFact's instruction."""
    e5, _ = choose_prompts("intfloat/multilingual-e5-large-instruct", "", PromptBook())
    assert "scientific claim" not in e5.render("symmetric", "STS", "SciFact", "s")[0]


def test_a_hub_model_takes_the_prompts_of_the_registry(tmp_path, gemma, monkeypatch):
    """By default for a hub id the registry has; `own` and unknown ids take the checkpoint's."""
    for name in ("intfloat--multilingual-e5-small", "org--unheard"):
        repository = tmp_path / "cache" / f"models--{name}"
        shutil.copytree(gemma, repository / "snapshots" / COMMIT)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    known = open_checkpoint("intfloat/multilingual-e5-small")
    assert known.prompts.origin == f"mteb registry: intfloat/multilingual-e5-small, mteb {mteb_version()}"
    assert known.prompts.render("query", "Retrieval", "t", "text") == ("query: ", "text")
    own = open_checkpoint("intfloat/multilingual-e5-small", prompts="own")
    assert own.prompts == open_checkpoint("org/unheard").prompts == open_checkpoint(gemma).prompts
    assert own.fingerprint == open_checkpoint(gemma).fingerprint != known.fingerprint


def test_a_fine_tune_can_take_the_prompts_of_a_registered_model(gemma):
    """A folder, and a model in memory, follow the registry only when asked to."""
    asked = open_checkpoint(gemma, prompts="google/embeddinggemma-2")
    assert asked.prompts.render("document", "Retrieval", "t", "body", "Moon") == (
        "",
        "title: Moon | text: body",
    )
    assert open_checkpoint(gemma).prompts.recipe is None
    loaded = open_checkpoint(asked.encoder().model, prompts="google/embeddinggemma-2")
    assert loaded.prompts == asked.prompts


def test_the_fingerprint_knows_the_recipe(gemma):
    """Other prompts are another checkpoint, and equal prompts the same one."""
    names = ("own", "google/embeddinggemma-2", "Qwen/Qwen3-Embedding-0.6B", "intfloat/multilingual-e5-small")
    found = [open_checkpoint(gemma, prompts=name).fingerprint for name in names]
    assert len(set(found)) == len(names)
    assert open_checkpoint(gemma, prompts=names[1]).fingerprint == found[1]


def test_what_a_record_shows_of_a_recipe_is_text():
    """Templates and tables are written out; a table too long for a record by its size and content."""
    for name, _, _ in MODELS:
        book, _ = choose_prompts(name, "", PromptBook())
        assert all(isinstance(text, str) for text in book.prompts.values())
        json.dumps(dict(book.prompts))
    assert choose_prompts("Qwen/Qwen3-Embedding-0.6B", "", PromptBook())[0].prompts == {
        "instruction template": "Instruct: {instruction}\nQuery:",
        "documents": "without instruction",
    }


def test_an_unknown_name_gets_near_matches(gemma):
    """The message names what was asked for and what was probably meant."""
    with pytest.raises(UsageError, match=r"'google/embeding-gemma-300m'.*near: .*google/embeddinggemma-300m"):
        open_checkpoint(gemma, prompts="google/embeding-gemma-300m")


def test_a_class_that_cannot_be_followed_is_said():
    """Asked for by name it is an error; by default the checkpoint's own prompts, and a warning."""
    own = PromptBook({"query": "q: "}, "checkpoint")
    with pytest.raises(UsageError, match=r"NomicWrapper.*open mteb:nomic-ai/nomic-embed-text-v1.5"):
        choose_prompts("nomic-ai/nomic-embed-text-v1.5", "", own)
    book, notes = choose_prompts("auto", "nomic-ai/nomic-embed-text-v1.5", own)
    assert book == own
    assert "the prompts are the checkpoint's own" in notes[0]


def test_other_settings_of_the_registry_are_not_applied_and_that_is_said():
    """Prompts come from the registry; what else mteb would set is named."""
    name = next(
        each
        for each, meta in MODEL_REGISTRY.items()
        if getattr(meta.loader, "__name__", "") == "InstructSentenceTransformerModel"
        and "max_seq_length" in meta.loader_kwargs
    )
    _, notes = choose_prompts(name, "", PromptBook())
    assert "max_seq_length=" in notes[0]
    assert "is not applied" in notes[0]


def test_without_mteb_hub_models_keep_their_own_prompts(monkeypatch):
    """mteb is not needed to open a hub model; asking for its registry says how to install it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("importlib.metadata.version", _no_package)
    own = PromptBook({"query": "q: "}, "checkpoint")
    assert choose_prompts("auto", "google/embeddinggemma-300m", own) == (own, ())
    with pytest.raises(UsageError, match=r'pip install "evalsuite\[mteb\]"'):
        choose_prompts("google/embeddinggemma-300m", "", own)


def _no_package(name: str) -> str:
    import importlib.metadata

    raise importlib.metadata.PackageNotFoundError(name)
