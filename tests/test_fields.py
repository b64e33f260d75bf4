"""The file formats document themselves: what is read from a file or written to one has a sentence a field."""

import ast
import re
from pathlib import Path

import evalsuite

PACKAGE = Path(evalsuite.__file__).parent
MODELS = {"BaseModel", "_Noun"}
"""Base classes of what pydantic reads and writes."""


def unexplained(tree):
    """Public fields of models that no docstring speaks of: under them, of their class, of their module."""
    said_above = ast.get_docstring(tree) or ""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or not MODELS & {ast.unparse(base) for base in node.bases}:
            continue
        listed = ast.get_docstring(node) or ""
        for field, after in zip(node.body, [*node.body[1:], None], strict=True):
            if not isinstance(field, ast.AnnAssign) or ast.unparse(field.target).startswith("_"):
                continue
            name = ast.unparse(field.target)
            said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if not said and f"    {name}:" not in listed and not re.search(rf"\b{name}\b", said_above):
                yield f"{node.name}.{name}"


def test_every_field_is_explained():
    """Every field has its sentence."""
    found = [
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for name in unexplained(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not found


def test_a_silent_field_is_found():
    """The companion that fails on purpose: a field without a sentence is named."""
    source = 'class A(BaseModel):\n    kind: str = "x"\n    n: int\n    """How many."""\n'
    assert list(unexplained(ast.parse(source))) == ["A.kind"]
