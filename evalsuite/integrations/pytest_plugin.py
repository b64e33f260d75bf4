"""Pytest plugin: the fixture `evalsuite_gate`, which judges a model against a baseline.

::

    def test_nothing_got_worse(evalsuite_gate):
        evalsuite_gate.check()

    pytest --evalsuite-baseline main --evalsuite-model ./my-model

Once a baseline is named, missing never passes: a cell of the baseline that was not evaluated again fails the
session, whether or not a test looks at it, and so does a session in which no test used the fixture.

Every pytest of an environment imports this file, so it imports nothing but pytest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalsuite.integrations.pytest_gate import Gate

_OUTCOME = pytest.StashKey[dict[str, Any]]()
_OUTPUT = "evalsuite_gate"
"""Name under which a worker of pytest-xdist hands its outcome to the controller."""
_NOT_USED = (
    "--evalsuite-baseline names a baseline, but no test used the fixture evalsuite_gate: nothing was judged"
)

_OPTIONS = {
    "baseline": "What is compared with: a committed baseline by name, or a run's folder.",
    "model": "What is judged: a model's folder or hub id, or a run's folder.",
    "policy": "TOML file of margins and rules.  [default: one point a cell]",
    "tasks": "Tasks, separated by commas.  [default: those of the baseline]",
    "dims": "Dimensions, separated by commas.  [default: those of the baseline]",
    "precisions": "Quantization levels, separated by commas.  [default: those of the baseline]",
    "out": "Folder for the verdict's files and the run.  [default: pytest's temporary folder]",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("evalsuite", "evalsuite: judge a model against a baseline")
    for name, text in _OPTIONS.items():
        group.addoption(f"--evalsuite-{name}", metavar=name.upper(), help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that mean nothing without a baseline.

    Raises:
        pytest.UsageError: If there are such options.
    """
    given = [f"--evalsuite-{name}" for name in _OPTIONS if config.getoption(f"evalsuite_{name}")]
    if given and "--evalsuite-baseline" not in given:
        message = f"{', '.join(given)}: name the baseline too, with --evalsuite-baseline"
        raise pytest.UsageError(message)


@pytest.fixture(scope="session")
def evalsuite_model(pytestconfig: pytest.Config) -> Any:
    """What is judged. Override it in your `conftest.py` to judge a model that your tests make.

    It may be a folder, a hub id, a `SentenceTransformer`, a run, or a function that returns one of these,
    which is then called by one process only.
    """
    return pytestconfig.getoption("evalsuite_model")


@pytest.fixture(scope="session")
def evalsuite_gate(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, evalsuite_model: Any
) -> Gate:
    """The verdict on a model: `check()` fails the test if anything is worse than the baseline, or missing.

    The model is evaluated once a session, also with pytest-xdist. Without `--evalsuite-baseline` the test is
    skipped.
    """
    options = {name: pytestconfig.getoption(f"evalsuite_{name}") for name in _OPTIONS}
    if not options["baseline"]:
        pytest.skip("no --evalsuite-baseline given")
    from evalsuite.integrations.pytest_gate import Gate, judge_once

    folder = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist have folders of their own within that of the session.
    shared = folder.parent if hasattr(pytestconfig, "workerinput") else folder
    outcome = judge_once(shared / "evalsuite-gate", options, evalsuite_model)
    pytestconfig.stash[_OUTCOME] = outcome
    if "error" in outcome:
        pytest.fail(f"could not judge: {outcome['error']}", pytrace=False)
    return Gate.of(outcome)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist found."""
    text = getattr(node, "workeroutput", {}).get(_OUTPUT)
    if text:
        node.config.stash[_OUTCOME] = json.loads(text)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session that would pass although something was not judged or got worse."""
    config = session.config
    outcome = config.stash.get(_OUTCOME, None)
    if hasattr(config, "workeroutput"):
        config.workeroutput[_OUTPUT] = json.dumps(outcome) if outcome else ""
        return
    good = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if good and _concerned(config) and (outcome is None or outcome.get("exit_code") != 0):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show every judged cell, the most harmful first."""
    outcome = config.stash.get(_OUTCOME, None)
    if outcome is None and not _concerned(config):
        return
    terminalreporter.section("evalsuite gate")
    if outcome is None:
        terminalreporter.line(_NOT_USED, red=True)
        return
    from evalsuite.integrations.pytest_gate import summary_lines

    for line, harmful in summary_lines(outcome):
        terminalreporter.line(line, red=harmful)


def _concerned(config: pytest.Config) -> bool:
    """Tell whether this session was asked to judge."""
    return bool(config.getoption("evalsuite_baseline")) and not config.getoption("collectonly")
