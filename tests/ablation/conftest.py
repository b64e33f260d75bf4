"""A tiny base, pairs that can be learned, and a recipe over both."""

import pytest

from evalsuite.ablation.recipe import check_recipe
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS

PAIRS = 48


def write_pairs(file, rows, header="anchor\tpositive"):
    file.write_text("\n".join([header, *("\t".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return file


def made_up_pairs(count=PAIRS, start=0):
    return [
        (
            f"{WORDS[i % 16]} and {WORDS[i * 7 % 16]} {i}",
            f"the {WORDS[i * 7 % 16]} of the {WORDS[i % 16]} {i}",
        )
        for i in range(start, start + count)
    ]


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """An EmbeddingGemma-shaped model of width 16 with random weights."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return build_embeddinggemma(folder, hidden=16, dense=32, layers=1, heads=1, head_dim=16)


@pytest.fixture(scope="session")
def pairs_file(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs") / "pairs.tsv", made_up_pairs())


@pytest.fixture
def raw(base, pairs_file):
    """A recipe as TOML would give it."""
    return {
        "name": "tiny",
        "kind": "head-only",
        "base": str(base),
        "arms": {
            "without": {"nce": 1.0, "distillation": 1.0},
            "with": {"nce": 1.0, "distillation": 1.0, "gor": 5.0},
        },
        "data": [{"path": str(pairs_file)}],
        "dims": [16, 8],
        "seeds": [0],
        "steps": 6,
        "batch": 8,
        "learning_rate": 1e-3,
        "save_every": 2,
    }


@pytest.fixture
def recipe(raw):
    return check_recipe(raw, where="recipe.toml")


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return EmbeddingStore(tmp_path_factory.mktemp("vectors"))
