"""The terminal report: 80 columns, no colour needed."""

import io

from rich.console import Console

from evalsuite.reporting.series import key_series
from evalsuite.reporting.terminal import render_terminal
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import broken, cells_of, checkpoint_entry, make_run, realistic_run, task_entry


def printed(runs, width=80):
    """What a terminal without colour shows, no-break spaces as plain ones."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for part in render_terminal(build_view(runs)):
        console.print(part)
    return console.file.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def test_a_precision_is_one_row(minilm):
    """Name, bars over falling dimensions, points with the Pareto mark, the widest half interval; aligned."""
    lines = printed([minilm]).splitlines()
    row = next(number for number, line in enumerate(lines) if line.startswith("binary"))
    assert lines[row].split() == ["binary", "▇▆▃▁", "58.1*", "50.0*", "35.4*", "18.2*", "4.3"]
    assert lines[row - 1].split() == ["int8", "██▆▄", "64.3*", "61.3*", "52.2", "37.8", "4.3"]
    assert len({len(line.rstrip()) for line in lines[row - 3 : row + 1]}) == 1


def test_bars_of_a_table_share_their_scale(minilm):
    """The best score of a table is a full block, the worst the lowest one, a failed one a cross."""
    rows = [line.split() for line in printed([minilm]).splitlines() if line.startswith(("float32", "binary"))]
    assert rows[0][1] == "██▆▄"
    assert rows[1][1].endswith("▁")
    failed = broken(minilm, {("SciFact", "96/binary"): "no"})
    row = next(line for line in printed([failed]).splitlines() if line.startswith("binary"))
    assert row.split()[:5] == ["binary", "▇▆x▁", "58.1*", "50.0*", "failed"]


def test_eighty_columns_are_enough(failing, nasty):
    """No line is longer, and nothing is cut with an ellipsis."""
    for run in (failing, nasty):
        shown = printed([run])
        assert max(map(len, shown.splitlines())) <= 80
        assert "…" not in shown


def test_ties_failures_and_advice_are_said(failing):
    """What a table cannot show stands below it."""
    shown = " ".join(printed([failing]).split())
    assert "Ties: up to 25.0 % of queries have one across the cut-off (96/binary)" in shown
    assert "between 32.9 (all lost) and 37.9 (all won), expected 34.9" in shown
    assert "failed 96/int8: int8 calibration found a constant dimension (17)" in shown
    assert "Ship 384/int8. It keeps 99.8 %" in shown
    assert "Rule: the fewest bytes" in shown


def test_wide_tables_continue_in_another():
    """Long names and many dimensions still fit 80 columns, and none is cut."""
    task = task_entry("t")
    names = ["float32", "float16", "bfloat16", "int8_percentile", "turboquant_4bit+asymmetric", "int4",
             "binary_centred+asymmetric", "binary+rescore4:int8"]  # fmt: skip
    cells = [cell for name in names for dim in range(32, 385, 32) for cell in bits_free(task, name, dim)]
    shown = printed([make_run([checkpoint_entry("m")], [task], cells)])
    assert "(continued)" in shown
    assert all(part in shown for name in names for part in name.split("+"))
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_of_many_precisions_the_most_important_are_shown(crowded):
    """float32, the recommended one and the front; the rest is counted, and nothing is cut."""
    view, shown = build_view([crowded]), printed([crowded])
    named = key_series(view, 8)
    assert all(name.split("+")[0] in shown for name in named)
    assert "pca" not in shown
    assert "+mteb" not in shown
    hidden = len(view.panels[0].cells) - 4 * len(named)
    assert shown.count(f"{hidden} more variants are in the report.") == 2
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def bits_free(task, name, dim):
    """A cell of a precision whose size does not matter here."""
    cells = cells_of("m", task, {"int8": {dim: 64.5}})
    return [cell.model_copy(update={"variant": f"{dim}/{name}"}) for cell in cells]


def test_several_checkpoints_have_their_own_advice(minilm):
    """Each piece of advice names its checkpoint."""
    shown = printed([minilm, realistic_run("worse", lower=3.0)])
    assert "all-MiniLM-L6-v2: Ship" in shown
    assert "worse: Ship" in shown


def test_escapes_do_not_reach_the_terminal(nasty):
    """A label cannot colour or clear the screen, nor be read as rich markup."""
    shown = printed([nasty])
    assert "\x1b" not in shown
    assert "[31m" in shown


def test_a_run_without_scores_is_shown(all_failed):
    """Every cell says failed, a reason is given once, and the advice says why there is none."""
    shown = printed([all_failed])
    assert "No recommendation" in shown
    assert shown.count("failed  ") >= 32
    assert shown.count("model returned NaN") == 3
    assert "96/float32, 48/float32, 384/float16, 192/float16 and 10 more" in " ".join(shown.split())
