"""The three figures: what is drawn, and that it reads well."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection

from evalsuite.core.run import Run
from evalsuite.reporting.by_bytes import quality_by_bytes
from evalsuite.reporting.by_dimension import dimension_caption, dimension_sheet, quality_by_dimension
from evalsuite.reporting.canvas import drawable
from evalsuite.reporting.labels import spread
from evalsuite.reporting.retention import retention_map
from evalsuite.reporting.series import Group, grouped, lines_of
from evalsuite.reporting.style import BLUE, FAMILIES, MUTED, TONES, family, line_style
from evalsuite.reporting.svg import png_bytes, svg_text
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import (
    LEVELS,
    SCIFACT,
    cells_of,
    checkpoint_entry,
    crowded_run,
    make_run,
    realistic_run,
    task_entry,
)

FIGURES = (quality_by_dimension, quality_by_bytes, retention_map)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_quality_by_dimension_has_a_line_a_precision(minilm):
    """Log2 axis with ticks at the dimensions, points on the vertical axis, every line named beside it."""
    figure = quality_by_dimension(build_view([minilm]))
    assert len(figure.axes) == 3
    ax = figure.axes[0]
    assert [line.get_label() for line in ax.lines] == ["float32", "float16", "int8", "binary"]
    assert ax.get_xscale() == "log"
    assert list(ax.get_xticks()) == [48, 96, 192, 384]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["48", "96", "192", "384"]
    assert ax.get_xlabel() == "Dimensions kept"
    assert ax.get_ylabel() == "nDCG@10 (points)"
    assert list(ax.lines[0].get_ydata()) == pytest.approx([38.05, 52.40, 61.22, 64.51])
    assert {"float32", "float16", "int8", "binary", "SciFact", "all-MiniLM-L6-v2"} <= set(texts(ax))


def test_intervals_stay_inside_the_axes(minilm):
    """No band is cut off."""
    low, high = quality_by_dimension(build_view([minilm])).axes[0].get_ylim()
    assert low < 18.20 - 4.3
    assert high > 64.51 + 4.3


def test_checkpoints_share_the_axis_of_a_task(minilm):
    """Two checkpoints on one task can be compared by eye; each begins a new row."""
    axes = quality_by_dimension(build_view([minilm, realistic_run("worse", lower=9)])).axes
    assert axes[0].get_ylim() == axes[3].get_ylim()
    assert axes[0].get_ylim() != axes[1].get_ylim()
    assert axes[3].get_position().y1 < axes[0].get_position().y0
    assert axes[3].get_position().x0 == axes[0].get_position().x0


def test_quality_by_bytes_draws_and_names_the_front(minilm):
    """The first line is the front; its ends and the recommended variant are named."""
    view = build_view([minilm])
    figure = quality_by_bytes(view)
    ax = figure.axes[0]
    assert list(ax.lines[0].get_xdata()) == [cell.bytes_per_vector for cell in view.panels[0].front]
    assert {"48/binary", "384/int8"} <= set(texts(ax))
    assert ax.get_xlabel() == "Bytes per vector"
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["float32", "float16", "int8", "binary", "Pareto front", "Recommended"]


def test_retention_map_writes_every_percentage(minilm):
    """Sixteen cells, sixteen numbers."""
    ax = retention_map(build_view([minilm])).axes[0]
    assert len(ax.patches) == 16
    assert {"100.0", "59.0", "28.2"} <= set(texts(ax))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["float32", "float16", "int8", "binary"]


def test_failed_cells_are_marked_not_hidden(failing):
    """A failed cell is hatched in the map and written at the foot of the lines."""
    view = build_view([failing])
    tiles = retention_map(view).axes[1].patches
    assert [tile.get_hatch() for tile in tiles].count("////") == 1
    assert texts(quality_by_dimension(view).axes[1]).count("failed") == 1


@pytest.mark.parametrize("draw", FIGURES)
def test_a_run_without_scores_can_be_drawn(all_failed, draw):
    """Empty axes say that they are empty."""
    figure = draw(build_view([all_failed]))
    assert {"No cell was scored", "failed"} & set(texts(figure.axes[0]))
    assert svg_text(figure)


@pytest.mark.parametrize("draw", FIGURES)
def test_the_same_run_gives_the_same_bytes(draw):
    """No date, no random id."""
    one, two = (draw(build_view([realistic_run()])) for _ in range(2))
    assert svg_text(one) == svg_text(two)
    assert png_bytes(one) == png_bytes(two)


@pytest.mark.parametrize("count", [1, 4, 10])
def test_any_number_of_tasks_fits(count):
    """Panels never overlap and never leave the figure, up to three in a row."""
    tasks = [task_entry(f"task {number} with quite a long name, longer than fits") for number in range(count)]
    cells = [cell for task in tasks for cell in cells_of("m", task, SCIFACT)]
    figure = quality_by_dimension(build_view([make_run([checkpoint_entry("m")], tasks, cells)]))
    boxes = [ax.get_position() for ax in figure.axes]
    assert len(boxes) == count
    assert all(0 < box.x0 < box.x1 < 1 and 0 < box.y0 < box.y1 < 1 for box in boxes)
    assert len({round(box.x0, 6) for box in boxes}) == {1: 1, 4: 2, 10: 3}[count]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("draw", FIGURES)
def test_foreign_names_draw_without_warning(nasty, draw):
    """Markup, formulas and letters the typeface lacks are drawn as text."""
    assert svg_text(draw(build_view([nasty])))
    assert drawable("🚀 שלום $x_1$") == "□ שלום $x_1$"


def test_one_dimension_and_one_precision_can_be_drawn():
    """The smallest grid there is."""
    task = task_entry("t")
    run = make_run([checkpoint_entry("m")], [task], cells_of("m", task, {"float32": {384: 64.5}}))
    for draw in FIGURES:
        assert svg_text(draw(build_view([run])))


def test_one_dimension_shows_its_interval_as_a_line():
    """A band has no width there, and the caption promises an interval."""
    task = task_entry("t")
    run = make_run([checkpoint_entry("m")], [task], cells_of("m", task, {"float32": {384: 64.5}}))
    bars = quality_by_dimension(build_view([run])).axes[0].collections
    segments = [segment for bar in bars if isinstance(bar, LineCollection) for segment in bar.get_segments()]
    assert [[384, pytest.approx(60.2)], [384, pytest.approx(68.8)]] in [part.tolist() for part in segments]


def test_a_gap_in_the_grid_is_left_empty(minilm):
    """Cells that nobody asked for are neither failed nor scored."""
    cells = tuple(cell for cell in minilm.record.cells if cell.variant != "96/int8")
    view = build_view([Run(minilm.record.model_copy(update={"cells": cells}), minilm.folder)])
    assert view.panels[0].at(96, "int8") is None
    assert len(retention_map(view).axes[0].patches) == 15


def extents(figure, ax):
    """Where each text of some axes is drawn, in pixels."""
    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    return {text: text.get_window_extent(renderer) for text in ax.texts if text.get_text()}


def overlaps(one, other):
    """Whether two boxes share more than a hair's breadth."""
    return one.x0 + 1 < other.x1 and other.x0 + 1 < one.x1 and one.y0 + 1 < other.y1 and other.y0 + 1 < one.y1


