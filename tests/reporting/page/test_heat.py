"""Retention as tables of coloured numbers."""

import re

import pytest

from evalsuite.reporting.page.heat import heat_maps
from evalsuite.reporting.retention import least_shade, shade
from evalsuite.reporting.view import build_view


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
