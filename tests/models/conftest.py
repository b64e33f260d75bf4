"""Two small models, built once for the whole room, and copies a test may damage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsuite.models.build import build_embeddinggemma, build_embeddinggemma2

Edit = Callable[[Path, Callable[[dict[str, Any]], object]], None]


@pytest.fixture(scope="session")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small EmbeddingGemma. Read only."""
    return build_embeddinggemma(tmp_path_factory.mktemp("models") / "tiny-gemma")


@pytest.fixture(scope="session")
def gemma2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small EmbeddingGemma 2. Read only."""
    return build_embeddinggemma2(tmp_path_factory.mktemp("models") / "tiny-gemma2")


@pytest.fixture
def copy(gemma: Path, tmp_path: Path) -> Path:
    """A copy of the small EmbeddingGemma that a test may change."""
    return shutil.copytree(gemma, tmp_path / "copy")


@pytest.fixture
def edit() -> Edit:
    """Change one JSON file in place."""

    def change(path: Path, how: Callable[[dict[str, Any]], object]) -> None:
        content = json.loads(path.read_text("utf-8"))
        how(content)
        path.write_text(json.dumps(content), "utf-8")

    return change