def test_of_many_lines_the_important_are_named_and_the_others_grey(crowded):
    """Seven lines and the controls in full, a thin line each for the rest, no other tool's scoring."""
    view = build_view([crowded])
    lines = lines_of(view)
    ax = quality_by_dimension(view).axes[0]
    assert [line.get_label() for line in ax.lines] == [*lines.controls, *lines.full]
    assert set(lines.full) | set(lines.controls) <= set(texts(ax))
    assert not any("mteb" in text for text in texts(ax))
    grey = ax.collections[0]
    assert len(grey.get_segments()) == len(lines.grey)
    assert len(ax.collections) == 1 + len(lines.full) + 1
    for control in ax.lines[:2]:
        assert control.get_color() == MUTED.light
        assert control.get_linestyle() != "-"
    caption = dimension_caption(view)
    assert f"{len(lines.grey)} more in grey; every number is in the tables." in caption


def test_without_many_lines_the_caption_stays_short(minilm):
    """What does not happen is not explained."""
    caption = dimension_caption(build_view([minilm]))
    assert "grey" not in caption
    assert "ontrols" not in caption


def test_labels_beside_lines_are_whole(crowded):
    """The longest name fits between the axes and the next panel; none overlaps another or leaves the axes."""
    view = build_view([crowded])
    figure = quality_by_dimension(view)
    sheet = dimension_sheet(view)
    for ax in figure.axes:
        axes_box = ax.get_window_extent()
        limit = axes_box.x1 + sheet.right * figure.dpi
        named = {t: box for t, box in extents(figure, ax).items() if box.x0 > axes_box.x1}
        assert len(named) == 9
        for box in named.values():
            assert box.x1 <= limit
            assert axes_box.y0 - 1 <= box.y0
            assert box.y1 <= axes_box.y1 + 1
        assert not any(overlaps(a, b) for a, b in itertools.combinations(named.values(), 2))


@pytest.mark.parametrize("which", ["crowded", "minilm"])
def test_labels_of_the_front_touch_no_tick_and_no_label(which, request):
    """Names of marks stay inside the axes, clear of each other and of the axes' numbers."""
    figure = quality_by_bytes(build_view([request.getfixturevalue(which)]))
    for ax in figure.axes:
        drawn = extents(figure, ax)
        labels = [box for text, box in drawn.items() if "/" in text.get_text()]
        ticks = [tick.get_window_extent() for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())]
        assert len(labels) >= 3
        assert not any(overlaps(a, b) for a, b in itertools.combinations(labels, 2))
        assert not any(overlaps(label, tick) for label in labels for tick in ticks)
        assert all(label.x0 >= ax.get_window_extent().x0 for label in labels)


