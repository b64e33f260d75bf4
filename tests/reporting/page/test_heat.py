"""Retention as tables of coloured numbers."""

import re

import pytest

from evalsuite.reporting.by_type import condensed
from evalsuite.reporting.page.heat import heat_maps
from evalsuite.reporting.retention import least_shade, shade
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import cells_of, checkpoint_entry, make_run, task_entry


def maps_of(run):
    """The maps of a run with one checkpoint."""
    view = build_view([run])
    return heat_maps(view.checkpoints[0], least_shade(view.panels))


def test_the_mean_comes_first_then_kinds_then_tasks(minilm):
    """A kind with a single task has no map of its own."""
    maps = maps_of(minilm)
    assert [(each.title, each.note) for each in maps] == [
        ("Mean over tasks", "3 tasks"), ("Mean over Retrieval tasks", "2 tasks"), ("SciFact", "nDCG@10"),
        ("STSb", "Cosine Spearman"), ("Standard library", "nDCG@10"),
    ]  # fmt: skip
    assert maps[2].dims == (48, 96, 192, 384)
    name, tiles = maps[2].rows[-1]
    assert (name, [tile.text for tile in tiles]) == ("binary", ["28.2", "54.9", "77.5", "90.1"])


def test_of_many_tasks_the_mean_is_over_tasks():
    """Fourteen retrieval tasks and one of similarity: one mean over fifteen, as in the recommendation."""
    run = make_run(
        [checkpoint_entry("m")],
        [*(task_entry(f"task {number}") for number in range(14)), task_entry("STSb", kind="sts")],
        [cell for number in range(14) for cell in cells_of("m", task_entry(f"task {number}"), halves(number))]
        + cells_of("m", task_entry("STSb", kind="sts"), {"float32": {384: 80.0, 96: 80.0}}),
    )
    view = build_view([run])
    maps = heat_maps(view.checkpoints[0], 0.0, crowded=True)
    assert [(each.title, each.note) for each in maps] == [
        ("Mean over tasks", "15 tasks"), ("Mean over Retrieval tasks", "14 tasks"),
        ("STSb", "Cosine Spearman"),
    ]  # fmt: skip
    shown = [each.rows[0][1][0].text for each in maps]
    summary = next(s for s in view.checkpoints[0].variants if str(s.variant) == "96/float32")
    assert shown == [f"{100 * summary.mean_retention:.1f}", "75.0", "100.0"]
    drawn = condensed(view).checkpoints[0].panels[0].at(96, "float32")
    assert drawn.retention == pytest.approx(0.75)


def halves(number):
    """Hard tasks keep a half at 96 dimensions, easy ones everything: the mean score keeps much more."""
    full = 10.0 if number % 2 else 90.0
    return {"float32": {384: full, 96: full * (0.5 if number % 2 else 1)}}


def test_failed_cells_say_so_and_spoil_the_mean(failing):
    """The reason is in the tile; a mean over fewer tasks would be another mean."""
    maps = maps_of(failing)
    failed = maps[2].rows[-1][1][0]
    assert (failed.text, failed.style) == ("failed", "")
    assert "index refused <them>" in failed.title
    assert maps[0].rows[-1][1][0].text == "failed"


def test_controls_have_no_mean(crowded):
    """They are in the maps of the tasks."""
    maps = maps_of(crowded)
    assert not any("pca" in name for name, _ in maps[0].rows)
    assert any("pca" in name for name, _ in maps[1].rows)


@pytest.mark.parametrize("kept", [number / 50 for number in range(56)])
def test_every_number_reads_on_its_tile(kept):
    """Contrast of at least 4.5:1, as WCAG measures it."""
    face, ink = shade(kept, 0.2)

    def luminance(colour):
        parts = [int(value, 16) / 255 for value in re.findall("..", colour[1:])]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(face), luminance(ink)))
    assert (high + 0.05) / (low + 0.05) >= 4.5
