"""Quantized after training and trained for it are never written the same."""

import itertools

import pytest

from evalsuite.models.weights import known_weights, trained_for, weight_label


@pytest.mark.parametrize(
    ("source", "level"),
    [
        ("google/embeddinggemma-300m-qat-q4_0-unquantized", "q4_0"),
        ("google/embeddinggemma-300m-qat-q8_0-unquantized", "q8_0"),
        ("/models/My_QAT_Q8_0", "q8_0"),
        ("google/embeddinggemma-300m", None),
        ("someone/aqat-q4_0", None),
        ("someone/qat-q4_05", None),
        ("someone/model-q4_0", None),
    ],
)
def test_names_say_what_a_checkpoint_was_trained_for(source, level):
    """Only `qat` with a level counts."""
    assert trained_for(source) == level


def test_every_pair_has_its_own_label():
    """No two (level, trained for) pairs share a label."""
    pairs = list(itertools.product(known_weights(), [None, "q4_0", "q8_0"]))
    assert len({weight_label(*pair) for pair in pairs}) == len(pairs)


def test_labels():
    """The words of a table."""
    assert weight_label("native") == "native"
    assert weight_label("native", "q4_0") == "native (of a q4_0 QAT export)"
    assert weight_label("q4_0") == "q4_0 (PTQ)"
    assert weight_label("q4_0", "q4_0") == "q4_0 (QAT)"
    assert weight_label("q8_0", "q4_0") == "q8_0 (PTQ of a q4_0 QAT export)"