def test_only_the_front_and_the_recommended_are_named(crowded):
    """Of two hundred marks a handful has a name."""
    view = build_view([crowded])
    chosen = str(view.checkpoints[0].recommendation.chosen.variant)
    for ax, panel in zip(quality_by_bytes(view).axes, view.panels, strict=True):
        named = {text for text in texts(ax) if "/" in text}
        assert named <= {str(cell.variant) for cell in panel.front} | {chosen}
        assert chosen in named


def test_the_legend_of_many_fits_the_figure(crowded):
    """Families instead of precisions, inside the figure even over a single panel."""
    figure = quality_by_bytes(build_view([crowded_run(tasks=1)]))
    FigureCanvasAgg(figure).draw()
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [
        "floats", "int8", "int4", "ternary, binary", "scalar (sq)", "PQ, OPQ", "RaBitQ", "TurboQuant",
        "As other tools score", "Controls", "Pareto front", "Recommended",
    ]  # fmt: skip
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1


def test_the_map_of_many_fits_a_page(crowded):
    """Rows by group, every name whole, numbers legible, no higher than a page."""
    view = build_view([crowded])
    figure = retention_map(view)
    ax = figure.axes[0]
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows == list(grouped(view.precisions))
    assert figure.get_size_inches()[1] <= 11.7
    FigureCanvasAgg(figure).draw()
    assert all(label.get_window_extent().x0 >= 0 for label in ax.get_yticklabels())
    numbers = [text for text in ax.texts if text.get_text()[0].isdigit()]
    assert all(text.get_fontsize() >= 7 for text in numbers)
    drawn = extents(figure, ax)
    column = sorted((drawn[t] for t in numbers if t.get_position()[0] == 1.5), key=lambda box: box.y0)
    assert not any(overlaps(a, b) for a, b in itertools.pairwise(column))
    assert {group.title for group in Group} <= set(texts(ax))


def test_a_map_of_levels_alone_has_no_titles(minilm):
    """Groups are named only where there are several."""
    assert not {group.title for group in Group} & set(texts(retention_map(build_view([minilm])).axes[0]))


def test_a_family_has_one_colour_and_its_members_differ():
    """float16 and its kin may stand beside float32, so floats have two colours."""
    styles = {}
    for level in LEVELS:
        for name in (level, f"{level}+asymmetric", f"{level}+rescore4"):
            look = line_style(name)
            styles[name] = (look.tone, look.marker, look.dash)
            assert look.tone in (family(name).tone, BLUE)
    assert len(set(styles.values())) == len(styles)
    assert len({kind.tone for kind in FAMILIES}) == len({kind.marker for kind in FAMILIES}) == len(FAMILIES)
    assert family("pca turboquant_3bit+asymmetric").title == "TurboQuant"
    assert family("somethingelse").title == "others"


def test_precisions_look_different_and_stay_so():
    """Known precisions differ in marker and line; unknown ones look the same every time."""
    known = ["float32", "float16", "int8", "int4", "binary"]
    assert len({line_style(name).marker for name in known}) == len(known)
    assert len({line_style(name).tone for name in known}) == len(known)
    assert line_style("pq16") == line_style("pq16")


def test_every_colour_reads_on_its_page():
    """Text colours reach 4.5:1 on white and on the dark card."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one, other):
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    surface = next(tone for tone in TONES if tone.name == "fig-surface")
    for tone in TONES:
        if tone.name not in ("fig-surface", "fig-grid"):
            assert contrast(tone.light, surface.light) >= 4.5, tone
            assert contrast(tone.dark, surface.dark) >= 4.5, tone
    assert len({tone.light for tone in TONES}) == len(TONES)


@given(st.lists(st.floats(0, 100), max_size=12), st.floats(0.1, 8))
def test_spread_labels_keep_order_and_distance(places, gap):
    """Neighbours end at least a gap apart, in their old order."""
    falling = sorted(places, reverse=True)
    spaced = spread(falling, gap, (0.0, 100.0))
    assert len(spaced) == len(falling)
    assert all(a - b >= gap * (1 - 1e-9) for a, b in itertools.pairwise(spaced))


def test_labels_with_room_stay_where_they_are():
    """Only labels that touch are moved."""
    assert spread([90.0, 50.0, 10.0], 5.0, (0.0, 100.0)) == [90.0, 50.0, 10.0]
    assert spread([50.0, 50.0], 4.0, (0.0, 100.0)) == [52.0, 48.0]
