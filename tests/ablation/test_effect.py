"""Effects: the two-level interval against oracles and simulation, pairing, correction and plain words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalsuite.ablation.effect import ablation_report, two_level
from evalsuite.ablation.readings import Reading, read_mean
from evalsuite.ablation.report import ablation_markdown, write_ablation
from evalsuite.core.ablation import AblationReport, Measured, TrainedArm


def test_queries_alone_are_the_paired_t_test():
    """With one seed the interval is Student's over queries."""
    values = np.random.default_rng(0).standard_normal(30) + 0.3
    found = two_level(values[None])
    expected = stats.ttest_1samp(values, 0)
    assert found.p == pytest.approx(expected.pvalue)
    np.testing.assert_allclose([found.lower, found.upper], expected.confidence_interval(0.95))


def test_seeds_alone_are_the_paired_t_test():
    """With one number a checkpoint the interval is Student's over seeds."""
    values = np.array([0.3, 0.1, 0.4, 0.2, 0.2])
    assert two_level(values[:, None]).p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


@given(seed=st.integers(0, 30))
def test_many_alike_queries_leave_the_seeds(seed):
    """Where queries do not differ, seeds decide as if each had one number."""
    by_seed = np.random.default_rng(seed).standard_normal(5)
    found = two_level(np.repeat(by_seed[:, None], 40, axis=1))
    assert found.p == pytest.approx(stats.ttest_1samp(by_seed, 0).pvalue)


