"""The grid: every cell in its place, marked by what is shown of it."""

import numpy as np

from evalsuite.core.where import grids, in_words
from evalsuite.gate.grid import cell_text
from evalsuite.gate.judge import judge
from evalsuite.gate.policy import MarginRule, Policy
from tests.gate.made_up import make_run, retrieval, shifted

POLICY = Policy(resamples=1000, margin=(MarginRule(absolute=0.02),))


def test_cells_are_marked_by_what_is_shown(tmp_path):
    """A drop, a gain, nothing within the margin, and a cell too noisy to tell."""
    before = retrieval(n=400)
    rng = np.random.default_rng(0)
    by = {"768/float32": (-0.05, 0.02), "768/int8": (0.05, 0.02), "128/float32": (0, 0.02)}
    values = {
        variant: rows + np.mean(by.get(variant, (0.0, 2.0))[0]) + centred(rng, by.get(variant, (0, 2.0))[1])
        for variant, rows in before.values.items()
    }
    after = make_run(tmp_path / "b", shifted(before, 0).__class__("scifact", values))
    verdict = judge(make_run(tmp_path / "a", before), after, POLICY)
    (grid,) = grids(verdict, 4)
    assert grid.precisions == ("float32", "int8", "binary")
    shown = [(space, [cell_text(place) for place in places]) for space, places in grid.rows]
    assert shown == [("768", ["-5.0 ▼", "+5.0 ▲", "–"]), ("128", ["0.0 =", "–", "0.0 ?"])]
    assert in_words(verdict) == (
        "The candidate is shown higher at scifact · 768/int8 · ndcg@10, and lower at scifact · 768/float32 "
        "· ndcg@10. Of 4 tests, 1 exclude a drop of the margin, 1 leave it open."
    )


def centred(rng, scale):
    """Noise of mean 0."""
    drawn = rng.normal(0, scale, 400)
    return drawn - drawn.mean()


def test_means_come_first_and_what_passed_is_left_out(tmp_path):
    """Six tasks that dropped and one that did not: the mean's grid, then three tasks'."""
    tasks = [retrieval(f"task{number}", seed=number) for number in range(7)]
    worse = [shifted(task, -0.1) for task in tasks[:6]]
    verdict = judge(make_run(tmp_path / "a", *tasks), make_run(tmp_path / "b", *worse, tasks[6]), POLICY)
    found = [grid.task for grid in grids(verdict, 4)]
    assert found[0] == "mean of 7 Retrieval tasks"
    assert len(found) == 4
    assert "task6" not in found


def test_a_clean_pass_has_no_grid(tmp_path):
    """Nothing to see where nothing changed."""
    run = make_run(tmp_path, retrieval(n=20))
    verdict = judge(run, run, POLICY)
    assert grids(verdict, 4) == []
    assert in_words(verdict) == "No difference is shown. Of 4 tests, 4 exclude a drop of the margin."


def test_many_places_are_named_by_the_first_ones(tmp_path):
    """Of more than four places the rest is a count; without a single test there is no sentence."""
    tasks = [retrieval(f"task{number}", seed=number) for number in range(2)]
    worse = [shifted(task, -0.1) for task in tasks]
    before, after = make_run(tmp_path / "a", *tasks), make_run(tmp_path / "b", *worse)
    words = in_words(judge(before, after, POLICY))
    assert " and 8 more. Of 12 tests, 0 exclude" in words
    other = make_run(tmp_path / "c", retrieval("other"))
    assert in_words(judge(before, other, POLICY)) == ""
