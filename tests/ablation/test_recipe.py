"""A recipe is checked before anything is trained, and all its mistakes are told at once."""

import pytest

from evalsuite.ablation.recipe import RecipeError, check_recipe, load_recipe, spread_weight

TOML = """
name = "tiny"
kind = "head-only"
base = "./model"
dims = [16, 8]
seeds = [0, 1]
steps = 5
batch = 4
learning_rate = 1e-3
[arms.without]
nce = 1
[arms.with]
nce = 1
gor = 10
[[data]]
path = "pairs.tsv"
"""


def test_a_recipe_is_read_with_paths_beside_it(tmp_path):
    """Relative paths are relative to the recipe, wherever one stands; whole numbers are fine as weights."""
    file = tmp_path / "recipe.toml"
    file.write_text(TOML)
    recipe = load_recipe(file)
    assert recipe.data[0].path == str(tmp_path / "pairs.tsv")
    assert recipe.base == str(tmp_path / "model")
    assert recipe.arms["with"] == {"nce": 1.0, "gor": 10.0}


def test_a_models_name_is_not_taken_for_a_path(tmp_path):
    """Only what starts like a path becomes one."""
    file = tmp_path / "recipe.toml"
    file.write_text(TOML.replace("./model", "org/model"))
    assert load_recipe(file).base == "org/model"


def test_variables_in_paths_are_filled_in(tmp_path, monkeypatch):
    """Data may lie somewhere else on every machine."""
    monkeypatch.setenv("PAIRS", str(tmp_path / "elsewhere"))
    file = tmp_path / "recipe.toml"
    file.write_text(TOML.replace('"pairs.tsv"', '"$PAIRS/pairs.tsv"'))
    assert load_recipe(file).data[0].path == str(tmp_path / "elsewhere" / "pairs.tsv")


def test_the_arm_without_spread_is_the_control(recipe):
    """Nobody has to name the control where only one arm can be it."""
    assert recipe.control_arm == "without"
    assert [spread_weight(losses) for losses in recipe.arms.values()] == [0.0, 5.0]


def test_every_mistake_is_told_at_once(raw):
    """An unknown loss, a negative weight, a missing field, a wrong type and a typo come in one message."""
    raw["arms"] = {"a": {"ncee": 1.0}, "b": {"gor": -1.0}, "c": {}}
    raw |= {"batch": 1, "stepz": 3, "dims": [16, 16], "control": "d", "data": [{"path": "x", "dataset": "y"}]}
    del raw["seeds"]
    with pytest.raises(RecipeError) as error:
        check_recipe(raw, where="recipe.toml")
    told = str(error.value)
    for part in (
        "recipe.toml: 9 problems", "arms.a.ncee: no such loss; losses: nce, gor, gor-original, distillation",
        "arms.b: a weight must not be negative, not -1.0", "arms.c: no loss has a weight above 0",
        "batch: input should be greater than or equal to 2, not 1", "stepz: no such field",
        "dims: a value is given twice", "control: no arm is called 'd'; arms: a, b, c",
        "data.0: give either a path or a dataset", "seeds: missing",
    ):  # fmt: skip
        assert part in told


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize(
    ("field", "line"), [("arms.with.gor", "gor = 10"), ("learning_rate", "learning_rate = 1e-3")]
)
def test_numbers_must_be_finite(tmp_path, field, line, value):
    """TOML has nan and inf; they are refused before anything is encoded or trained."""
    file = tmp_path / "recipe.toml"
    file.write_text(TOML.replace(line, f"{line.split(' =')[0]} = {value}"))
    with pytest.raises(RecipeError, match=rf"{field}: input should be .*, not {value}"):
        load_recipe(file)


@pytest.mark.parametrize(
    ("text", "told"), [("name = ", "not TOML"), (None, "cannot be read (No such file or directory)")]
)
def test_an_unreadable_recipe_is_one_message(tmp_path, text, told):
    """A missing file and a broken one say so."""
    file = tmp_path / "recipe.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RecipeError, match=r"recipe\.toml: 1 problem") as error:
        load_recipe(file)
    assert told in str(error.value)


@pytest.mark.parametrize("name", ["../up", "a/b", ""])
def test_an_arms_name_cannot_leave_the_folder(raw, name):
    """Arms become folders."""
    raw["arms"] = {name: {"nce": 1.0}}
    with pytest.raises(RecipeError, match="a name starts with a letter"):
        check_recipe(raw, where="recipe.toml")
