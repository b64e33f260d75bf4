"""The whole experiment on a tiny base: trained, swept, its spaces measured, compared."""

import json
import re
import shutil

import pytest

from evalsuite.ablation.recipe import check_recipe
from evalsuite.cli.app import main
from tests.ablation.conftest import made_up_pairs

RECIPE = """
name = "tiny"
kind = "head-only"
base = "{base}"
dims = [16, 8]
seeds = [0, 1]
steps = 4
batch = 8
learning_rate = 1e-3
[arms.without]
nce = 1
[arms.with]
nce = 1
gor = 5
[[data]]
path = "pairs.tsv"
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory, base, pairs_file, small_tasks):
    """The command, run once: the folder it wrote."""
    folder = tmp_path_factory.mktemp("study")
    shutil.copy(pairs_file, folder / "pairs.tsv")
    (folder / "recipe.toml").write_text(RECIPE.format(base=base))
    options = ["--precisions", "float32,binary", "--out", str(folder / "lab"), "--quiet"]
    tasks = [word for task in small_tasks for word in ("--tasks", str(task))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALSUITE_CACHE", str(folder / "cache"))
        with pytest.raises(SystemExit) as done:
            main(["ablate", str(folder / "recipe.toml"), *tasks, *options])
    assert done.value.code == 0
    return folder / "lab"


def test_every_quantity_is_compared(finished):
    """Quality, retention, spread and ANN work of both tasks and dims, over two seeds."""
    report = json.loads((finished / "ablation.json").read_text())
    (comparison,) = report["comparisons"]
    assert (comparison["treated"], comparison["control"]) == ("with", "without")
    assert {effect["quantity"] for effect in comparison["effects"]} == {
        "quality",
        "retention",
        "spread",
        "ann",
    }
    assert {effect["seeds"] for effect in comparison["effects"]} == {2}
    moments = [e for e in comparison["effects"] if e["name"] == "document second_moment_x_dim"]
    assert [(effect["task"] == "mean over tasks", effect["dim"]) for effect in moments] == [
        (True, 16), (True, 8), *[(False, 16), (False, 8)] * 2,
    ]  # fmt: skip


def test_checkpoints_run_and_report_are_kept(finished):
    """Four checkpoints, one run, one page, and the figures that the Markdown shows."""
    assert len(list(finished.glob("*-seed-*/modules.json"))) == 4
    assert (finished / "run" / "record.json").exists()
    page = (finished / "ablation.md").read_text()
    assert page.startswith("# Ablation: tiny")
    shown = re.findall(r"!\[.*\]\((.*)\)", page)
    assert shown == ["figures/effects.svg"]
    assert "with minus without" in (finished / shown[0]).read_text()
    assert "with minus without" in (finished / "report.html").read_text()


def test_spread_and_search_are_those_of_the_run(finished):
    """Nothing is measured twice: the report's numbers are the record's, of every side, index and level."""
    record = json.loads((finished / "run" / "record.json").read_text())
    report = json.loads((finished / "ablation.json").read_text())
    values = {
        (each["checkpoint"], each["task"], each["dim"], f"{each['side']} {name}"): number["value"]
        for each in record["spread"]
        for name, number in each["values"].items()
    }
    doses = [each for each in report["doses"] if each["quantity"] == "spread"]
    assert {each["name"].partition(" ")[0] for each in doses} == {"document", "query", "query-document"}
    for each in doses:
        own = [
            values.get((f"{each['arm']}-seed-{s}", each["task"], each["dim"], each["name"])) for s in (0, 1)
        ]
        assert each["values"] == [value for value in own if value is not None]
    searched = {each["precision"] for each in report["doses"] if each["quantity"] == "ann"}
    assert searched == {each["probe"]["precision"] for each in record["ann"]} == {"float32", "binary"}


def test_a_mistake_in_tasks_or_levels_is_told_before_training(tmp_path, base, pairs_file, capsys):
    """An unknown task or level ends the command before anything is trained."""
    shutil.copy(pairs_file, tmp_path / "pairs.tsv")
    (tmp_path / "recipe.toml").write_text(RECIPE.format(base=base))
    (tmp_path / "no-task-in-here").mkdir()
    for option, wrong in (("--tasks", str(tmp_path / "no-task-in-here")), ("--precisions", "int3")):
        with pytest.raises(SystemExit) as done:
            main(["ablate", str(tmp_path / "recipe.toml"), option, wrong, "--out", str(tmp_path / "lab")])
        assert done.value.code == 2
        assert wrong in capsys.readouterr().err
        assert not (tmp_path / "lab").exists()


def test_a_bad_recipe_is_one_message(tmp_path, capsys):
    """Exit code 2, no traceback."""
    (tmp_path / "recipe.toml").write_text("name = 'x'\n")
    with pytest.raises(SystemExit) as done:
        main(["ablate", str(tmp_path / "recipe.toml")])
    assert done.value.code == 2
    told = capsys.readouterr().err
    assert "arms: missing" in told
    assert "Traceback" not in told


def test_made_up_pairs_are_a_recipe(raw):
    """The fixture itself is a good recipe over enough pairs."""
    assert check_recipe(raw, where="").batch <= len(made_up_pairs())
