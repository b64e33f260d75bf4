"""The recipes that come with evalsuite are good ones."""

from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

import evalsuite
from evalsuite.ablation.recipe import PairSource, load_recipe
from evalsuite.ablation.train import train
from evalsuite.ablation.twins import DIMS
from evalsuite.models.build import build_embeddinggemma

PACKAGE = Path(evalsuite.__file__).parent
RECIPES = [
    PACKAGE / "twins" / "recipe.toml",
    *sorted((PACKAGE.parent / "reports" / "recipes").glob("*.toml")),
]


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_recipe_compares_two_arms_that_differ_in_gor_only(file):
    """Everything but the spread-out loss is equal, over at least five seeds."""
    recipe = load_recipe(file)
    control, treated = recipe.arms["without-gor"], dict(recipe.arms["with-gor"])
    assert treated.pop("gor") > 0
    assert treated == control
    assert recipe.control_arm == "without-gor"
    assert len(recipe.seeds) >= 5


def test_the_twins_recipe_trains_the_dims_they_declare():
    """What a twin says of itself is what was trained."""
    assert tuple(load_recipe(RECIPES[0]).dims) == DIMS


def test_the_small_embeddinggemma_recipe_runs(tmp_path, raw, store, base):
    """The same recipe, two steps on a tiny base with a narrower teacher, gives a checkpoint that opens."""
    file = PACKAGE.parent / "reports" / "recipes" / "small-embeddinggemma.toml"
    if not file.exists():
        pytest.skip("recipes are in a checkout only")
    student = build_embeddinggemma(tmp_path / "student", hidden=32, dense=64, layers=2, heads=2, head_dim=16)
    tiny = load_recipe(file).model_copy(
        update={
            "base": str(student), "teacher": str(base), "dims": [32, 16], "seeds": [0], "steps": 2,
            "batch": 8, "data": [PairSource(**raw["data"][0])], "held_out": 0,
        }
    )  # fmt: skip
    arms = train(tiny, tmp_path / "lab", store=store)
    assert set(arms[1].history[-1]) == {"step", "nce", "gor", "distillation"}
    assert SentenceTransformer(arms[1].folder, device="cpu").get_embedding_dimension() == 32
