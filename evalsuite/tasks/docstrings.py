"""Finding docstrings in Python source files by parsing them; nothing is imported or run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SIGNATURE_LENGTH = 120
_SKIPPED_FOLDERS = frozenset(
    ("site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo", "ensurepip")
)
_Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_SENTENCE_END = re.compile(r"(?<=[.!?])\s(?=[^a-z])")


@dataclass(frozen=True, slots=True)
class Docstring:
    """The documentation of one public module, class, function or method.

    Attributes:
        name: The qualified name, such as `shutil.copytree`.
        signature: How it is called, such as `shutil.copytree(src, dst, symlinks=False)`; modules: their name.
        summary: The first sentence of the first paragraph.
        rest: Everything after the summary.
    """

    name: str
    signature: str
    summary: str
    rest: str


def source_files(library: Path) -> Iterator[tuple[str, Path]]:
    """Yield `(module name, file)` of every public module below a folder, in the order of names.

    Names with a leading underscore, installed packages, tests and the programs shipped with Python are left
    out.
    """
    return iter(sorted(_public_files(library, ())))


def _public_files(folder: Path, package: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield the public modules of a folder and its packages; never enters a folder that is left out."""
    for path in folder.iterdir():
        name = path.stem if path.suffix == ".py" else path.name
        if path.name == "__init__.py" and package:
            yield ".".join(package), path
        elif not name.isidentifier() or name.startswith("_") or name in _SKIPPED_FOLDERS:
            continue
        elif path.suffix == ".py":
            yield ".".join((*package, name)), path
        elif path.is_dir():
            yield from _public_files(path, (*package, name))


def read_docstrings(module: str, path: Path) -> list[Docstring]:
    """Parse a source file and return the docstrings of its public names, in the order of the source.

    Raises:
        SyntaxError: If the file is not valid Python.
        ValueError: If the file holds null bytes.
        OSError: If the file cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own invalid escapes and the like
        tree = ast.parse(path.read_bytes())
    return [*_docstring(tree, module, module), *_walk(tree, module)]


def _walk(node: ast.AST, prefix: str) -> Iterator[Docstring]:
    """Yield the docstrings of the public definitions in a module or class, also those under an `if`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Definition):
            if child.name.startswith("_"):
                continue
            name = f"{prefix}.{child.name}"
            yield from _docstring(
                child, name, name + _arguments(child, is_method=isinstance(node, ast.ClassDef))
            )
            if isinstance(child, ast.ClassDef):
                yield from _walk(child, name)
        elif isinstance(child, ast.If | ast.Try):
            yield from _walk(child, prefix)


def _docstring(node: ast.Module | _Definition, name: str, signature: str) -> Iterator[Docstring]:
    """Yield the node's docstring, split into summary and rest, if it has one."""
    text = ast.get_docstring(node)
    if not text or not text.strip():
        return
    paragraph, _, others = text.strip().partition("\n\n")
    summary, *more = _SENTENCE_END.split(" ".join(paragraph.split()), maxsplit=1)
    yield Docstring(name, signature, summary, " ".join([*more, *others.split()]))


def _arguments(node: _Definition, *, is_method: bool) -> str:
    """Write a definition's parameters without annotations, shortened; a class takes those of `__init__`."""
    if isinstance(node, ast.ClassDef):
        starts = (child for child in node.body if isinstance(child, ast.FunctionDef))
        start = next((child for child in starts if child.name == "__init__"), None)
        return _arguments(start, is_method=True) if start else ""
    arguments = node.args
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    if is_method and "staticmethod" not in decorators and arguments.args:
        del arguments.args[0]  # self or cls: the tree is this function's own to change
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    text = ast.unparse(arguments)
    if len(text) > _SIGNATURE_LENGTH:
        text = text[:_SIGNATURE_LENGTH].rpartition(",")[0] + ", ..."
    return f"({text})"