@pytest.mark.parametrize(("of_seed", "of_query"), [(0.0, 1.0), (0.5, 0.0), (0.3, 2.0)])
def test_intervals_cover_in_95_of_100(of_seed, of_query):
    """Over 600 experiments of 5 seeds and 60 queries with no effect, about 95 % of intervals hold 0."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(600):
        seeds, queries = rng.standard_normal((5, 1)) * of_seed, rng.standard_normal((1, 60)) * of_query
        found = two_level(seeds + queries + rng.standard_normal((5, 60)))
        held += found.lower <= 0 <= found.upper
    assert 0.92 <= held / 600 <= 0.985


def test_nothing_to_resample_gives_no_interval():
    """One seed and one number: the difference is told, and nothing about chance."""
    found = two_level(np.array([[2.0]]))
    assert (found.mean, found.lower, found.p) == (2.0, None, None)


def test_no_difference_at_all_is_no_effect():
    """Equal numbers everywhere have p = 1, not a division by zero."""
    found = two_level(np.zeros((3, 4)))
    assert (found.lower, found.upper, found.p) == (0.0, 0.0, 1.0)


def test_seeds_that_agree_exactly_prove_nothing():
    """A count, such as the rank, that is one less with both seeds: not a p-value of 0."""
    found = two_level(np.full((2, 1), -1.0))
    assert (found.mean, found.lower, found.upper, found.p) == (-1.0, None, None, None)


def test_a_mean_over_tasks_gives_each_task_the_same_weight():
    """Ten queries of one task weigh as much as a thousand of another; the interval adds their variances."""
    rng = np.random.default_rng(3)
    small, large = rng.standard_normal((1, 10)) + 4, rng.standard_normal((1, 1000))
    found = two_level(small, large)
    assert found.mean == pytest.approx((small.mean() + large.mean()) / 2)
    error = np.sqrt(small.var(ddof=1) / 10 + large.var(ddof=1) / 1000) / 2
    assert (found.upper - found.mean) / error == pytest.approx(stats.t.ppf(0.975, 9.2), rel=0.01)


WHAT = Measured(quantity="quality", task="harbour", name="ndcg@10", dim=64, precision="binary")


def arm(name, seed, weight):
    return TrainedArm(
        arm=name, seed=seed, losses={"nce": 1.0, "gor": weight}, folder=f"/lab/{name}-seed-{seed}", steps=1,
        seconds=0.0, history=(),
    )  # fmt: skip


def report_of(recipe, gain, seeds=3, queries=50):
    """A control and a treated arm whose queries differ by `gain` points and noise."""
    rng = np.random.default_rng(5)
    arms = [
        arm(name, seed, weight) for name, weight in (("without", 0.0), ("with", 5.0)) for seed in range(seeds)
    ]
    easy = rng.uniform(0.2, 0.8, queries)
    numbers = {
        f"{each.arm}-seed-{each.seed}": read_mean(
            easy + 0.01 * rng.standard_normal(queries) + (gain / 100 if each.arm == "with" else 0.0)
        )
        for each in arms
    }
    return ablation_report(recipe, arms, {WHAT: numbers})


def test_a_real_difference_is_found(recipe):
    """Five points over three seeds are significant, and the sentence says so."""
    (effect,) = report_of(recipe, 5.0).comparisons[0].effects
    assert effect.difference == pytest.approx(5.0, abs=0.5)
    assert (effect.verdict, effect.seeds, effect.n) == ("higher", 3, 50)
    assert "significantly higher" in effect.sentence
    assert effect.lower < 5.0 < effect.upper


def test_an_absent_effect_is_said_plainly(recipe):
    """No difference is not reported as a tendency."""
    report = report_of(recipe, 0.0)
    (effect,) = report.comparisons[0].effects
    assert effect.verdict == "no effect shown"
    assert effect.sentence.endswith("no effect is shown")
    assert "**no effect is shown** in any of 1 numbers" in ablation_markdown(report)


def test_few_seeds_are_warned_of(recipe):
    """The method says that two seeds are too few for a claim, and says nothing of five."""
    few, enough = (
        ablation_report(recipe.model_copy(update={"seeds": list(range(count))}), [], {}).method
        for count in (2, 5)
    )
    assert "with 2 of the 5 seeds that a claim takes" in few
    assert few.startswith(enough)
    assert "a claim takes" not in enough


def test_seeds_that_are_missing_are_left_out_of_the_pairs(recipe):
    """A checkpoint without the number takes its sibling of the same seed with it."""
    arms = [arm("without", 0, 0.0), arm("without", 1, 0.0), arm("with", 0, 5.0), arm("with", 1, 5.0)]
    numbers = {
        "without-seed-0": Reading(1.0, np.empty(0)), "with-seed-0": Reading(3.0, np.empty(0)),
        "with-seed-1": Reading(9.0, np.empty(0)),
    }  # fmt: skip
    (effect,) = ablation_report(recipe, arms, {WHAT: numbers}).comparisons[0].effects
    assert (effect.difference, effect.seeds, effect.p) == (2.0, 1, None)
    assert "nothing can be said about chance" in effect.sentence


def test_p_values_are_corrected_within_a_quantity(recipe):
    """Ten numbers of one quantity: Holm multiplies the smallest p by ten."""
    rng = np.random.default_rng(0)
    arms = [arm("without", 0, 0.0), arm("with", 0, 5.0)]
    readings = {
        WHAT.model_copy(update={"dim": dim}): {
            f"{name}-seed-0": read_mean(rng.uniform(size=30)) for name in ("without", "with")
        }
        for dim in range(1, 11)
    }
    effects = ablation_report(recipe, arms, readings).comparisons[0].effects
    smallest = min(effects, key=lambda each: each.p)
    assert smallest.adjusted_p == pytest.approx(min(1.0, 10 * smallest.p))


def test_means_over_tasks_stand_beside_the_tasks(recipe):
    """What two tasks have in common is compared over both; work of search is not averaged over corpora."""
    arms = [arm(name, seed, 0.0) for name in ("without", "with") for seed in (0, 1)]
    numbers = {f"{each.arm}-seed-{each.seed}": Reading(each.seed + 2.0, np.empty(0)) for each in arms}
    other = WHAT.model_copy(update={"task": "pier", "name": "cosine_spearman"})
    work = [each.model_copy(update={"quantity": "ann"}) for each in (WHAT, other)]
    effects = (
        ablation_report(recipe, arms, dict.fromkeys([WHAT, other, *work], numbers)).comparisons[0].effects
    )
    assert [(each.quantity, each.task) for each in effects] == [
        ("quality", "mean over tasks"), ("quality", "harbour"), ("quality", "pier"),
        ("ann", "harbour"), ("ann", "pier"),
    ]  # fmt: skip
    assert (effects[0].control, effects[0].p) == (2.5, 1.0)


def test_an_interval_that_excludes_0_among_many_is_no_effect(recipe):
    """What would be significant alone is told as such, and not claimed."""
    (effect,) = report_of(recipe, 5.0).comparisons[0].effects
    among_many = effect.model_copy(update={"p": 0.03, "adjusted_p": 0.6})
    assert among_many.verdict == "no effect shown"
    assert among_many.sentence.endswith("but not among so many comparisons: no effect is shown")


def test_doses_are_ordered_by_weight(recipe):
    """The points of a dose-response curve hold every seed's value."""
    doses = report_of(recipe, 5.0).doses
    assert [(dose.weight, dose.arm, len(dose.values)) for dose in doses] == [
        (0.0, "without", 3), (5.0, "with", 3),
    ]  # fmt: skip


def test_the_report_is_read_back(recipe, tmp_path):
    """JSON holds everything the Markdown was made from."""
    report = report_of(recipe, 5.0)
    page = write_ablation(report, tmp_path)
    assert AblationReport.model_validate_json((tmp_path / "ablation.json").read_text()) == report
    assert "| harbour | ndcg@10 | 64 | binary |" in page.read_text()
    assert f"- {report.comparisons[0].effects[0].sentence}" in page.read_text()
