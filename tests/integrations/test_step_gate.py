"""StepGate: what each step is judged against."""

import json
import math
import shutil

import pytest

from evalsuite.core.errors import UsageError
from evalsuite.core.run import Run
from evalsuite.integrations.step_gate import StepGate, open_baseline


@pytest.fixture
def steps(before, same, worse, tmp_path):
    """Copies of the runs, because verdicts are written into them."""
    copies = [shutil.copytree(run.folder, tmp_path / run.folder.name) for run in (before, same, worse)]
    return [Run.load(copy) for copy in copies]


def judged_against(gate, steps, scores):
    """The folder each step was compared with; None for the first."""
    verdicts = [gate.judge(run, score) for run, score in zip(steps, scores, strict=True)]
    return [None if verdict is None else verdict.baseline.source for verdict in verdicts]


@pytest.mark.parametrize(
    ("against", "scores", "expected"),
    [
        ("first", (0.5, 0.6, 0.4), (None, 0, 0)),
        ("best", (0.5, 0.6, 0.4), (None, 0, 1)),
        ("best", (0.5, 0.4, 0.4), (None, 0, 0)),
        ("best", (math.nan, 0.4, 0.3), (None, 0, 1)),
        ("previous", (0.5, 0.4, 0.6), (None, 0, 1)),
    ],
)
def test_what_each_step_is_compared_with(against, scores, expected, steps):
    """The first, the best so far by score, or the one before; NaN is never the best."""
    folders = [None if place is None else str(steps[place].folder) for place in expected]
    assert judged_against(StepGate(against), steps, scores) == folders


def test_a_fixed_baseline_judges_the_first_step_too(steps):
    """A run, or its folder, is the same."""
    for against in (steps[0], steps[0].folder):
        verdict = StepGate(against).judge(steps[2], 0.5)
        assert verdict.exit_code == 1
        assert [f.variant for f in verdict.findings if f.effect == "fails"] == ["128/binary"]


def test_the_verdict_lies_beside_the_run(steps, tmp_path):
    """As JSON and Markdown, with the name of the policy that was read once."""
    policy = tmp_path / "gate.toml"
    policy.write_text("[[margin]]\nabsolute = 0.2\n")
    gate = StepGate(steps[0], policy)
    policy.unlink()
    assert gate.judge(steps[2], 0.5).exit_code == 0
    written = json.loads((steps[2].folder / "verdict.json").read_text())
    assert (written["exit_code"], written["policy"]) == (0, str(policy))
    assert (steps[2].folder / "verdict.md").read_text().strip()


def test_remembering_is_judging_without_a_verdict(steps):
    """After a restart the first step is still the first."""
    gate = StepGate("first")
    gate.remember(steps[0], 0.5)
    assert gate.judge(steps[2], 0.4).baseline.source == str(steps[0].folder)


def test_mistakes_show_before_the_training(tmp_path, monkeypatch):
    """A policy with mistakes, and a baseline that does not exist."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.toml").write_text("alpha = 7\nbeta = 1\n")
    with pytest.raises(UsageError, match="2 problems"):
        StepGate("first", tmp_path / "gate.toml")
    with pytest.raises(UsageError, match="'mian' is neither a run nor a baseline"):
        open_baseline("mian")
