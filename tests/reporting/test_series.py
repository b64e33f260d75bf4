"""Groups of series, and the few of many that matter most."""

import pytest

from evalsuite.core.variant import Variant
from evalsuite.reporting.series import (
    FEW,
    PLAIN_LEVELS,
    Group,
    by_dimension,
    group_of,
    grouped,
    key_series,
    lines_of,
    remark,
    shipped,
)
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import broken, crowded_run


@pytest.mark.parametrize(
    ("text", "group", "words"),
    [
        ("256/int8", Group.LEVEL, ""),
        ("256/int8+asymmetric", Group.ASYMMETRIC, ""),
        ("256/binary+rescore4:int8", Group.RESCORED, ""),
        ("256/int8+mteb", Group.PROTOCOL, "as mteb scores it"),
        ("256/int8+hakari_rescore", Group.PROTOCOL, "as HAKARI-Bench scores it, rescored"),
        ("pca256/int8", Group.CONTROL, "control: principal components"),
        ("random256/int8+sbert", Group.CONTROL,
         "control: dimensions at random, as sentence-transformers scores it"),
    ],
)  # fmt: skip
def test_every_variant_has_a_group(text, group, words):
    """A control is a control however it is scored; what can be shipped needs no remark."""
    variant = Variant.parse(text)
    assert group_of(variant) is group
    assert remark(variant) == words
    assert bool(words) == variant.for_comparison


def test_groups_stand_together_and_keep_their_order():
    """Levels, asymmetric, rescored, protocols, controls."""
    names = ["pca int8", "int8+mteb", "binary+rescore4", "int8", "int8+asymmetric", "float32"]
    assert grouped(names) == (
        "int8", "float32", "int8+asymmetric", "binary+rescore4", "int8+mteb", "pca int8"
    )  # fmt: skip
    assert shipped(names) == ("binary+rescore4", "int8", "int8+asymmetric", "float32")


def test_a_few_series_all_matter(minilm):
    """Nothing is left out while all can be told apart."""
    view = build_view([minilm])
    assert key_series(view, FEW) == view.precisions
    assert lines_of(view).grey == ()


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 8])
def test_of_many_the_reference_and_the_recommended_come_first(crowded, limit):
    """No more than asked for, in the run's order, without controls and other tools' scoring."""
    view = build_view([crowded])
    names = key_series(view, limit)
    assert len(names) == len(set(names)) <= limit
    assert "float32" in names
    assert list(names) == [name for name in view.precisions if name in names]
    assert set(names) <= set(shipped(view.precisions))
    if limit > 1:
        assert view.checkpoints[0].recommendation.chosen.variant.series in names


def test_the_front_comes_before_the_plain_levels(crowded):
    """Who is on a front most often is chosen first; well-known levels fill the room that is left."""
    view = build_view([crowded])
    front = {cell.variant.series for panel in view.panels for cell in panel.front}
    names = set(key_series(view, FEW))
    assert front <= names or len(names) == FEW
    wide = set(key_series(view, len(front | set(PLAIN_LEVELS))))
    assert front | set(PLAIN_LEVELS) <= wide


def test_without_any_score_the_first_are_taken():
    """Even a run in which all failed shows something."""
    run = crowded_run()
    view = build_view([broken(run, {(c.task, c.variant): "no memory" for c in run.record.cells})])
    assert len(key_series(view, FEW)) == 5
    assert set(key_series(view, FEW)) == set(PLAIN_LEVELS)


def test_every_series_has_one_place_in_a_picture(crowded):
    """In full, a control, grey, or counted as absent."""
    view = build_view([crowded])
    lines = lines_of(view)
    assert len(lines.full) == FEW
    assert lines.controls == ("pca float32", "random float32")
    assert len(lines.full) + len(lines.controls) + len(lines.grey) + lines.absent == len(view.precisions)
    assert lines.absent == 4
    assert not set(lines.full) & set(lines.grey)


def test_dimensions_fall_and_groups_follow_within(crowded):
    """A control of 256 dimensions stands with the 256 dimensions, last."""
    sorted_cells = by_dimension(build_view([crowded]).panels[0].cells.values())
    assert list(sorted_cells) == [384, 256, 128, 64]
    groups = [group_of(cell.variant) for cell in sorted_cells[256]]
    assert groups == sorted(groups)
    assert groups[-1] is Group.CONTROL
