"""Reports of MTEB runs: kinds of task first, MTEB's means, and the language filter said aloud."""

import io
import re

import pytest
from rich.console import Console

from evalsuite.core.variant import Variant
from evalsuite.reporting.by_type import MANY_TASKS, condensed, filter_text, type_means
from evalsuite.reporting.html import render_html
from evalsuite.reporting.markdown import render_markdown
from evalsuite.reporting.panel import FailedCell
from evalsuite.reporting.tables import means_table, task_tables
from evalsuite.reporting.terminal import render_terminal
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import (
    MTEB_TYPES,
    broken,
    checkpoint_entry,
    crowded_run,
    make_run,
    mteb_cells,
    mteb_entry,
    mteb_run,
    realistic_run,
)

FULL = {"float32": {384: 80.0, 192: 60.0}}


def three_tasks(**changes):
    """Two retrieval tasks at 80 and 60 points, one STS task at 40; half the dimensions lose a quarter."""
    entries = [
        mteb_entry("A", "Retrieval"), mteb_entry("B", "Retrieval"), mteb_entry("C", "STS", **changes),
    ]  # fmt: skip
    values = [{384: 80.0, 192: 60.0}, {384: 60.0, 192: 45.0}, {384: 40.0, 192: 30.0}]
    cells = [c for e, v in zip(entries, values, strict=True) for c in mteb_cells("m", e, {"float32": v})]
    return make_run([checkpoint_entry("m")], entries, cells)


def printed(view):
    console = Console(width=80, file=io.StringIO(), highlight=False)
    for part in render_terminal(view):
        console.print(part)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def big():
    """A benchmark of 131 tasks at sixteen variants."""
    return mteb_run(131, languages=["eng-Latn"])


def test_means_by_hand():
    """Mean(Task) (80 + 60 + 40) / 3 = 60; Mean(TaskType) ((80 + 60) / 2 + 40) / 2 = 55."""
    means = {str(mean.variant): mean for mean in type_means(build_view([three_tasks()]).checkpoints[0])}
    full = means["384/float32"]
    assert full.mean_task == pytest.approx(0.60)
    assert full.mean_type == pytest.approx(0.55)
    assert full.by_type == pytest.approx({"Retrieval": 0.70, "STS": 0.40})
    assert means["192/float32"].mean_task == pytest.approx(0.45)


def test_a_failed_task_leaves_no_mean():
    """A mean over the others would look better or worse for no reason."""
    view = build_view([broken(three_tasks(), {("C", "384/float32"): "no data"})])
    full = next(m for m in type_means(view.checkpoints[0]) if m.variant == Variant(384, "float32"))
    assert (full.mean_task, full.mean_type) == (None, None)
    assert full.by_type == {"Retrieval": pytest.approx(0.7), "STS": None}


def test_own_tasks_have_no_mteb_means(minilm):
    """MTEB's summary is about MTEB's tasks."""
    view = build_view([minilm])
    assert type_means(view.checkpoints[0]) == ()
    assert means_table(view.checkpoints[0], view.tasks) is None
    assert filter_text(view.tasks) == ""
    assert "MTEB" not in render_markdown(view)


def test_a_single_kind_has_no_mean_over_kinds():
    """It would be the same number twice."""
    entries = [mteb_entry(name, "STS") for name in "AB"]
    cells = [cell for entry in entries for cell in mteb_cells("m", entry, FULL)]
    view = build_view([make_run([checkpoint_entry("m")], entries, cells)])
    assert means_table(view.checkpoints[0], view.tasks).heads == ("Variant", "Mean(Task)")


def test_the_filter_is_said():
    """Which languages count decides the mean."""
    tasks = three_tasks(languages=["eng-Latn"], subsets=["en-en"]).record.tasks
    assert filter_text(tasks) == (
        "Language filter of the MTEB tasks: none on 2 tasks; eng-Latn on 1 task. Without a filter every "
        "subset of a task counts. Subsets and splits in all: 3."
    )
    many = [mteb_entry("A", "STS", languages=[f"l{number}" for number in range(250)])]
    assert "250 languages on 1 task." in filter_text(many)


def test_every_face_says_the_filter():
    """Page, Markdown and terminal; also for a single task, which has no mean."""
    entry = mteb_entry("A", "STS", languages=["eng-Latn"])
    single = make_run([checkpoint_entry("m")], [entry], mteb_cells("m", entry, FULL))
    for run in (single, three_tasks(languages=["eng-Latn"])):
        view = build_view([run])
        for source in (render_html(view), render_markdown(view), printed(view)):
            assert re.search(r"Language\s+filter\s+of\s+the\s+MTEB\s+tasks", source)
            assert re.search(r"eng\\?-Latn\s+on\s+1\s+task", source)


def test_few_tasks_stay_as_they_are():
    """Up to twelve tasks each has its panel."""
    view = build_view([mteb_run(MANY_TASKS)])
    assert condensed(view) is view


