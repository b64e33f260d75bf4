"""Figures of an ablation: every effect and dose is in them, and what is not there is not drawn."""

import re

import pytest

from evalsuite.core.ablation import AblationReport, Comparison, Dose, Effect
from evalsuite.reporting.of_ablation import MOST_TASKS, draw_ablation

WEIGHTS = {"without": 0.0, "some": 3.0, "more": 30.0}


def effect(treated, quantity="quality", dim=64, precision="float32", p=0.5, **more):
    return Effect(
        quantity=quantity, task="mean over tasks", name="main metrics", dim=dim, precision=precision,
        control=50.0, treated=50.0 + treated, difference=treated, lower=treated - 1, upper=treated + 1,
        p=p, seeds=3, n=9,
    ).model_copy(update=more)  # fmt: skip


def dose(arm, task, dim=64, **more):
    return Dose(
        quantity="quality", task=task, name="ndcg@10", dim=dim, precision="float32",
        weight=WEIGHTS[arm], arm=arm, values=(50.0, 52.0),
    ).model_copy(update=more)  # fmt: skip


def report(effects=(), doses=()):
    comparison = Comparison(treated="more", control="without", effects=tuple(effects))
    return AblationReport(recipe="r", arms=(), comparisons=(comparison,), doses=tuple(doses), method="m")


def test_effects_are_drawn_by_kind_and_dimension():
    """A panel a kind of number, a row a dimension, marks filled only where an effect is significant."""
    effects = [
        effect(0.3), effect(-0.4, dim=32, p=0.001), effect(2.0, "retention", precision="binary"),
        effect(-3.0, "spread", name="document second_moment_x_dim"),
        effect(9.0, "retention", precision="float32"),
    ]  # fmt: skip
    (drawn,) = draw_ablation(report(effects))
    titles = [ax.get_title(loc="left") for ax in drawn.figure.axes]
    assert titles == ["M2·d of documents", "float32, points", "binary keeps, change in %"]
    marks = [line for line in drawn.figure.axes[1].lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [(0.3, 0.0), (-0.4, 1.0)]
    hollow, filled = (line.get_markerfacecolor() for line in marks)
    assert hollow == "#ffffff" != filled
    assert "more minus without" in drawn.document


def test_one_task_stands_for_itself():
    """Without means over tasks the task's own effects are drawn."""
    (drawn,) = draw_ablation(report([effect(0.3, task="harbour")]))
    assert len(drawn.figure.axes) == 1


def test_doses_are_drawn_from_three_weights_on():
    """A row a task, means over seeds at evenly spaced weights; a panel without numbers is left out."""
    doses = [dose(arm, task, dim) for arm in WEIGHTS for task in ("a", "b") for dim in (64, 32)]
    doses += [dose(arm, "a", quantity="retention", precision="binary") for arm in WEIGHTS]
    (drawn,) = draw_ablation(report(doses=doses))
    assert [ax.get_visible() for ax in drawn.figure.axes] == [True, True, True, False]
    curve = drawn.figure.axes[0].containers[0].lines[0]
    assert curve.get_xdata().tolist() == [0, 1, 2]
    assert curve.get_ydata().tolist() == [51.0, 51.0, 51.0]
    assert draw_ablation(report(doses=[each for each in doses if each.arm != "some"])) == ()


def test_many_tasks_stay_one_figure():
    """Rows stop at six; the tables hold the rest."""
    doses = [dose(arm, f"task {number}") for arm in WEIGHTS for number in range(9)]
    (drawn,) = draw_ablation(report(doses=doses))
    assert len(drawn.figure.axes) == MOST_TASKS


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "$x$ & \x07"])
def test_names_are_text(name):
    """A task's name is drawn as it is: no markup, no formula, no control character."""
    (drawn,) = draw_ablation(report(doses=[dose(arm, name) for arm in WEIGHTS]))
    assert not re.search(r"<script>|\x07", drawn.document)


def test_the_same_report_is_the_same_drawing():
    """Bytes do not change from one drawing to the next."""
    one, other = (draw_ablation(report([effect(0.3)]))[0].document for _ in range(2))
    assert one == other


def test_nothing_measured_is_nothing_drawn():
    """An empty report has no figure."""
    assert draw_ablation(report()) == ()
