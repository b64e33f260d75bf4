"""Spread, search, comparison and ablation: what each section makes of its nouns."""

import re

import pytest

from evalsuite.core.ablation import ALL_TASKS
from evalsuite.reporting.page.ablation import ablation_section
from evalsuite.reporting.page.ann import ann_section
from evalsuite.reporting.page.forest import Difference, draw, scale_of, signed
from evalsuite.reporting.page.gor import gor_panel
from evalsuite.reporting.page.spread import spread_section
from evalsuite.reporting.page.verdict import verdict_section
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import realistic_run
from tests.reporting.made_up_parts import ablation, effect, probes, spread_entries, verdict, with_parts


def test_nothing_measured_no_section(minilm):
    """Empty parts leave no trace."""
    assert spread_section(()) is None
    assert ann_section(()) is None
    assert verdict_section(None) is None
    assert ablation_section(None) is None
    assert gor_panel(build_view([minilm])) is None


def test_spread_is_drawn_against_the_sphere():
    """Every chart of a task, the ideal in each, a line a side; the table has every statistic."""
    section = spread_section(spread_entries())
    task = section.tasks[0]
    assert [chart.title for chart in task.charts] == [
        "Second moment", "Effective dimension", "Mean cosine", "Balance of the sign bits",
        "Independent sign bits", "Hubs", "Cosines", "Cosines", "Spectrum",
    ]  # fmt: skip
    assert [chart.note for chart in task.charts[6:8]] == [
        "documents, 384 dimensions",
        "documents, 48 dimensions",
    ]
    moment = task.charts[0]
    assert moment.series[0].points == [(48.0, 1.0), (96.0, 1.0), (192.0, 1.0), (384.0, 1.0)]
    assert len(moment.series) == 1 + 3
    assert "sphere 1; n = 5,183" in moment.series[1].tips[0]
    assert len(task.table.rows) == 12
    assert "TwoNN of queries at 48 dimensions: fewer than 20 texts" in task.missing


def test_checkpoints_share_the_charts_of_spread():
    """One line a checkpoint and side, told apart in the legend and in words."""
    section = spread_section(spread_entries(["plain", "gor"]))
    assert [key.title for key in section.legend][:2] == ["plain, documents", "plain, queries"]
    assert len(section.tasks[0].charts[0].series) == 1 + 6
    assert "gor, documents: 5.28 at 384 dimensions" in section.tasks[0].charts[0].words


def test_curves_of_whoever_has_them():
    """One document has no cosines: those of the queries are drawn, and called so; without any, none are."""
    lone = [
        entry.model_copy(update={"cosines": None, "spectrum": None}) if entry.side == "document" else entry
        for entry in spread_entries(dims=(48,))
    ]
    drawn = [
        chart for chart in spread_section(lone).tasks[0].charts if chart.title in ("Cosines", "Spectrum")
    ]
    assert {chart.note for chart in drawn} == {"queries, 48 dimensions"}
    none = [entry.model_copy(update={"cosines": None, "spectrum": None}) for entry in lone]
    assert "Cosines" not in [chart.title for chart in spread_section(none).tasks[0].charts]


def test_spread_and_retention_meet():
    """One mark a dimension: M2·d across, what binary keeps of float32 at the same dimension up."""
    panel = gor_panel(build_view([with_parts(realistic_run("m"))]))
    binary = panel.charts[0].series[0]
    assert binary.points[0] == (pytest.approx(1.3 * 8**0.4), pytest.approx(100 * 58.10 / 64.51))
    assert len(binary.points) == 4
    assert panel.charts[0].note == "binary: rank correlation +1.00 over 4 marks"
    assert [key.title for key in panel.legend] == ["binary", "int8", "float16"]


def test_work_is_drawn_and_tabulated():
    """One chart an index over float32's neighbours; an unreached recall is a dash; gaps of queries."""
    section = ann_section(probes())
    task = section.tasks[0]
    assert [chart.title for chart in task.charts] == ["HNSW", "IVF"]
    assert len(task.charts[0].series) == 3
    assert "96/binary never reaches 95 %" in task.charts[0].words
    assert task.table.rows[0] == ("384/float32, HNSW", "300", "520", "–", "0.610", "1.00", "5,183")
    assert task.table.rows[4][:3] == ("96/binary, HNSW", "300", "–")


def test_probes_that_failed_are_named():
    """With their reason, also if nothing else was probed."""
    run = with_parts(realistic_run("m"))
    assert ann_section((), run.record.ann_missing).missing == ("m on SciFact: 48/int4: faiss refused <it>",)


