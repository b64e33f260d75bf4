from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from mteb.models import ModelMeta
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_implementations import MODEL_REGISTRY

from evalsuite.core.errors import CheckpointError, UsageError
from evalsuite.models.mteb_model import MtebEncoder, MtebPrompts
from evalsuite.models.opening import open_checkpoint

NAME = "evalsuite-tests/only-mteb"


class OnlyMteb(AbsEncoder):
    """A model that exists only as a class of mteb's: writes down what it is asked, encodes lengths."""

    seen: ClassVar[list[Any]] = []
    loads: ClassVar[int] = 0

    def __init__(self, model_name: str, revision: str, device: str | None = None, **_: Any) -> None:
        type(self).loads += 1

    def encode(
        self, inputs: Any, *, task_metadata: Any, hf_split: str, hf_subset: str, prompt_type: Any, **_: Any
    ) -> Any:
        texts = []
        for batch in inputs:
            titles = batch.get("title", [""] * len(batch["text"]))
            bodies = batch.get("body", batch["text"])
            texts += list(zip(batch["text"], titles, bodies, strict=True))
        self.seen.append((task_metadata.name, prompt_type and prompt_type.value, texts))
        return np.array([[1.0, len(text), len(title), 0.5] for text, title, _ in texts])


def meta(**changes: Any) -> ModelMeta:
    """Describe the model to mteb."""
    empty = ModelMeta.create_empty({"name": NAME, "revision": "r1", "loader": OnlyMteb, "embed_dim": 4})
    return empty.model_copy(update=changes)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the model for one test."""
    monkeypatch.setitem(MODEL_REGISTRY, NAME, meta())
    OnlyMteb.seen, OnlyMteb.loads = [], 0


def encode(role: Any, task_type: str, task_name: str, *texts: tuple[str, str]) -> Any:
    """Send texts (title, body) of one side of a task through a checkpoint."""
    checkpoint = open_checkpoint(f"mteb:{NAME}")
    rendered = [checkpoint.prompts.render(role, task_type, task_name, body, title) for title, body in texts]
    assert len({prompt for prompt, _ in rendered}) == 1
    return checkpoint.encoder().encode([text for _, text in rendered], rendered[0][0])


def test_mteb_learns_which_side_of_which_task_a_text_is():
    """Documents come with title and body apart and joined, as in mteb's own evaluation."""
    vectors = encode("document", "Retrieval", "SciFact", ("Moon", "body"), ("", "alone"), ("", "\x1f"))
    assert OnlyMteb.seen == [
        (
            "SciFact",
            "document",
            [("Moon body", "Moon", "body"), ("alone", "", "alone"), ("\x1f".strip(), "", "\x1f")],
        )
    ]
    assert vectors.dtype == np.float32
    assert vectors[0].tolist() == [1.0, 9.0, 4.0, 0.5]


def test_queries_and_sentences_come_as_they_are():
    """No title, no role for the two sides of a comparison."""
    encode("query", "Retrieval", "SciFact", ("", " spaces "))
    encode("symmetric", "STS", "STSBenchmark", ("", "one"), ("", "two"))
    assert OnlyMteb.seen == [
        ("SciFact", "query", [(" spaces ", "", " spaces ")]),
        ("STSBenchmark", None, [("one", "", "one"), ("two", "", "two")]),
    ]


def test_untitled_documents_have_no_title_column():
    """mteb's loaders cannot take a missing title; a corpus without titles has none."""
    encode("document", "Retrieval", "SciFact", ("", "one"), ("", "two"))
    assert OnlyMteb.seen[0][2] == [("one", "", "one"), ("two", "", "two")]


def test_texts_of_two_tasks_are_never_confused():
    """The same text on two tasks is two inputs, since mteb may prompt them differently."""
    render = MtebPrompts().render
    assert render("query", "Retrieval", "A", "q", "") != render("query", "Retrieval", "B", "q", "")
    assert render("query", "Retrieval", "A", "q", "") != render("document", "Retrieval", "A", "q", "")


