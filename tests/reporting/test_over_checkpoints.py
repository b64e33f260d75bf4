"""Quality and spread over checkpoints: the order, what is drawn, and what is left out."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.reporting.by_type import condensed
from evalsuite.reporting.over_checkpoints import draw_over_checkpoints
from evalsuite.reporting.tracks import key_variants, route_of, tracks_of
from evalsuite.reporting.view import build_view
from tests.history.made_up import at, small_run, with_spread
from tests.reporting.made_up import NASTY, broken, crowded_run, mteb_run, realistic_run


def view_of(*labels, **days):
    """A view of one run a label; `days` says on which day of January a label's run ended, else its number."""
    runs = [
        at(small_run(label, lower=float(number)), f"2025-01-{days.get(label, number + 1):02d}T00:00:00Z")
        for number, label in enumerate(labels)
    ]
    return build_view(runs)


@given(st.permutations([10, 9, 200, 1000]))
def test_steps_come_in_order_of_their_number(steps):
    """Whatever the order of runs; as numbers, not as texts."""
    route = route_of(view_of(*(f"checkpoint-{step}" for step in steps)))
    assert route.ticks == ("9", "10", "200", "1000")
    assert (route.title, route.steps) == ("Training step", True)


def test_other_labels_come_in_order_of_their_runs():
    """By the time at which each run ended."""
    route = route_of(view_of("b", "c", "a", b=9, c=1, a=5))
    assert (route.labels, route.steps) == (("c", "a", "b"), False)


@pytest.mark.parametrize(
    "labels",
    [
        ("model-v1", "model-v2", "model-v3"),
        ("a-step10", "b-step20", "c-step30"),
        ("checkpoint-1", "checkpoint-01", "checkpoint-2"),
        ("checkpoint-1", "checkpoint-2", "best"),
    ],
)
def test_labels_are_steps_only_if_they_all_are_of_one_training(labels):
    """Versions, several trainings, equal steps and names are no steps."""
    assert not route_of(view_of(*labels)).steps


def test_epochs_are_called_so():
    """The axis says what is counted."""
    assert route_of(view_of("epoch_2", "epoch_1", "epoch_3")).title == "Epoch"


def test_values_are_those_of_the_runs():
    """80, 79 and 78 points at 4/float32, with their intervals, in the order of steps."""
    view = view_of("step-3", "step-2", "step-1")
    sci_fact, _ = tracks_of(view)
    (line,) = [line for line in sci_fact.lines if line.name == "4/float32"]
    assert [point[0] for point in line.points] == pytest.approx([78.0, 79.0, 80.0])
    assert line.points[0][1:] == pytest.approx((73.7, 82.3))


def test_a_failed_cell_is_a_gap_and_is_counted():
    """No line goes through it, and the foot of the axes says that a variant failed."""
    runs = [small_run(f"step-{number}") for number in (1, 2, 3)]
    runs[1] = broken(runs[1], {("SciFact", "4/binary"): "no"})
    view = build_view(runs)
    (line,) = [line for line in tracks_of(view)[0].lines if line.name == "4/binary"]
    assert [math.isnan(point[0]) for point in line.points] == [False, True, False]
    (drawing,) = draw_over_checkpoints(view)
    texts = [[text.get_text() for text in ax.texts] for ax in drawing.figure.axes]
    assert [row.count("1 failed") for row in texts] == [1, 0]


def test_two_checkpoints_are_no_line():
    """Nor are three that share no task."""
    assert draw_over_checkpoints(view_of("a", "b")) == ()
    only = [
        run.record.model_copy(update={
            "tasks": (run.record.tasks[number // 2],),
            "cells": tuple(c for c in run.record.cells if c.task == run.record.tasks[number // 2].name)})
        for number, run in enumerate(small_run(label) for label in "abc")
    ]  # fmt: skip
    runs = [type(small_run())(record, small_run().folder) for record in only]
    assert draw_over_checkpoints(build_view(runs)) == ()


def test_of_many_variants_those_that_matter_are_named():
    """Full width and the recommended one are always among at most seven; the others are grey."""
    runs = [crowded_run() for _ in range(3)]
    view = build_view(runs)
    chosen = key_variants(view)
    assert len(chosen) == 7
    assert view.checkpoints[0].full in chosen
    assert view.checkpoints[0].recommendation.chosen.variant in chosen
    assert not any(variant.for_comparison for variant in chosen)
    track = tracks_of(view)[0]
    assert (len(track.lines), len(track.grey) > 100) == (7, True)


def test_spread_has_a_panel_with_a_line_a_dimension():
    """Of one task with its interval; of several their mean, without one."""
    runs = [with_spread(small_run(f"step-{n}"), 3.0 + n) for n in (1, 2, 3)]
    track = tracks_of(build_view(runs))[-1]
    assert [line.name for line in track.lines] == ["4", "2"]
    assert track.lines[0].points[0] == pytest.approx((4.0, 3.9, 4.1))
    runs = [with_spread(run, 2.0, tasks=2) for run in runs]
    track = tracks_of(build_view(runs))[-1]
    assert track.heading.task == "Mean over 2 tasks"
    assert track.lines[0].points[0] == pytest.approx((2.0, math.nan, math.nan), nan_ok=True)


def test_a_mean_of_spread_over_fewer_tasks_is_left_out():
    """The mean over one task is not compared with the mean over two."""
    runs = [with_spread(small_run(f"step-{n}"), 3.0, tasks=1 if n == 2 else 2) for n in (1, 2, 3, 4)]
    (line, _) = tracks_of(build_view(runs))[-1].lines
    assert [math.isnan(point[0]) for point in line.points] == [False, True, False, False]


def test_spread_that_few_measured_is_not_drawn():
    """Two points are no line here either."""
    runs = [small_run("a"), with_spread(small_run("b"), 2.0), with_spread(small_run("c"), 2.0)]
    assert len(tracks_of(build_view(runs))) == 2


@pytest.mark.parametrize("count", [3, 60])
def test_it_is_drawn_the_same_each_time(count):
    """Few and many checkpoints, foreign labels: valid SVG, equal bytes, every line named."""
    runs = [with_spread(realistic_run(f"{NASTY} {n}", lower=n / 10), 3.0) for n in range(count)]
    view = build_view(runs)
    (one,), (two,) = draw_over_checkpoints(view), draw_over_checkpoints(view)
    assert one.svg == two.svg
    ElementTree.fromstring(one.svg)  # noqa: S314 - made here
    assert (one.name, len(one.figure.axes)) == ("over-checkpoints", 4)
    named = {text.get_text() for text in one.figure.axes[0].texts}
    assert {str(variant) for variant in key_variants(view)} <= named
    assert f"over {count} checkpoints" in one.caption


def test_many_tasks_are_drawn_by_kind():
    """A benchmark's condensed view gives a panel a kind of task."""
    runs = [mteb_run(30, label=f"step-{number}") for number in (1, 2, 3)]
    (drawing,) = draw_over_checkpoints(condensed(build_view(runs)))
    assert len(drawing.figure.axes) == 10
