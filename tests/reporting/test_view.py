"""The view-model, by hand."""

import math

import pytest

from evalsuite.core.errors import UsageError
from evalsuite.core.record import Scored
from evalsuite.core.run import Run
from evalsuite.core.variant import Variant
from evalsuite.reporting.panel import FailedCell, ScoredCell
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import broken, realistic_run


def panel_of(view, task):
    return next(panel for panel in view.panels if panel.task == task)


def test_a_cell_by_hand(minilm):
    """SciFact at 96/binary: 35.43 of 64.51 points, 12 of 1,536 bytes, a quarter of the queries tied."""
    cell = panel_of(build_view([minilm]), "SciFact").at(96, "binary")
    assert isinstance(cell, ScoredCell)
    assert cell.value == pytest.approx(0.3543)
    assert cell.retention == pytest.approx(35.43 / 64.51)
    assert cell.bytes_per_vector == 12
    assert cell.compression == 128
    assert cell.half_interval == pytest.approx(0.043)
    assert cell.tie_share == pytest.approx(0.25)
    assert (cell.ties_lost, cell.expected, cell.ties_won) == pytest.approx((0.3293, 0.3493, 0.3793))


def test_grid_and_front_by_hand(minilm):
    """Dimensions fall, precisions keep the run's order; 192/int8 beats 192/float16 at half the bytes."""
    panel = panel_of(build_view([minilm]), "SciFact")
    assert panel.dims == (384, 192, 96, 48)
    assert panel.precisions == ("float32", "float16", "int8", "binary")
    assert [str(cell.variant) for cell in panel.front] == [
        "48/binary", "96/binary", "192/binary", "384/binary", "192/int8", "384/int8",
        "384/float16", "384/float32",
    ]  # fmt: skip
    assert panel.most_tied.variant == Variant(48, "binary")
    assert panel_of(build_view([minilm]), "STSb").most_tied is None


def test_mean_retention_by_hand(minilm):
    """The mean stands beside the tasks it was made of, and the worst of them has a name."""
    view = build_view([minilm]).checkpoints[0]
    row = next(row for row in view.variants if str(row.variant) == "192/int8")
    kept = {"SciFact": 61.30 / 64.51, "STSb": 81.31 / 82.03, "Standard library": 69.8 / 71.3}
    assert row.retentions == pytest.approx(kept)
    assert row.mean_retention == pytest.approx(sum(kept.values()) / 3)
    assert row.worst == ("SciFact", pytest.approx(kept["SciFact"]))
    assert [row.bytes_per_vector for row in view.variants] == sorted(
        r.bytes_per_vector for r in view.variants
    )
    assert str(view.recommendation.chosen.variant) == "384/int8"


def test_the_bar_can_be_lowered(minilm):
    """With 97 % the smaller 192/int8 is enough."""
    advice = build_view([minilm], min_retention=0.97).checkpoints[0].recommendation
    assert str(advice.chosen.variant) == "192/int8"


def test_failed_cells_keep_their_reasons(failing):
    """Nothing becomes zero: the failed cell has no number, and its variant has no mean."""
    view = build_view([failing])
    assert [(panel.task, str(cell.variant)) for panel, cell in view.failures] == [
        ("SciFact", "48/binary"), ("STSb", "96/int8"),
    ]  # fmt: skip
    cell = panel_of(view, "STSb").at(96, "int8")
    assert cell == FailedCell(Variant(96, "int8"), "int8 calibration found a constant dimension (17)")
    row = next(row for row in view.checkpoints[0].variants if str(row.variant) == "96/int8")
    assert row.mean_retention is None
    assert row.retentions["STSb"] is None
    assert row.retentions["SciFact"] == pytest.approx(52.18 / 64.51)
    assert [name for name, _ in view.warnings] == ["all-MiniLM-L6-v2", "SciFact"]


def test_without_reference_there_is_no_retention(minilm):
    """If full-width float32 failed on a task, the task is left out of the mean, and named."""
    run = broken(minilm, {("STSb", "384/float32"): "no memory"})
    view = build_view([run]).checkpoints[0]
    assert all(cell.retention is None for cell in view.panels[1].scored)
    assert view.unreferenced == ("STSb",)
    row = next(row for row in view.variants if str(row.variant) == "384/int8")
    assert row.mean_retention == pytest.approx((64.32 / 64.51 + 71.1 / 71.3) / 2)


def test_all_failed(all_failed):
    """A run without any score still has a view."""
    view = build_view([all_failed])
    assert view.cell_count == len(view.failures) == 48
    assert view.checkpoints[0].recommendation.chosen is None
    assert all(panel.front == () for panel in view.panels)


def test_a_score_that_is_no_number_counts_as_failed(minilm):
    """NaN cannot be compared, so it is not shown as a score."""
    first = minilm.record.cells[0]
    assert isinstance(first.outcome, Scored)
    metric = first.outcome.metrics["ndcg@10"].model_copy(update={"value": math.nan})
    outcome = first.outcome.model_copy(update={"metrics": {"ndcg@10": metric}})
    cells = (first.model_copy(update={"outcome": outcome}), *minilm.record.cells[1:])
    run = Run(minilm.record.model_copy(update={"cells": cells}), minilm.folder)
    assert "not a number" in build_view([run]).failures[0][1].reason


def test_a_missing_main_metric_counts_as_failed(minilm):
    """A cell that lacks what the task is judged by says so."""
    first = minilm.record.cells[0]
    outcome = first.outcome.model_copy(update={"metrics": {}})
    cells = (first.model_copy(update={"outcome": outcome}), *minilm.record.cells[1:])
    run = Run(minilm.record.model_copy(update={"cells": cells}), minilm.folder)
    assert "holds no ndcg@10" in build_view([run]).failures[0][1].reason


def test_several_runs(minilm):
    """Each checkpoint is compared with itself; tasks appear once."""
    view = build_view([minilm, realistic_run("worse", lower=3.0)])
    assert [checkpoint.label for checkpoint in view.checkpoints] == ["all-MiniLM-L6-v2", "worse"]
    assert [task.name for task in view.tasks] == ["SciFact", "STSb", "Standard library"]
    cell = view.checkpoints[1].panels[0].at(96, "int8")
    assert cell.retention == pytest.approx((52.18 - 3) / (64.51 - 3))
    assert view.title == "all-MiniLM-L6-v2 and worse"
    assert build_view([minilm] * 3).title == "all-MiniLM-L6-v2 and 2 more"


def test_bad_questions_are_refused(minilm):
    """No run, or a bar that is no fraction, is an error that says what to give."""
    with pytest.raises(UsageError, match="at least one run"):
        build_view([])
    with pytest.raises(UsageError, match=r"such as 0\.98"):
        build_view([minilm], min_retention=98)
