"""The pytest plugin, in sessions of its own: with and without pytest-xdist."""

import os
import sys

import pytest

# A session in this process forgets what it imported; what is here already is not imported again and again.
import evalsuite.api.evaluation
import evalsuite.api.judging
import evalsuite.integrations.pytest_gate  # noqa: F401
from evalsuite.gate.accept import accept

pytest_plugins = ["pytester"]

PLUGIN = "evalsuite.integrations.pytest_plugin"
LIGHT = """
    import sys

    def test_nothing_heavy_was_imported():
        heavy = ("torch", "transformers", "sentence_transformers", "mteb", "numpy", "pandas", "pydantic",
                 "scipy", "filelock", "evalsuite.api", "evalsuite.gate", "evalsuite.core")
        assert [name for name in heavy if name in sys.modules] == []
        assert "evalsuite.integrations.pytest_plugin" in sys.modules
"""
CHECK = """
    def test_gate(evalsuite_gate):
        evalsuite_gate.check()
"""
MANY = """
    import pytest

    @pytest.mark.parametrize("task", ["scifact", "stsb"])
    @pytest.mark.parametrize("variant", ["768/*", "128/*"])
    def test_cells(evalsuite_gate, task, variant):
        evalsuite_gate.check(task=task, variant=variant)
"""
COUNTED = """
    import os
    import pytest
    from evalsuite.models.fake import fake_checkpoint

    def make_model():
        with open({log!r}, "a") as file:
            file.write("made\\n")
        return fake_checkpoint(64, seed={seed})

    @pytest.fixture(scope="session")
    def evalsuite_model():
        return make_model
"""


