"""Checkpoints with rounded weights, or in another number format: never taken for one another."""

import shutil

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from evalsuite.core.errors import UsageError
from evalsuite.models.derived import check_weights, in_dtype, with_weights
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.weights import known_weights
from evalsuite.models.weights.kernels import kernel_levels

TEXTS = ["a gull on the mast", "heat flows from the warm body to the cold one"]


def test_every_level_and_table_is_another_checkpoint(gemma):
    """No two levels share a fingerprint; a table rounded as its level does is no choice of its own."""
    checkpoint = open_checkpoint(gemma)
    grids = [level for level in known_weights() if level not in kernel_levels()]
    asked = [(level, None) for level in grids] + [("q4_0", "keep"), ("q4_0", "q8_0")]
    made = {pair: with_weights(checkpoint, *pair) for pair in asked}
    assert len({each.fingerprint for each in made.values()}) == len(asked)
    assert made["native", None] is checkpoint
    assert with_weights(checkpoint, "q4_0", "q4_0").fingerprint == made["q4_0", None].fingerprint
    assert {pair: each.weights for pair, each in made.items() if pair[0] == "q4_0"} == {
        ("q4_0", None): "q4_0", ("q4_0", "keep"): "q4_0+keep", ("q4_0", "q8_0"): "q4_0+q8_0",
    }  # fmt: skip


def test_rounded_weights_give_other_vectors_and_leave_the_native_ones(gemma):
    """The rounded model is loaded for itself; the loaded native model and its files stay as they were."""
    checkpoint = open_checkpoint(gemma)
    before = checkpoint.encoder().encode(TEXTS, "")
    lower = with_weights(checkpoint, "q4_0")
    assert np.abs(lower.encoder().encode(TEXTS, "") - before).max() > 1e-4
    np.testing.assert_array_equal(checkpoint.encoder().encode(TEXTS, ""), before)
    assert lower.encoder().weight_report.level == "q4_0"
    assert open_checkpoint(gemma).fingerprint == checkpoint.fingerprint


def test_labels_tell_training_for_the_grid_from_rounding_after_it(gemma, tmp_path):
    """A folder named as Google names its exports is QAT at its own level and PTQ of it at others."""
    folder = shutil.copytree(gemma, tmp_path / "tiny-qat-q4_0-unquantized")
    labels = [with_weights(open_checkpoint(folder), level).weights_label for level in ("q4_0", "q8_0")]
    assert labels == ["q4_0 (QAT)", "q8_0 (PTQ of a q4_0 QAT export)"]
    plain = with_weights(open_checkpoint(gemma), "q4_0", "keep")
    assert plain.weights_label == "q4_0 (PTQ), token table kept"
    assert plain.label == f"{open_checkpoint(gemma).label} {plain.weights_label}"


def test_levels_are_checked_before_anything_is_opened():
    """Unknown names, no level at all, and a choice for the table without a level it could apply to."""
    assert check_weights(["native", "q4_0", "native"], "keep") == ("native", "q4_0")
    with pytest.raises(UsageError, match="unknown weight precision 'q9'"):
        check_weights(["q4_0", "q9"], None)
    with pytest.raises(UsageError, match="name at least one"):
        check_weights([], None)
    with pytest.raises(UsageError, match="goes with --weights other than native"):
        check_weights(["native"], "q4_0")


def test_what_cannot_be_rounded_says_so(gemma):
    """A model in memory keeps its weights; bfloat16 cannot hold the values of the grids."""
    with pytest.raises(UsageError, match="need a model folder or hub id"):
        with_weights(open_checkpoint(SentenceTransformer(str(gemma), device="cpu")), "q4_0")
    with pytest.raises(UsageError, match="need --dtype float32; bfloat16 cannot hold them"):
        with_weights(open_checkpoint(gemma, dtype="bfloat16"), "q4_0")


def test_another_number_format_is_another_checkpoint(gemma):
    """The same as opening the folder in it; rounded weights have no other format."""
    checkpoint = open_checkpoint(gemma)
    half = in_dtype(checkpoint, "bfloat16")
    assert half.fingerprint == open_checkpoint(gemma, dtype="bfloat16").fingerprint != checkpoint.fingerprint
    assert str(half.encoder().model.dtype) == "torch.bfloat16"
    assert in_dtype(checkpoint, "float32") is checkpoint
    with pytest.raises(ValueError, match="runs in float32 only"):
        in_dtype(with_weights(checkpoint, "q8_0"), "bfloat16")