def test_a_verdict_shows_what_decided_it():
    """What fails or blocks comes first, then the rest up to a screenful; queries stand behind it."""
    section = verdict_section(verdict())
    assert section.mood == "bad"
    assert [row.status for row in section.shown[:3]] == ["regressed", "missing", "inconclusive"]
    assert (len(section.shown), len(section.rest)) == (20, 13)
    worst = section.shown[0]
    assert (worst.before, worst.after) == ("64.50", "60.40")
    assert worst.change == "−4.10 [−5.30, −2.90]"
    assert worst.name == "SciFact · 256/int8 · nDCG@10"
    assert section.moved[0].moves[0].id == "q1"
    (where,) = section.where
    assert (where.task, where.metric, where.precisions) == (
        "SciFact",
        "nDCG@10",
        ("float32", "int8", "binary"),
    )
    rows = dict(where.rows)
    assert rows["256"] == (("–", ""), ("−4.10 ▼", "lower"), ("–", ""))
    assert section.better.startswith("The candidate is shown higher nowhere, and lower at SciFact · 256/int8")


def test_effects_are_told_with_their_certainty():
    """A table a quantity; how many rose, fell, or show nothing; one seed gives no interval."""
    section = ablation_section(ablation())
    tables = section.comparisons[0].tables
    assert [table.title for table in tables][:2] == ["Quality, in points", "Retention, in percent"]
    assert tables[1].summary == "Of 1 number: 1 higher, 0 lower, 0 without an effect shown."
    assert tables[1].rows[0].change == "+3.20 [+2.70, +3.70]"
    assert (tables[3].rows[0].change, tables[3].rows[0].p) == ("−80", "–")
    assert len(section.arms.rows) == 9


def test_small_effects_of_spread_keep_their_digits():
    """A correlation that rises from 0.1101 to 0.1132 is not `0.11, 0.11, +0.00 [+0.00, +0.00], higher`."""
    small = effect("spread", "document bit_correlation", "float32", 0.0031, 0.01).model_copy(
        update={"control": 0.1101, "treated": 0.1132, "lower": 0.0029, "upper": 0.0033}
    )
    report = ablation()
    compared = report.comparisons[0].model_copy(update={"effects": (small,)})
    section = ablation_section(report.model_copy(update={"comparisons": (compared,)}))
    row = section.comparisons[0].tables[0].rows[0]
    assert (row.control, row.treated) == ("0.1101", "0.1132")
    assert row.change == "+0.0031 [+0.0029, +0.0033]"
    assert signed(-0.0000123, "3g") == "\N{MINUS SIGN}1.23e-05"  # sorts as a number


def test_of_many_effects_those_that_tell_most_are_tabulated():
    """Means over tasks and the smallest p-values, in their order; the counts are over all."""
    report = ablation()
    many = [
        effect("spread", f"statistic {number}", "float32", 1.0, number / 100) for number in range(100, 0, -1)
    ]
    mean = effect("spread", "mean", "float32", 0.1, 0.9).model_copy(update={"task": ALL_TASKS})
    comparison = report.comparisons[0].model_copy(update={"effects": (*many, mean)})
    section = ablation_section(report.model_copy(update={"comparisons": (comparison,)}))
    (table,) = section.comparisons[0].tables
    names = [row.metric for row in table.rows]
    assert len(names) == 60
    assert names[-1] == "mean"
    assert names[:2] == ["statistic 59", "statistic 58"]
    assert table.counts == "4 higher, 0 lower, 97 without an effect shown, of 101 numbers"
    assert "The 60 that tell most are below" in table.summary


def test_doses_are_lines_over_the_weight():
    """Means over seeds with their range, a line a variant."""
    (dose,) = ablation_section(ablation()).doses
    assert [key.title for key in dose.legend] == ["128/binary", "256/binary"]
    assert [x for x, _ in dose.chart.series[0].points] == [0.0, 0.5, 1.0]
    assert dose.chart.series[0].bands[0] == (71.28, 72.28)


def test_forest_rows_share_a_scale():
    """Zero in the middle, the accepted drop left of it, nothing sticks out."""
    some = [Difference(-0.04, -0.05, -0.03, 0.01), Difference(0.001, None, None)]
    assert scale_of(some) == 0.05
    assert scale_of([]) == 1.0
    drawn = draw(some[0], 0.05)
    places = [float(number) for number in re.findall(r'(?:M|H|cx=")([\d.]+)', drawn)]
    assert all(0 <= place <= 150 for place in places)
    assert 'class="i"' not in draw(some[1], 0.05)
    assert signed(-0.5) == "−0.50"