def test_many_tasks_become_kinds(big):
    """A panel a kind; the mean of its tasks; retention against the mean at full width."""
    view = build_view([big])
    drawn = condensed(view)
    assert [panel.task_type for panel in drawn.panels] == sorted(MTEB_TYPES)
    panel = next(panel for panel in drawn.panels if panel.task_type == "Retrieval")
    assert (panel.task, panel.metric) == ("Retrieval · 14 tasks", "ndcg@10")
    cell = panel.at(192, "int8")
    assert cell.value == pytest.approx(0.8131)
    assert cell.retention == pytest.approx(81.31 / 82.03)
    assert (cell.lower, cell.n, cell.half_interval) == (None, None, None)
    assert drawn.checkpoints[0].recommendation == view.checkpoints[0].recommendation
    assert set(drawn.checkpoints[0].variants[0].retentions) == {panel.task for panel in drawn.panels}


def test_a_kind_with_a_failure_says_so(big):
    """The mean cell fails and names the task; the other kinds are there."""
    view = condensed(build_view([broken(big, {("Task000", "96/int8"): "raised"})]))
    cells = [panel.at(96, "int8") for panel in view.panels]
    failed = [cell for cell in cells if isinstance(cell, FailedCell)]
    assert [cell.reason for cell in failed] == ["no score on Task000 of 14, so there is no mean"]


def test_kinds_of_mixed_metrics_are_main_scores():
    """Two metrics in one mean have no common name."""
    run = mteb_run(20)
    odd = run.record.tasks[0].model_copy(update={"main_metric": "recall@100"})
    record = run.record.model_copy(update={"tasks": (odd, *run.record.tasks[1:])})
    view = condensed(build_view([type(run)(record, run.folder)]))
    assert next(p for p in view.panels if p.task_type == "Retrieval").metric == "main_score"


def test_every_task_is_tabled_by_kind(big):
    """131 rows in ten tables, a column a variant, the widest first."""
    tables = task_tables(build_view([big]).checkpoints[0])
    assert sum(len(table.rows) for table in tables) == 131
    assert tables[0].title == "BitextMining: 13 tasks"
    assert tables[0].heads[:3] == ("Task", "Metric", "384/float32")
    assert tables[0].rows[0][:3] == ("Task006", "F1", "76.0")
    assert all(len(row) == len(table.heads) == 18 for table in tables for row in table.rows)


def test_many_variants_are_cut_to_those_that_matter():
    """Side by side stand the front, the full width and the recommended one; the rest is counted."""
    checkpoint = build_view([crowded_run(tasks=2)]).checkpoints[0]
    table = task_tables(checkpoint)[0]
    assert len(table.heads) <= 2 + 16
    assert "384/float32" in table.heads
    assert str(checkpoint.recommendation.chosen.variant) in table.heads
    assert re.search(r"\d+ more variants", table.caption)


def test_a_big_run_stays_readable(big):
    """Ten pictures a figure, every task in a table, nothing wider than the terminal."""
    view = build_view([big])
    page = render_html(view)
    assert page.count('<figure class="picture">') == 2 * len(MTEB_TYPES)
    assert page.count('<table class="heat">') == 1 + len(MTEB_TYPES)
    assert all(f"Task{number:03}" in page for number in range(131))
    assert page.count('<details class="more">') == 131
    text = printed(view)
    assert max(map(len, text.splitlines())) <= 80
    assert "Every task is in the report." in text
    assert "Mean(TaskType)" in text
    source = render_markdown(view)
    assert "InstructionReranking · 13 tasks" in source
    assert source.count("\n## ") < 25


def test_without_an_interval_there_is_only_the_value():
    """No band, no ±, no empty interval; an unknown number of queries is not written."""
    view = build_view([three_tasks()])
    assert "±" not in render_markdown(view).replace("± half of its 95", "")
    assert "80.0 (100.0" in render_markdown(view)
    page = render_html(view)
    assert "with 95 % intervals" not in page
    assert "<td>–</td>" in page
    assert not re.search(r"over [\d,]+ (queries|pairs)", page)
    assert "±0" not in printed(view)


@pytest.mark.parametrize(
    ("task_type", "unit"),
    [("Retrieval", "queries"), ("STS", "pairs"), ("BitextMining", "sentences"),
     ("Clustering", "repetitions"), ("InstructionReranking", "queries")],
)  # fmt: skip
def test_the_unit_follows_the_kind(task_type, unit):
    """What a kept value stands for is written beside its number."""
    entry = mteb_entry("A", task_type)
    run = make_run([checkpoint_entry("m")], [entry], mteb_cells("m", entry, FULL))
    assert build_view([run]).panels[0].unit == unit


def test_names_are_told_apart():
    """The same model on the other road, and an own task of the same name, keep apart."""
    own = realistic_run("m")
    entries = {road: mteb_entry("SciFact", "Retrieval", road=road) for road in ("native", "mteb")}
    runs = [
        make_run([checkpoint_entry("m")], [entry], mteb_cells("m", entry, FULL)) for entry in entries.values()
    ]
    view = build_view([own, *runs])
    assert [checkpoint.label for checkpoint in view.checkpoints] == ["m", "m (native road)", "m (mteb road)"]
    assert [task.name for task in view.tasks][-1] == "SciFact (MTEB)"
    assert len(view.tasks) == 4