def test_a_model_of_mteb_is_known_by_name_and_says_so():
    """What its registry says is taken over; what nobody checked is a warning."""
    checkpoint = open_checkpoint(f"mteb:{NAME}@r1")
    assert (checkpoint.label, checkpoint.revision, checkpoint.dim) == (NAME, "r1", 4)
    assert checkpoint.dtype == "as mteb loads it"
    assert checkpoint.prompts.origin.startswith(f"mteb's loader: {NAME}, mteb 2.")
    assert "known by name and revision" in checkpoint.warnings[0]
    assert OnlyMteb.loads == 0


def test_revision_and_settings_are_part_of_the_identity(monkeypatch):
    """Another revision or another setting of the loader is another checkpoint."""
    found = {open_checkpoint(f"mteb:{NAME}").fingerprint}
    for changes in ({"revision": "r2"}, {"loader_kwargs": {"model_kwargs": {"torch_dtype": "bfloat16"}}}):
        monkeypatch.setitem(MODEL_REGISTRY, NAME, meta(**changes))
        found.add(open_checkpoint(f"mteb:{NAME}").fingerprint)
    assert len(found) == 3
    assert open_checkpoint(f"mteb:{NAME}").dtype == "bfloat16"


def test_matryoshka_dims_come_from_the_registry(monkeypatch):
    """A list of widths is a declaration; the largest is the full width."""
    monkeypatch.setitem(MODEL_REGISTRY, NAME, meta(embed_dim=[2, 4]))
    checkpoint = open_checkpoint(f"mteb:{NAME}")
    assert (checkpoint.dim, checkpoint.matryoshka_dims) == (4, (4, 2))


def test_a_width_nobody_declares_is_measured(monkeypatch):
    """The model is loaded once to see it."""
    monkeypatch.setitem(MODEL_REGISTRY, NAME, meta(embed_dim=None))
    checkpoint = open_checkpoint(f"mteb:{NAME}")
    checkpoint.encoder()
    assert (checkpoint.dim, OnlyMteb.loads) == (4, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": ["cross-encoder"]}, "is cross-encoder in mteb; evalsuite judges dense text models"),
        ({"modalities": ["image"]}, "evalsuite judges dense text models"),
        ({"loader": None}, "a model without code"),
        ({"loader_kwargs": {"trust_remote_code": True}}, "--trust-remote-code"),
    ],
)
def test_what_is_not_a_safe_dense_model_is_refused(monkeypatch, changes, message):
    """Before anything is loaded."""
    monkeypatch.setitem(MODEL_REGISTRY, NAME, meta(**changes))
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(f"mteb:{NAME}")


def test_code_of_a_checkpoint_runs_when_asked_for(monkeypatch):
    """The user's word opens it."""
    monkeypatch.setitem(MODEL_REGISTRY, NAME, meta(loader_kwargs={"trust_remote_code": True}))
    assert open_checkpoint(f"mteb:{NAME}", trust_remote_code=True).dim == 4


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("mteb:evalsuite-tests/only-mtebb", {}, "near: .*only-mteb"),
        (f"mteb:{NAME}@r9", {}, "at revision r1, not r9"),
        (f"mteb:{NAME}", {"revision": "r9"}, "at revision r1, not r9"),
        (f"mteb:{NAME}", {"prompts": "own"}, "mteb chooses prompts and dtype"),
        (f"mteb:{NAME}", {"dtype": "bfloat16"}, "mteb chooses prompts and dtype"),
    ],
)
def test_what_cannot_be_asked_of_mteb_is_explained(source, options, message):
    """Unknown names and revisions, and options that are mteb's to choose."""
    with pytest.raises(UsageError, match=message):
        open_checkpoint(source, **options)


def test_a_loader_that_fails_is_explained(monkeypatch):
    """The reason is mteb's, the name is the user's."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        message = "no such weights"
        raise OSError(message)

    monkeypatch.setitem(MODEL_REGISTRY, NAME, meta(loader=fail))
    with pytest.raises(CheckpointError, match=f"mteb:{NAME}: mteb cannot load it: no such weights"):
        open_checkpoint(f"mteb:{NAME}").encoder()


def test_tensors_come_off_their_device():
    """mteb's classes may return torch tensors of any float type."""
    import torch

    class Half:
        def encode(self, loader: Any, **_: Any) -> torch.Tensor:
            return torch.ones((1, 2), dtype=torch.bfloat16)

    vectors = MtebEncoder(Half(), batch_size=1).encode(["text"], "")
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[1.0, 1.0]]
