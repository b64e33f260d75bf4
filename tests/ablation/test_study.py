"""The whole experiment on a tiny base: trained, swept, its spaces measured, compared."""

import json
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
    assert [effect["dim"] for effect in moments] == [16, 8]


def test_checkpoints_run_and_report_are_kept(finished):
    """Four checkpoints, one run, one page."""
    assert len(list(finished.glob("*-seed-*/modules.json"))) == 4
    assert (finished / "run" / "record.json").exists()
    assert (finished / "ablation.md").read_text().startswith("# Ablation: tiny")


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
