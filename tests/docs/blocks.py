"""Reading pages: fenced blocks, the commands in them, the tables around them.

A block may have a line before it that says how it is tested:

    <!-- not run: REASON -->    its commands are parsed, its Python is compiled, nothing is started
    <!-- slow: REASON -->       run by `make test-slow` only
    <!-- exits: 0 1 3 -->       exit codes that are right; 0 without it

A Python block right above a `text` block must print it. A `toml` block with a title is a file that commands
may use.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("docs/*.md"), ROOT / "README.md"]))

SHELL = ("", "console", "bash", "sh")
TOOLS = ("evalsuite", "make", "python")

_FENCE = re.compile(
    r"(?:^[ ]*<!--[ ](?P<how>not[ ]run|slow|exits):[ ](?P<words>[^\n]+?)[ ]-->\n)?"
    r"^(?P<indent>[ ]*)```(?P<language>[\w+-]*)(?:[ ]title=\"(?P<title>[^\"]+)\")?[ ]*\n"
    r"(?P<body>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True)
class Command:
    """One command of a page.

    Attributes:
        place: `docs/start.md:12`.
        words: The command as a shell would split it.
    """

    place: str
    words: tuple[str, ...]

    @property
    def tool(self) -> str:
        """The program."""
        return self.words[0]

    def __str__(self) -> str:
        return f"{self.place}: {shlex.join(self.words)}"


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        place: Page and line.
        language: Word after the fence.
        title: File that the block stands for.
        body: The text, without the indentation of the fence.
        how: `not run`, `slow` or nothing.
        exits: Exit codes that are right.
        output: The `text` block right below.
    """

    place: str
    language: str
    title: str
    body: str
    how: str = ""
    exits: tuple[int, ...] = (0,)
    output: str | None = field(default=None, repr=False)

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of a shell block; its other lines are what they print."""
        return tuple(_commands(self)) if self.language in SHELL else ()


def blocks(page: str, text: str | None = None) -> list[Block]:
    """Read the blocks of a page.

    Args:
        page: Path from the root of the checkout.
        text: Content of the page; read from the file if it is None.
    """
    text = (ROOT / page).read_text("utf-8") if text is None else text
    found = list(_FENCE.finditer(text))
    return [_block(page, text, match, after) for match, after in zip_longest(found, found[1:])]


def rows(page: str, heading: str = "") -> Iterator[tuple[str, ...]]:
    """Yield the cells of every table row below a heading, or of the whole page; heads and rules included."""
    text = (ROOT / page).read_text("utf-8")
    if heading:
        level = heading.split(" ", maxsplit=1)[0]
        below = text.split(f"\n{heading}\n", 1)[1]
        text = re.split(rf"^#{{1,{len(level)}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]
    for line in text.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            yield tuple(cell.strip().replace("\\|", "|") for cell in cells)


def _block(page: str, text: str, match: re.Match[str], after: re.Match[str] | None) -> Block:
    """Make a block of a match."""
    follows = after is not None and not text[match.end() : after.start()].strip()
    output = after["body"] if after is not None and follows and after["language"] == "text" else None
    line = text.count("\n", 0, match.start("language")) + 1
    codes = (match["words"] or "").split() if match["how"] == "exits" else ["0"]
    return Block(
        place=f"{page}:{line}",
        language=match["language"],
        title=match["title"] or "",
        body=textwrap.dedent(match["body"]),
        how="" if match["how"] == "exits" else match["how"] or "",
        exits=tuple(map(int, codes)),
        output=output,
    )


def _commands(block: Block) -> Iterator[Command]:
    """Split a shell block into commands."""
    for line in block.body.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True) if _starts(line) else []
        while words and _ASSIGNMENT.match(words[0]):
            words = words[1:]
        if words:
            yield Command(block.place, tuple(words))


def _starts(line: str) -> bool:
    """Tell whether a line is a command and not output."""
    words = [word for word in line.removeprefix("$ ").split() if not _ASSIGNMENT.match(word)]
    return bool(words) and words[0] in TOOLS
