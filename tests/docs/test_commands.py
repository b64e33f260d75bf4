"""Every command and every Python block of the documentation and the README."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, ROOT, Block, blocks
from tests.docs.session import Session, make_stand_ins, missing_target, usage_problem

EXCUSED = {
    "evalsuite demo": "evaluates two real models on every bundled task; `make demo` does it",
    "evalsuite run MODEL --tasks 'MTEB(eng, v2)'": "downloads a benchmark from the hub",
}
"""Commands that are parsed and not run, with the others of their block, and why."""

SLOW_PAGES = {
    "README.md": "draws three reports and encodes with a real model; docs/start.md does the same once"
}
"""Pages that run with the slow tests as a whole, and why."""


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    """The folder that every page's folder is copied from."""
    return make_stand_ins(tmp_path_factory.mktemp("stand-ins"))


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory):
    """One store for all pages: what one of them encoded, the next finds."""
    return tmp_path_factory.mktemp("shared-store")


@pytest.fixture
def session(stand_ins, shared_store, tmp_path, monkeypatch):
    """A fresh folder with the stand-ins, as a reader's working folder."""
    monkeypatch.setenv("EVALSUITE_CACHE", str(shared_store))
    monkeypatch.setenv("COLUMNS", "200")
    for path in stand_ins.iterdir():
        if path.name == "checkpoints":
            shutil.copytree(path, tmp_path / path.name, symlinks=True)
        else:
            (tmp_path / path.name).symlink_to(path)
    return Session(tmp_path)


def is_run(block: Block) -> bool:
    """Tell whether a block is started at all."""
    excused = any(shlex.join(command.words).startswith(tuple(EXCUSED)) for command in block.commands)
    return block.how != "not run" and not excused


QUICK = [page for page in PAGES if page not in SLOW_PAGES]
SLOW = [page for page in PAGES if page in SLOW_PAGES or any(block.how == "slow" for block in blocks(page))]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_has_options_that_exist(page):
    """Commands that are not run have options and arguments that the command line takes."""
    problems = [
        f"{command}\n{problem}"
        for block in blocks(page)
        for command in block.commands
        if (
            problem := {"evalsuite": usage_problem, "make": missing_target}.get(command.tool, missing_file)(
                command.words
            )
        )
    ]
    assert not problems, "\n".join(problems)


def missing_file(words):
    """Say that a script which `python` is to run is not there."""
    script = ROOT / words[1]
    return "" if words[1].startswith("-") or script.is_file() else f"{script}: no such file"


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_compiles(page):
    """Python that is not run is Python at least."""
    for block in blocks(page):
        if block.language == "python":
            compile(block.body, block.place, "exec")


@pytest.mark.parametrize("page", QUICK)
def test_every_command_of_a_page_runs(page, session):
    """A reader who types a page from top to bottom gets the exit codes and outputs that it promises."""
    for block in blocks(page):
        if is_run(block) and block.how != "slow":
            session.do(block)
    assert not session.problems, "\n\n".join(session.problems)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW)
def test_slow_commands_run_too(page, session):
    """The same with the blocks that take long."""
    for block in blocks(page):
        if is_run(block):
            session.do(block)
    assert not session.problems, "\n\n".join(session.problems)


PAGE = """
<!-- exits: 3 -->
```console
$ evalsuite tasks list --no-such-option
evalsuite nothing
make no-such-target
output
```

```python
print(1)
```

```text
2
```
"""


def test_a_wrong_option_and_a_missing_target_are_found():
    """The checks can fail: an unknown option, an unknown command, an unknown target."""
    block = blocks("page.md", PAGE)[0]
    first, second, third = block.commands
    assert "--no-such-option" in usage_problem(first.words)
    assert "nothing" in usage_problem(second.words)
    assert "no-such-target" in missing_target(third.words)
    assert block.exits == (3,)


def test_a_wrong_exit_code_and_a_wrong_output_are_found(tmp_path):
    """The runs can fail: exit code 2 where 3 was promised, and 1 printed where the page says 2."""
    session = Session(tmp_path)
    for block in blocks("page.md", PAGE):
        session.do(block)
    assert len(session.problems) == 3
    assert "exit code 2" in session.problems[0]
    assert "page says\n2" in session.problems[2]


def test_every_reason_is_given():
    """A block that is not run, or slow, says why."""
    for page in PAGES:
        text = Path(ROOT / page).read_text("utf-8")
        assert "<!-- not run -->" not in text
        assert "<!-- slow -->" not in text
