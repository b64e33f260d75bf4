"""What can be compared: runs, baselines, results of other tools, checkpoints."""

import pytest

from evalsuite.api.models import is_model_name
from evalsuite.core.errors import UsageError
from evalsuite.core.run import Run
from evalsuite.gate.accept import accept
from evalsuite.gate.baseline import BaselineRun
from evalsuite.gate.sides import Openers, open_sides
from tests.gate.made_up import make_run, retrieval


@pytest.fixture
def opened():
    """Openers that note what they were asked."""
    asked = []

    def evaluate(model, other):
        asked.append((model, other))
        return f"run of {model}"

    return Openers(Run.load, evaluate, is_model_name), asked


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", retrieval(n=10))


def test_runs_and_baselines_are_opened(run, opened, tmp_path):
    """A run, its folder, a baseline by name and by folder."""
    accept(run, "main", folder=tmp_path / "baselines")
    for baseline in ("main", tmp_path / "baselines" / "main"):
        before, after = open_sides(baseline, run.folder, opened[0], tmp_path / "baselines")
        assert isinstance(before, BaselineRun)
        assert after.record == run.record
    assert open_sides(run, run, opened[0]) == (run, run)
    assert opened[1] == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_checkpoint_is_asked_what_the_other_side_was(run, opened, tmp_path, turned):
    """A model folder or a hub id is evaluated on the other side's question, whichever side it is."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "modules.json").write_text("[]")
    for word in (str(model), "org/name"):
        sides = (word, run) if turned else (run, word)
        found = open_sides(*sides, opened[0], tmp_path)
        assert found[0 if turned else 1] == f"run of {word}"
        assert opened[1].pop() == (word, run)


def test_two_checkpoints_share_one_question(opened, tmp_path):
    """The first is asked the default question, the second what the first was asked."""
    assert open_sides("org/a", "org/b", opened[0], tmp_path) == ("run of org/a", "run of org/b")
    assert opened[1] == [("org/a", None), ("org/b", "run of org/a")]


def test_a_typo_is_not_sent_to_the_hub(run, opened, tmp_path):
    """A word that is nothing lists the baselines there are."""
    accept(run, "main", folder=tmp_path / "b")
    with pytest.raises(UsageError, match=r"'mian' is no run, no baseline and no checkpoint.*: main"):
        open_sides("mian", run, opened[0], tmp_path / "b")
