"""A folder with everything the pages name, and a runner for their blocks in it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.exceptions import TyperException
from typer.main import get_command

from evalsuite.cli.app import GREEDY_OPTIONS, app, main
from evalsuite.cli.arguments import gather_values
from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS, write_beir, write_sts
from tests.docs.blocks import ROOT, Block, Command

WIDE = {"hidden": 768, "dense": 256, "layers": 1, "heads": 1, "head_dim": 16}
"""As wide as EmbeddingGemma, and otherwise as small as can be."""


def make_stand_ins(folder: Path) -> Path:
    """Write what the pages call `my-model`, `new-checkpoint`, `my-texts`, `pairs.tsv` and the like."""
    build_embeddinggemma(folder / "my-model", corpus=WORDS, **WIDE)
    build_embeddinggemma(folder / "new-checkpoint", corpus=WORDS, seed=1, **WIDE)
    documents = {
        f"d{i:02d}": " ".join(WORDS[(i * k + k) % 16] for k in range(1, 6)) + f" {i}" for i in range(60)
    }
    queries = {f"q{i:02d}": " ".join(documents[f"d{i * 5:02d}"].split()[:3]) for i in range(12)}
    qrels = {f"q{i:02d}": {f"d{i * 5:02d}": 2, f"d{(i * 5 + 16) % 60:02d}": 1} for i in range(12)}
    texts = write_beir(folder / "my-texts", documents, queries, qrels)
    (texts / "qrels" / "train.tsv").write_text((texts / "qrels" / "test.tsv").read_text())
    several = list(documents.values())
    write_sts(folder / "pairs.tsv", [(several[i], several[i * 3 % 60], i * 7 % 11 / 2) for i in range(1, 31)])
    pairs = [f"{text.rsplit(' ', 1)[0]}\t{text}" for text in several]
    (folder / "train.tsv").write_text("\n".join(["anchor\tpositive", *pairs]) + "\n")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "step-100").symlink_to(folder / "my-model")
    (folder / "path" / "to").mkdir(parents=True)
    (folder / "path" / "to" / "folder").symlink_to(texts)
    (folder / "MODEL").symlink_to(folder / "my-model")
    return folder


class Session:
    """One page, read from top to bottom in one folder.

    Attributes:
        folder: Where its commands run.
        problems: What went wrong, one text each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self._names: dict[str, Any] = {"__name__": "page"}

    def do(self, block: Block) -> None:
        """Run a block: write its file, start its commands, or execute its Python."""
        if block.language == "toml" and block.title:
            (self.folder / block.title).write_text(block.body, "utf-8")
        for command in block.commands:
            if command.tool == "evalsuite":
                self._start(command, block.exits)
        if block.language == "python":
            self._execute(block)

    def _start(self, command: Command, exits: tuple[int, ...]) -> None:
        """Run one command in this process and look at its exit code."""
        out, err = io.StringIO(), io.StringIO()
        with _inside(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = exit_code(command.words[1:])
        if code not in exits:
            self.problems.append(
                f"{command}\nexit code {code}, right were {exits}\n{out.getvalue()}{err.getvalue()}"
            )

    def _execute(self, block: Block) -> None:
        """Execute Python, and compare what it prints with the page."""
        out = io.StringIO()
        with _inside(self.folder), contextlib.redirect_stdout(out):
            exec(compile(block.body, block.place, "exec"), self._names)  # noqa: S102 - our own pages
        if block.output is not None and out.getvalue() != block.output:
            self.problems.append(f"{block.place} prints\n{out.getvalue()}and the page says\n{block.output}")


def exit_code(words: tuple[str, ...]) -> int:
    """Run the command line in this process and return its exit code."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        main(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        signal.signal(signal.SIGINT, handler)
    return 0


def usage_problem(words: tuple[str, ...]) -> str:
    """Say what is wrong with the options and arguments of a command, without running it."""
    command, name, parent = get_command(app), "evalsuite", None
    rest = gather_values(list(words[1:]), GREEDY_OPTIONS)
    while True:
        try:
            context = command.make_context(name, list(rest), parent=parent)
            if not hasattr(command, "resolve_command"):
                return ""
            left = [*context._protected_args, *context.args]
            if not left:
                return ""
            name, command, rest = command.resolve_command(context, left)
        except TyperException as error:
            return str(error)
        parent = context


def missing_target(words: tuple[str, ...]) -> str:
    """Say what make has to complain of; empty if nothing."""
    make = shutil.which("make")
    assert make is not None, "make is not installed"
    done = subprocess.run([make, "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
