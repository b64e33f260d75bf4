"""The recipes for CI in `docs/ci`: valid, and of commands that exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from evalsuite.cli.app import app

FOLDER = Path(__file__).parents[2] / "docs" / "ci"
COMMANDS = typer.main.get_command(app)


def scripts(value):
    """Every text that a runner executes."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("run", "script", "before_script"):
                yield from [inner] if isinstance(inner, str) else inner
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def commands(text):
    """The words of every call of evalsuite: what is run, and what comments say to run."""
    found = [line for script in scripts(yaml.safe_load(text)) for line in script.splitlines()]
    found += re.findall(r"^#\s+(evalsuite .*)$", text, re.MULTILINE)
    return [shlex.split(line)[1:] for line in found if line.startswith("evalsuite ")]


def parse(words):
    """Let the command line itself parse the words, without running anything; return the command's name."""
    command, context = COMMANDS, COMMANDS.context_class(COMMANDS)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return command.make_context(command.name, list(words), parent=context).info_name


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_every_command_and_option_exists(name):
    """Each call is parsed by the command line itself; there is a comparison that fails the job."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    found = commands(text)
    assert {words[0] for words in found} == {"compare", "run", "baseline"}
    assert {parse(words) for words in found} == {"compare", "run", "accept"}
    assert "allow_failure" not in text
    assert "continue-on-error" not in text


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_the_verdict_is_kept_when_the_job_fails(name):
    """A verdict that is lost when it says no is of no use."""
    content = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    if name.startswith("gitlab"):
        artifacts = content["embeddings-gate"]["artifacts"]
        assert artifacts["when"] == "always"
        assert artifacts["reports"]["junit"] == "gate/verdict.xml"
    else:
        last = content["jobs"]["gate"]["steps"][-1]
        assert (last["if"], last["with"]["path"]) == ("always()", "gate/")


def test_the_check_can_fail():
    """An option that does not exist is found."""
    with pytest.raises(Exception, match="No such option"):
        parse(["compare", "a", "b", "--no-such-option"])
