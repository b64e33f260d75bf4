"""The floors of the house: a file imports only from lower floors or its own room."""

import ast
from pathlib import Path

import evalsuite

PACKAGE = Path(evalsuite.__file__).parent

FLOORS = {
    "core": 0,
    "vectors": 1, "metrics": 1, "stats": 1,
    "tasks": 2, "models": 2,
    "embeddings": 3,
    "sweep": 4,
    "reporting": 5, "gate": 5, "ablation": 5, "interop": 5, "history": 5, "cluster": 5,
    "api": 6,
    "integrations": 7,
    "cli": 8, "__main__": 9,
}  # fmt: skip
"""Floor of every room; rooms on one floor do not know each other."""


def room_of(module):
    """`evalsuite.core.errors` is in the room `core`; the package itself belongs to no room."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports_of(file):
    """Every evalsuite module that a file imports, at any depth, for types or for use."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "evalsuite")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            module = node.module or ""
            if module == "evalsuite":
                yield from (f"evalsuite.{alias.name}" for alias in node.names if alias.name != "__version__")
            elif module.startswith("evalsuite."):
                yield module


def violations(package):
    """Imports that go up, or sideways into another room."""
    found = []
    for file in sorted(package.rglob("*.py")):
        relative = file.relative_to(package)
        if relative.name == "__init__.py" and len(relative.parts) == 1:
            continue
        own = relative.parts[0].removesuffix(".py")
        for module in imports_of(file):
            other = room_of(module)
            if other != own and FLOORS[other] >= FLOORS[own]:
                found.append(f"{relative} imports {module}")
    return found


def test_no_import_goes_up():
    """No file imports from its own floor's other rooms or from a higher floor."""
    assert violations(PACKAGE) == []


def test_every_room_has_a_floor():
    """A new room cannot slip in without a place in the house."""
    rooms = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == set(FLOORS)


def test_the_check_can_fail(tmp_path):
    """An import upward and one sideways, planted in a copy of the layout, are both found."""
    for room in ("vectors", "metrics"):
        (tmp_path / room).mkdir()
    (tmp_path / "vectors" / "a.py").write_text(
        "def f():\n    from evalsuite.sweep import plan\n    return plan\n"
    )
    (tmp_path / "metrics" / "b.py").write_text("from evalsuite.vectors.search import TopK\n")
    (tmp_path / "metrics" / "c.py").write_text("from evalsuite.core.errors import UserError\n")
    upward, sideways = (Path("vectors/a.py"), Path("metrics/b.py"))
    assert violations(tmp_path) == [
        f"{sideways} imports evalsuite.vectors.search",
        f"{upward} imports evalsuite.sweep",
    ]