@pytest.fixture
def session(pytester, monkeypatch):
    """Run a pytest session that has this plugin, whether or not the package's entry point is there."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", *sys.path]))
    for name in ("PYTEST_XDIST_WORKER", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments, apart=False):
        words = ["-p", PLUGIN, *(["-p", "xdist"] if "-n" in arguments else []), *map(str, arguments)]
        start = pytester.runpytest_subprocess if apart or "-n" in arguments else pytester.runpytest_inprocess
        return start(*words)

    return run


def gate(baseline, model, *more):
    return ["--evalsuite-baseline", baseline.folder, "--evalsuite-model", model.folder, *more]


def test_a_project_that_does_not_use_it_starts_as_before(session, pytester):
    """Nothing but pytest is imported, and nothing is printed."""
    pytester.makepyfile(LIGHT)
    done = session(apart=True)
    done.assert_outcomes(passed=1)
    assert "evalsuite" not in done.stdout.str()


def test_a_pass_shows_every_cell(session, pytester, before, same):
    """Each judged cell is in the terminal summary, with its values; then the headline."""
    pytester.makepyfile(CHECK)
    done = session(*gate(before, same))
    assert done.ret == 0
    done.assert_outcomes(passed=1)
    for task, metric in (("scifact", "ndcg@10"), ("stsb", "cosine_spearman")):
        for variant in ("768/float32", "768/int8", "128/float32", "128/binary"):
            done.stdout.fnmatch_lines([f"passed * {task} ? {variant} ? {metric} * -> *(0.0)*"])
    done.stdout.fnmatch_lines(["*evalsuite gate*", "PASSED: no regression among 8 findings"])


def test_a_regression_fails_with_the_numbers(session, pytester, before, worse):
    """The message names the cell and the change; no traceback into the plugin."""
    pytester.makepyfile(CHECK)
    done = session(*gate(before, worse))
    assert done.ret == 1
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["REGRESSED: 1 finding of 8", "regressed * scifact ? 128/binary ? ndcg@10 *(-5.0)*"]
    )
    assert "pytest_gate.py" not in done.stdout.str()


def test_a_committed_baseline_goes_by_name(session, pytester, before, worse):
    """`main` is looked for below the folder that pytest starts in; a policy can allow the drop."""
    accept(before, "main", folder=pytester.path / "reports" / "baselines")
    (pytester.path / "gate.toml").write_text("[[margin]]\nabsolute = 0.2\n")
    pytester.makepyfile(CHECK)
    given = ("--evalsuite-baseline", "main", "--evalsuite-model", worse.folder)
    session(*given).assert_outcomes(failed=1)
    session(*given, "--evalsuite-policy", "gate.toml").assert_outcomes(passed=1)


def test_a_case_that_no_longer_runs_fails(session, pytester, before, lacking):
    """A task of the baseline that the candidate lacks fails the test that asks for everything."""
    pytester.makepyfile(CHECK)
    done = session(*gate(before, lacking))
    assert done.ret == 1
    done.stdout.fnmatch_lines(
        ["COULD NOT JUDGE: 4 findings of 8", "missing * scifact *has no task 'scifact'*"]
    )


def test_a_case_that_no_test_looks_at_fails_the_session(session, pytester, before, lacking, worse):
    """The only test passes, because it looks elsewhere; the session does not."""
    pytester.makepyfile("def test_sts(evalsuite_gate):\n    evalsuite_gate.check(task='stsb')\n")
    for candidate, headline in ((lacking, "COULD NOT JUDGE*"), (worse, "REGRESSED*")):
        done = session(*gate(before, candidate))
        done.assert_outcomes(passed=1)
        assert done.ret == 1
        done.stdout.fnmatch_lines([headline])


@pytest.mark.parametrize("content", ["def test_other():\n    pass\n", "X = 1\n"])
def test_a_deleted_test_fails_the_session(session, pytester, before, same, content):
    """A baseline is named, but no test asks for the gate: nothing was judged, and that is no pass."""
    pytester.makepyfile(content)
    done = session(*gate(before, same))
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*no test used the fixture evalsuite_gate*"])
    assert session(*gate(before, same), "--collect-only").ret != 1


def test_without_a_baseline_the_test_is_skipped(session, pytester):
    """A plain `pytest` on a laptop does not evaluate anything."""
    pytester.makepyfile(CHECK)
    done = session("-rs")
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["*no --evalsuite-baseline given*"])


def test_workers_judge_once_and_show_it_once(session, pytester, finished_run):
    """With `-n 2` the model is made and evaluated once; the controller shows the cells."""
    log = pytester.path / "made.txt"
    pytester.makeconftest(COUNTED.format(log=str(log), seed=0))
    pytester.makepyfile(
        "import pytest\n\n@pytest.mark.parametrize('n', range(6))\n"
        "def test_gate(evalsuite_gate, n):\n    evalsuite_gate.check()\n"
    )
    done = session("-n", "2", "--evalsuite-baseline", finished_run.folder, "--evalsuite-out", "gate")
    done.assert_outcomes(passed=6)
    assert done.ret == 0
    assert log.read_text().splitlines() == ["made"]
    assert done.stdout.str().count("PASSED: no regression") == 1
    done.stdout.fnmatch_lines(["passed * harbour ? 64/int8 ? ndcg@10 *", "verdict: gate"])
    assert {"verdict.json", "verdict.md", "verdict.xml", "run"} <= {
        p.name for p in (pytester.path / "gate").iterdir()
    }


def test_workers_fail_a_session_too(session, pytester, before, lacking):
    """With `-n 2`: a missing case fails its own tests; those of the other task pass."""
    pytester.makepyfile(MANY)
    done = session("-n", "2", *gate(before, lacking))
    done.assert_outcomes(passed=2, failed=2)
    done.stdout.fnmatch_lines(["COULD NOT JUDGE*"])


def test_what_no_worker_looks_at_fails_the_session(session, pytester, before, same):
    """With `-n 2` too, a baseline that no test judges is no pass."""
    pytester.makepyfile("def test_other():\n    pass\n")
    done = session("-n", "2", *gate(before, same))
    done.assert_outcomes(passed=1)
    assert done.ret == 1


def test_fewer_tasks_than_the_baseline_is_no_pass(session, pytester, finished_run, small_tasks):
    """`--evalsuite-tasks` and `--evalsuite-dims` narrow the question; what is left out is missing."""
    pytester.makeconftest(COUNTED.format(log=str(pytester.path / "made.txt"), seed=0))
    pytester.makepyfile(CHECK)
    baseline = ("--evalsuite-baseline", finished_run.folder)
    done = session(*baseline, "--evalsuite-tasks", small_tasks[0])
    assert done.ret == 1
    done.stdout.fnmatch_lines(["missing * pairs ? 64/float32 *"])
    done = session(*baseline, "--evalsuite-dims", "64", "--evalsuite-precisions", "float32,int8")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["missing * harbour ? 16/binary *"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--evalsuite-policy", "x.toml"], "--evalsuite-policy: name the baseline too"),
        (["--evalsuite-baseline", "mian"], "'mian' is neither a run nor a baseline"),
        (["--evalsuite-baseline", "BASE"], "no model is named; give --evalsuite-model"),
        (["--evalsuite-baseline", "BASE", "--evalsuite-model", "BASE", "--evalsuite-dims", "8"],
         "--evalsuite-dims: a run answers its own question"),
        (["--evalsuite-baseline", "BASE", "--evalsuite-model", "x/y", "--evalsuite-dims", "8,b"],
         "not whole numbers: b"),
        (["--evalsuite-baseline", "REAL", "--evalsuite-model", "nowhere"], "could not judge: 'nowhere'"),
    ],
)  # fmt: skip
def test_mistakes_are_one_message(session, pytester, before, finished_run, arguments, message):
    """Never a pass, never a traceback."""
    pytester.makepyfile(CHECK)
    known = {"BASE": before.folder, "REAL": finished_run.folder}
    done = session(*[known.get(word, word) for word in arguments])
    assert done.ret in (1, 4)
    text = done.stdout.str() + done.stderr.str()
    assert message in text
    assert "Traceback" not in text


def test_a_check_of_nothing_fails(session, pytester, before, same):
    """A task that neither side has: renamed in the test, or misspelt."""
    pytester.makepyfile("def test_gate(evalsuite_gate):\n    evalsuite_gate.check(task='scifct')\n")
    done = session(*gate(before, same))
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*neither side has a cell scifct*nothing was judged*"])
