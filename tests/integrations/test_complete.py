"""Which folders are checkpoints, and which of them are whole."""

import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalsuite.integrations.complete import Settling, checkpoints_in, signature, step_of, unfinished


@pytest.fixture
def checkpoint(tiny, tmp_path):
    """A checkpoint as transformers' trainer leaves it."""
    folder = shutil.copytree(tiny, tmp_path / "checkpoint-20")
    (folder / "trainer_state.json").write_text('{"global_step": 20}')
    return folder


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(share=st.floats(0, 1, exclude_max=True))
def test_weights_of_any_shorter_length_are_not_whole(share, checkpoint):
    """However much of the file has been written, it is not taken for the file."""
    weights = checkpoint / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[: int(share * len(content))])
    try:
        assert "model.safetensors: " in unfinished(checkpoint)
    finally:
        weights.write_bytes(content)
    assert unfinished(checkpoint) == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("modules.json", None), ("modules.json", "[{"), ("config.json", '{"model_ty'),
        ("trainer_state.json", None), ("trainer_state.json", '{"global_step": 2'),
        ("model.safetensors", None), ("model.safetensors", "x" * 500), ("2_Dense/model.safetensors", ""),
        ("2_Dense/model.safetensors", None), ("2_Dense/config.json", None),
    ],
)  # fmt: skip
def test_what_a_trainer_has_not_written_yet_is_named(name, content, checkpoint):
    """A file that is missing or half written, the trainer's state included, which comes last."""
    if content is None:
        (checkpoint / name).unlink()
    else:
        (checkpoint / name).write_text(content)
    assert unfinished(checkpoint)


def test_a_missing_shard_is_named(checkpoint):
    """An index names shards; all must be there."""
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    assert unfinished(checkpoint).endswith("model-00002-of-00002.safetensors: missing")


def test_a_saved_model_needs_no_trainer_state(checkpoint):
    """Under a name that transformers does not give, sentence-transformers' own files are enough."""
    (checkpoint / "trainer_state.json").unlink()
    assert unfinished(checkpoint.rename(checkpoint.parent / "final")) == ""


def test_only_what_looks_like_a_checkpoint_is_listed(tiny, tmp_path):
    """By step as a number; a trainer's staging folder, logs and results are left out."""
    for name in (
        "checkpoint-100",
        "checkpoint-20",
        "tmp-checkpoint-30",
        ".checkpoint-5",
        "runs",
        "evalsuite",
    ):
        (tmp_path / name).mkdir()
    shutil.copytree(tiny, tmp_path / "best")
    (tmp_path / "checkpoint-7").write_text("a file")
    assert [path.name for path in checkpoints_in(tmp_path)] == ["checkpoint-20", "checkpoint-100", "best"]


def test_steps_come_from_the_name_or_from_the_trainer(checkpoint):
    """`checkpoint-20` is 20; any other name has the trainer's global step; else it is not known."""
    assert step_of(checkpoint) == 20
    renamed = checkpoint.rename(checkpoint.parent / "best")
    (renamed / "trainer_state.json").write_text('{"global_step": 33}')
    assert step_of(renamed) == 33
    (renamed / "trainer_state.json").write_text("{")
    assert step_of(renamed) is None


def test_a_folder_settles_when_nothing_changes(checkpoint):
    """The count begins at the first look, and again at each change."""
    now = 0.0
    settling = Settling(5.0, clock=lambda: now)
    seen = []
    for now, change in ((0.0, ""), (4.9, ""), (5.0, "more"), (6.0, ""), (10.9, ""), (11.0, "")):  # noqa: B007 - the clock reads it
        if change:
            (checkpoint / "more.json").write_text("{}")
        seen.append(settling.is_settled(checkpoint, signature(checkpoint)))
    assert seen == [False, False, False, False, True, True]


def test_the_signature_follows_the_files(checkpoint):
    """A longer file, a new one and one that is gone each change it; reading does not."""
    seen = [signature(checkpoint)]
    assert signature(checkpoint) == seen[0]
    extra = checkpoint / "1_Pooling" / "extra.bin"
    for content in ("a", "ab", None):
        extra.unlink() if content is None else extra.write_text(content)
        seen.append(signature(checkpoint))
    assert len(set(seen)) == 3
    assert seen[3] == seen[0]
