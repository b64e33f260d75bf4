"""The judge: what is caught and where, what never passes, and why."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evalsuite.core.errors import UsageError
from evalsuite.core.run import Run
from evalsuite.gate.judge import judge
from evalsuite.gate.policy import MarginRule, Policy
from tests.gate.conftest import FAST, by_status
from tests.gate.made_up import VARIANTS, make_run, retrieval, shifted, similarity


def test_a_run_passes_against_itself(baseline):
    """Nothing changed: every cell passes, exit code 0, and it says so."""
    verdict = judge(baseline, baseline, FAST)
    assert verdict.exit_code == 0
    assert verdict.counts == {"passed": 8}
    assert {finding.reason for finding in verdict.findings} == {"no query changed"}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_run_passes_against_itself_however_small(tmp_path, n):
    """One query is enough to see that nothing changed."""
    run = make_run(tmp_path, retrieval(n=n))
    assert judge(run, run, FAST).exit_code == 0


def test_a_drop_at_one_variant_is_caught_there_and_only_there(baseline, tasks, tmp_path):
    """Three points lost at 128/binary of one task: exit code 1, one finding fails, it is that cell."""
    worse = shifted(tasks[0], -0.03, variants=("128/binary",))
    verdict = judge(baseline, make_run(tmp_path, worse, tasks[1], label="after"), FAST)
    assert verdict.exit_code == 1
    assert by_status(verdict, "regressed") == [("scifact", "128/binary")]
    assert verdict.findings[0].variant == "128/binary"
    assert "REGRESSED: 1 finding" in verdict.headline


def test_findings_say_what_happened(baseline, tasks, tmp_path):
    """A finding holds delta, interval, p-values, margin, n, retention, and the queries that moved most."""
    worse = shifted(tasks[0], -0.03)
    found = judge(baseline, make_run(tmp_path, worse, tasks[1]), FAST).findings[0]
    evidence = found.evidence
    before, after = tasks[0].values[found.variant], worse.values[found.variant]
    assert evidence.delta == pytest.approx((after - before).mean(), abs=1e-6)
    assert evidence.lower < evidence.delta < evidence.upper < 0
    reference = stats.ttest_rel(after, before, alternative="less").pvalue
    assert evidence.p_drop == pytest.approx(reference, rel=1e-3)
    assert evidence.p_drop <= evidence.p_drop_adjusted <= 8 * evidence.p_drop * 1.001
    assert (evidence.n, evidence.margin) == (600, 0.01)
    assert evidence.retention == pytest.approx(after.mean() / before.mean(), abs=1e-4)
    assert evidence.wins + evidence.losses == 600
    largest = np.argsort(-np.abs(after - before))[:5]
    assert {move.id for move in found.moved} == {f"q{row:03d}" for row in largest}
    assert [move.change for move in found.moved] == sorted(move.change for move in found.moved)
    assert len(found.moved[0].top_before) == 5


@pytest.mark.parametrize(("share", "status"), [(0.05, "passed"), (0.0, "inconclusive")])
def test_a_relative_margin_of_a_negative_value_is_below_it(tmp_path, share, status):
    """Five percent of a correlation of -0.5 allow -0.525: a change of nothing but noise passes."""
    rng = np.random.default_rng(0)
    gold = rng.normal(size=400)
    before = {variant: 0.2 * rng.normal(size=400) - 0.12 * gold for variant in VARIANTS}
    after = {variant: cosines + 1e-3 * rng.normal(size=400) for variant, cosines in before.items()}
    runs = [
        make_run(tmp_path / str(number), replace(similarity(), values=values, gold=gold))
        for number, values in enumerate((before, after))
    ]
    policy = Policy(resamples=1000, margin=(MarginRule(relative=share),))
    verdict = judge(*runs, policy)
    assert {finding.baseline < -0.4 for finding in verdict.findings} == {True}
    assert {finding.status for finding in verdict.findings} == {status}


@pytest.mark.parametrize(("n", "detects"), [(3, False), (6, False), (7, True)])
def test_what_no_test_could_find_is_not_called_detectable(tmp_path, n, detects):
    """4 cells at 0.05: 7 queries give p-values down to 1/128 < 0.05 / 4, 6 only down to 1/64."""
    before = retrieval(n=n)
    runs = make_run(tmp_path / "a", before), make_run(tmp_path / "b", shifted(before, -0.3))
    for finding in judge(*runs, FAST).findings:
        assert (finding.evidence.detectable is not None) == detects
        assert detects or finding.reason.endswith(f"the {n} queries show neither a drop nor its absence: "
                                                  "they detect nothing")  # fmt: skip


def test_a_single_query_is_spoken_of_as_one(tmp_path):
    """One query can show nothing, and the sentence that says so is English."""
    before = retrieval(n=1)
    runs = make_run(tmp_path / "a", before), make_run(tmp_path / "b", shifted(before, -0.3))
    reasons = {finding.reason.partition("but ")[2] for finding in judge(*runs, FAST).findings}
    assert reasons == {"the only query shows neither a drop nor its absence: it detects nothing"}


@pytest.mark.parametrize(("side", "status", "code"), [(0, "new", 3), (1, "failed", 3)])
def test_a_value_that_is_no_number_never_passes(tmp_path, side, status, code):
    """All cosines equal: no correlation. The finding says so, and the JSON holds no NaN."""
    runs = [make_run(tmp_path / str(number), similarity()) for number in range(2)]
    metric = "cosine_spearman"
    cells = [
        cell.model_copy(update={"outcome": cell.outcome.model_copy(
            update={"metrics": {metric: cell.outcome.metrics[metric].model_copy(
                update={"value": float("nan")})}})})
        for cell in runs[side].record.cells
    ]  # fmt: skip
    runs[side] = Run(runs[side].record.model_copy(update={"cells": tuple(cells)}), runs[side].folder)
    verdict = judge(*runs, FAST)
    assert verdict.counts == {status: 4}
    assert verdict.exit_code == code
    assert "is not a number" in verdict.findings[0].reason
    assert "NaN" not in verdict.to_json()


def test_a_gain_is_an_improvement(baseline, tasks, tmp_path):
    """Three points gained: improved, exit code 0."""
    verdict = judge(baseline, make_run(tmp_path, shifted(tasks[0], 0.03), tasks[1]), FAST)
    assert verdict.exit_code == 0
    assert len(by_status(verdict, "improved")) == 4


def test_a_real_drop_within_the_margin_passes(baseline, tasks, tmp_path):
    """A tiny drop that is shown, with harm excluded, passes and is named."""
    verdict = judge(baseline, make_run(tmp_path, shifted(tasks[0], -0.003, noise=0.01), tasks[1]), FAST)
    found = next(f for f in verdict.findings if f.task == "scifact")
    assert found.evidence.p_drop_adjusted < 0.05
    assert found.status == "passed"
    assert "lower, but" in found.reason


def test_a_correlation_that_falls_is_caught(baseline, tasks, tmp_path):
    """Similarities drowned in noise: the task of pairs regresses, although no pair has a score."""
    worse = shifted(tasks[1], 0.0, noise=0.4)
    verdict = judge(baseline, make_run(tmp_path, tasks[0], worse), FAST)
    assert verdict.exit_code == 1
    assert {task for task, _ in by_status(verdict, "regressed")} == {"stsb"}
    found = verdict.findings[0]
    assert found.evidence.p_flip is None
    assert found.moved[0].change < 0


@pytest.mark.parametrize(("by", "effect", "code"), [(-0.005, "warns", 0), (-0.02, "blocks", 3)])
def test_few_queries_are_no_proof(tmp_path, by, effect, code):
    """20 queries, nothing shown: a warning within the margin of one point, no judgement beyond it."""
    task = retrieval(n=20)
    runs = make_run(tmp_path / "a", task), make_run(tmp_path / "b", shifted(task, by, noise=0.08))
    verdict = judge(*runs, FAST)
    assert {(f.status, f.effect) for f in verdict.findings} == {("inconclusive", effect)}
    assert all(f.evidence.detectable > 0.01 for f in verdict.findings)
    assert verdict.exit_code == code


@pytest.mark.parametrize(("n", "effect", "code"), [(6, "blocks", 3), (7, "warns", 0)])
def test_a_test_that_could_find_nothing_judges_nothing(tmp_path, n, effect, code):
    """Six queries show no drop of any size at 4 cells: within the margin they block all the same."""
    task = retrieval(n=n)
    runs = make_run(tmp_path / "a", task), make_run(tmp_path / "b", shifted(task, -0.005, noise=0.08))
    verdict = judge(*runs, FAST)
    assert {(f.status, f.effect) for f in verdict.findings} == {("inconclusive", effect)}
    assert verdict.exit_code == code


def test_a_pass_that_is_no_proof_says_so(tmp_path):
    """Exit code 0 with inconclusive cells tells how large a drop could go unseen."""
    task = retrieval(n=20)
    lenient = Policy(resamples=1000, inconclusive_beyond_margin="warn")
    verdict = judge(
        make_run(tmp_path / "a", task), make_run(tmp_path / "b", shifted(task, 0.0, seed=2)), lenient
    )
    assert verdict.exit_code == 0
    assert "could go unseen" in verdict.headline


def test_a_strict_policy_wants_proof(tmp_path):
    """With inconclusive = "error", what is not shown to be harmless cannot be judged."""
    task = retrieval(n=20)
    strict = Policy(resamples=1000, inconclusive="error")
    runs = make_run(tmp_path / "a", task), make_run(tmp_path / "b", shifted(task, 0.0, seed=2))
    assert judge(*runs, strict).exit_code == 3


def test_bare_differences_are_judged_only_if_asked(baseline, tasks, tmp_path):
    """Without per-query values a policy may trust points; the finding says that nothing was tested."""
    points = Policy(resamples=1000, no_values="points")
    same = make_run(tmp_path / "same", replace(tasks[0], kept=False), tasks[1])
    assert judge(baseline, same, points).exit_code == 0
    worse = make_run(tmp_path / "worse", replace(shifted(tasks[0], -0.05), kept=False), tasks[1])
    verdict = judge(baseline, worse, points)
    assert verdict.exit_code == 1
    assert "untested" in verdict.findings[0].reason


def test_a_failure_on_both_sides_only_warns(tasks, tmp_path):
    """What never worked is no regression, but is not hidden."""
    broken = replace(tasks[0], failed={"128/binary": "too few documents"})
    runs = make_run(tmp_path / "a", broken, tasks[1]), make_run(tmp_path / "b", broken, tasks[1])
    verdict = judge(*runs, FAST)
    assert verdict.exit_code == 0
    assert verdict.findings[0].effect == "warns"
    assert verdict.findings[0].status == "failed"


def test_new_cells_are_named_and_harmless(baseline, tasks, tmp_path):
    """A task that only the candidate has is new."""
    more = replace(retrieval(name="nfcorpus", seed=5))
    verdict = judge(baseline, make_run(tmp_path, *tasks, more), FAST)
    assert verdict.exit_code == 0
    assert {task for task, _ in by_status(verdict, "new")} == {"nfcorpus"}


def test_tasks_of_a_type_are_averaged(tmp_path):
    """Two retrieval tasks have a mean a variant, judged by the macro margin; pairs do not join in."""
    tasks = [retrieval("a", 400), retrieval("b", 400, seed=3), similarity()]
    after = [shifted(tasks[0], -0.02, seed=1), shifted(tasks[1], -0.02, seed=2), tasks[2]]
    verdict = judge(make_run(tmp_path / "x", *tasks), make_run(tmp_path / "y", *after), FAST)
    means = [f for f in verdict.findings if f.subject == "mean"]
    assert {f.task for f in means} == {"mean of 2 Retrieval tasks"}
    assert len(means) == len(VARIANTS)
    assert {f.status for f in means} == {"regressed"}
    assert means[0].evidence.margin == 0.005
    assert means[0].evidence.n == 800


def test_a_warning_rule_does_not_fail(baseline, tasks, tmp_path):
    """Severity warn: the finding is a regression still, the exit code is 0."""
    policy = Policy(resamples=1000, margin=(MarginRule(dim="128", absolute=0.01, severity="warn"),))
    worse = shifted(tasks[0], -0.05, variants=("128/binary",))
    verdict = judge(baseline, make_run(tmp_path, worse, tasks[1]), policy)
    assert verdict.exit_code == 0
    assert by_status(verdict, "regressed") == [("scifact", "128/binary")]


def test_a_mean_of_warnings_only_warns(tmp_path):
    """Where every cell behind a mean only warns, so does the mean; one strict cell makes it count."""
    tasks = retrieval("one"), retrieval("two", seed=5)
    before = make_run(tmp_path / "a", *tasks)
    after = make_run(tmp_path / "b", *(shifted(task, -0.05) for task in tasks))
    lenient = MarginRule(absolute=0.01, severity="warn")
    one = lenient.model_copy(update={"task": ("one",)})
    verdict = judge(before, after, Policy(resamples=1000, margin=(lenient,)))
    assert verdict.exit_code == 0
    assert verdict.counts == {"regressed": 12}
    assert verdict.headline.startswith(
        "PASSED: no regression that counts among 12 findings; warnings only: 12 regressed"
    )
    strict = judge(before, after, Policy(resamples=1000, margin=(one,)))
    assert {f.effect for f in strict.findings if f.subject == "mean"} == {"fails"}


def test_margins_differ_by_cell(baseline, tasks, tmp_path):
    """The first matching rule decides: 20 % of the baseline forgives three points, one point does not."""
    rules = (MarginRule(precision="binary", relative=0.2), MarginRule(absolute=0.01))
    worse = shifted(tasks[0], -0.03)
    verdict = judge(baseline, make_run(tmp_path, worse, tasks[1]), Policy(resamples=1000, margin=rules))
    status = {f.variant: f.status for f in verdict.findings if f.task == "scifact"}
    assert status["128/binary"] == "passed"
    assert status["128/float32"] == "regressed"
    found = next(f for f in verdict.findings if f.variant == "128/binary" and f.task == "scifact")
    assert found.evidence.margin == pytest.approx(0.2 * found.baseline)


def test_other_metrics_are_judged_if_asked(baseline, tasks, tmp_path):
    """`metrics` widens the grid; both metrics of a cell are judged."""
    policy = Policy(resamples=1000, metrics=("main", "recall@*"))
    verdict = judge(baseline, make_run(tmp_path, *tasks), policy)
    assert {f.metric for f in verdict.findings} == {"ndcg@10", "recall@100", "cosine_spearman"}


def test_twins_in_one_run_are_compared(baseline, tasks, tmp_path):
    """Two checkpoints of one run: named by label; without a name the message lists them."""
    other = make_run(tmp_path, *tasks, label="after")
    record = baseline.record
    both = Run(
        record.model_copy(
            update={
                "checkpoints": record.checkpoints + other.record.checkpoints,
                "cells": record.cells + other.record.cells,
            }
        ),
        baseline.folder,
    )
    with pytest.raises(UsageError, match="--candidate-checkpoint: before, after"):
        judge(baseline, both, FAST)
    assert judge(both, both, FAST, checkpoints=("before", "before")).exit_code == 0


def test_the_verdict_is_the_same_every_time(baseline, tasks, tmp_path):
    """Seeds are fixed: two judgements are equal to the last digit."""
    candidate = make_run(tmp_path, shifted(tasks[0], -0.01), tasks[1])
    assert judge(baseline, candidate, FAST).to_json() == judge(baseline, candidate, FAST).to_json()


def test_weights_of_another_precision_are_compared(baseline, tasks, tmp_path):
    """A checkpoint in q4_0 is judged at the same dimensions and precisions; a note says so."""
    worse = shifted(tasks[0], -0.03, variants=("128/binary",)), tasks[1]
    rounded = [
        replace(task, values={f"q4_0@{variant}": values for variant, values in task.values.items()})
        for task in worse
    ]
    record = make_run(tmp_path, *rounded, label="after").record
    (entry,) = record.checkpoints
    record = record.model_copy(update={"checkpoints": (entry.model_copy(update={"weights": "q4_0"}),)})
    verdict = judge(baseline, Run(record, tmp_path), FAST)
    assert by_status(verdict, "regressed") == [("scifact", "128/binary")]
    assert len(verdict.findings) == 8
    assert "weights are native in the baseline, q4_0 in the candidate" in verdict.notes


@pytest.mark.parametrize(
    ("fingerprint", "words"),
    [
        ("ab" * 32, "the same checkpoint, by content"),
        ("org/model@abc123", "org/model@abc123, by name and revision"),
        ("no_model_name/available@no_revision_available", "cannot be told"),
    ],
)
def test_sameness_is_claimed_as_far_as_it_is_known(tmp_path, fingerprint, words):
    """Results of mteb are known by name: two from folders share one, and are not called the same."""
    run = make_run(tmp_path, retrieval(n=5))
    (entry,) = run.record.checkpoints
    entries = (entry.model_copy(update={"fingerprint": fingerprint}),)
    named = Run(run.record.model_copy(update={"checkpoints": entries}), run.folder)
    (note,) = judge(named, named, FAST).notes
    assert words in note
