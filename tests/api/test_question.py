"""Question: one value that every checkpoint is asked."""

import dataclasses

import pytest

from evalsuite.api.question import Question
from evalsuite.core.errors import UsageError
from evalsuite.core.run import Run
from evalsuite.models.fake import fake_checkpoint


def test_the_question_of_a_run_gives_the_run_again(finished_run, tmp_path):
    """Asked of the same model, it gives equal numbers at the same cells."""
    again = Question.of(finished_run).ask(fake_checkpoint(64), tmp_path / "again")
    columns = ["task", "variant", "metric", "value"]
    assert again.to_frame()[columns].equals(finished_run.to_frame()[columns])


def test_a_mistake_shows_before_the_training(small_tasks, tmp_path):
    """An unknown task, an unknown precision and an impossible dimension are refused at once."""
    Question(small_tasks).check()
    for question in (
        Question([tmp_path / "nowhere"]),
        Question(small_tasks, precisions=["int7"]),
        Question(small_tasks, dims=[0]),
    ):
        with pytest.raises(UsageError):
            question.check()


@pytest.mark.parametrize(
    ("change", "is_same"),
    [({"batch_size": 8}, True), ({"device": "cpu"}, True), ({"dims": [8]}, False), ({"seed": 1}, False),
     ({"tasks": ["other"]}, False), ({"dtype": "bfloat16"}, False)],
)  # fmt: skip
def test_the_digest_tells_questions_apart(change, is_same):
    """What changes numbers changes it; where and how fast the model runs does not."""
    question = Question(["near-miss"])
    assert (dataclasses.replace(question, **change).digest == question.digest) is is_same


def test_lists_and_tuples_are_one_question(tmp_path):
    """So is a path, given as a path or as a text."""
    assert Question([tmp_path], dims=[8, 4]).digest == Question((str(tmp_path),), dims=(8, 4)).digest


def test_all_that_changes_numbers_is_read_from_a_run(finished_run):
    """Precisions of the weights, spread and search are asked again; the device is this machine's business."""
    record = finished_run.record
    asked = record.asked.model_copy(
        update={"spread": False, "ann": True, "device": "cuda:7", "quantize_embeddings": "keep"}
    )
    (entry,) = record.checkpoints
    changes = {"asked": asked, "checkpoints": (entry.model_copy(update={"weights": "q4_0+keep"}),)}
    question = Question.of(Run(record.model_copy(update=changes), finished_run.folder))
    assert (question.spread, question.ann, question.device) == (False, True, None)
    assert (tuple(question.weights), question.quantize_embeddings) == (("q4_0",), "keep")
    assert Question.of(Run(record.model_copy(update={"asked": asked}), finished_run.folder)) == Question(
        asked.tasks, asked.dims, asked.precisions, spread=False, ann=True
    )
