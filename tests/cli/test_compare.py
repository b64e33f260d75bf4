"""`evalsuite compare` and `evalsuite baseline` as processes: exit codes, files, messages."""

import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS
from tests.gate.made_up import make_run, retrieval, shifted, similarity

HEAVY = ("torch", "transformers", "sentence_transformers", "mteb", "sklearn", "datasets")
PROBE = """
import json, sys
from evalsuite.cli.app import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as end:
    code = end.code or 0
print(json.dumps({"code": code, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def run(*words, cwd):
    """Run the command in a folder of its own: baselines are looked for under it."""
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    environment.pop("GITHUB_STEP_SUMMARY", None)
    return subprocess.run(
        [sys.executable, "-m", "evalsuite", *map(str, words)], env=environment, cwd=cwd, text=True,
        capture_output=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A baseline, the same again, and one that lost five points at 128/binary."""
    folder = tmp_path_factory.mktemp("runs")
    tasks = retrieval(), similarity(n=60)
    before = make_run(folder / "before", *tasks)
    same = make_run(folder / "same", *tasks, label="same")
    worse = make_run(folder / "worse", shifted(tasks[0], -0.05, variants=("128/binary",)), tasks[1])
    return before.folder, same.folder, worse.folder


def test_a_pass_exits_with_0(runs, tmp_path):
    """The same values again: exit code 0 and one line with --quiet."""
    done = run("compare", runs[0], runs[1], "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "PASSED: no regression among 8 findings\n"


def test_a_regression_exits_with_1_and_writes_its_files(runs, tmp_path):
    """Exit code 1; JSON on stdout; the page, Markdown and JUnit where asked for."""
    files = "--out", tmp_path / "out", "--junit", tmp_path / "gate.xml"
    done = run("compare", runs[0], runs[2], *files, "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert (found["exit_code"], found["findings"][0]["variant"]) == (1, "128/binary")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"verdict.html", "verdict.json", "verdict.md"}
    assert "REGRESSED: 1 finding of 8" in (tmp_path / "out" / "verdict.html").read_text(encoding="utf-8")
    suite = ElementTree.fromstring((tmp_path / "gate.xml").read_text()).find("testsuite")  # noqa: S314 - ours
    assert suite.get("failures") == "1"


def test_the_terminal_shows_the_worst_first(runs, tmp_path):
    """A person sees the cell, the change and the queries."""
    done = run("compare", runs[0], runs[2], cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("REGRESSED: 1 finding of 8")
    assert "128/binary ndcg@10" in done.stdout
    assert "-5.0" in done.stdout


def test_usage_mistakes_exit_with_2(runs, tmp_path):
    """A word that is nothing, and a policy with mistakes: one message each, no traceback."""
    (tmp_path / "gate.toml").write_text("alpha = 7\nbeta = 1\n")
    for words, message in (
        (("compare", "mian", runs[0]), "'mian' is no run, no baseline and no checkpoint"),
        (("compare", runs[0], runs[1], "--policy", "gate.toml"), "gate.toml: 2 problems"),
        (("baseline", "accept", tmp_path), "cannot be read"),
        (("baseline", "accept", runs[0], "--name", "../x"), "cannot name a baseline"),
    ):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_accept_then_compare_by_name(runs, tmp_path):
    """Accepting prints what changes and makes a baseline that goes by its name; a lost task exits with 3."""
    done = run("baseline", "accept", runs[0], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "new baseline of model" in done.stdout
    assert run("compare", "main", runs[1], "--quiet", cwd=tmp_path).returncode == 0
    again = run("baseline", "accept", runs[2], cwd=tmp_path)
    assert "~ scifact · 128/binary · ndcg@10: " in again.stdout
    listed = run("baseline", "list", "--json", cwd=tmp_path)
    assert [(each["name"], each["tasks"]) for each in json.loads(listed.stdout)] == [
        ("main", ["scifact", "stsb"])
    ]
    assert "main" in run("baseline", "list", cwd=tmp_path).stdout
    lost = make_run(tmp_path / "lost", similarity(n=60))
    done = run("compare", "main", lost.folder, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "the candidate has no task 'scifact'" in " ".join(done.stdout.split())


def test_a_checkpoint_is_evaluated_on_the_other_sides_question(small_tasks, tmp_path):
    """A model's folder in place of a run: evaluated at the same cells, and the same model passes."""
    model = build_embeddinggemma(tmp_path / "tiny", corpus=WORDS)
    done = run("run", model, "--tasks", *small_tasks, "--dims", "64,16", "--precisions", "float32,binary",
               "--out", tmp_path / "before", "--no-report", "--quiet", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = run("compare", tmp_path / "before", model, "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "PASSED: no regression among 8 findings\n"), done.stderr


def test_comparing_runs_imports_no_model_library(runs, tmp_path):
    """A verdict on two runs and its page need neither torch nor mteb."""
    words = ["compare", str(runs[0]), str(runs[2]), "--quiet", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(words)], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stderr.strip().splitlines()[-1])
    assert answer["code"] == 1
    assert not set(HEAVY) & set(answer["modules"])
