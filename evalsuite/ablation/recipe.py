"""Recipe: what to train and compare, as a TOML file whose every field explains itself."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from evalsuite.core.errors import TaskDataError

LOSSES = {
    "nce": "contrastive, with in-batch and hard negatives; at every dimension",
    "gor": "EmbeddingGemma's spread-out term, the second moment of each side; at every dimension",
    "gor-original": "Zhang et al.'s spread-out term, M1² and the hinged M2 - 1/d; at every dimension",
    "distillation": "L2 distance to the teacher's vectors; at full width",
}
"""The losses an arm can weigh, and where each is applied (arXiv 2509.20354, section 2.2)."""

SPREAD_LOSSES = ("gor", "gor-original")

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""Names of recipes and arms, which become names of folders."""

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class RecipeError(TaskDataError):
    """A recipe or its data is malformed; lists every mistake."""


class PairSource(BaseModel):
    """Where training pairs are: one `[[data]]` table."""

    model_config = _STRICT

    path: str = ""
    """A tab-separated file, `.tsv` or `.tsv.gz`, with the header `anchor positive` or `anchor positive
    negative`; relative to the recipe, `~` and `$VARIABLES` are filled in."""

    dataset: str = ""
    """In place of a path: a folder saved by, or a hub name known to, the library `datasets`, with the same
    columns."""

    split: str = "train"
    """Split of the dataset."""

    pairs: int | None = Field(default=None, ge=1)
    """How many pairs are drawn from it; left out, all are used."""

    @property
    def name(self) -> str:
        """The path or the dataset."""
        return self.path or self.dataset


class Recipe(BaseModel):
    """What to train and compare."""

    model_config = _STRICT

    name: str = Field(pattern=rf"^{NAME}$")
    """What the experiment is called in files and tables."""

    kind: Literal["head-only", "full"]
    """`head-only` (the encoder is frozen and encodes every text once) or `full` (everything is trained)."""

    base: str = Field(min_length=1)
    """The checkpoint to start from: a folder, a hub id, or `all-MiniLM-L6-v2`."""

    arms: dict[str, dict[str, float]] = Field(min_length=1)
    """Name of each arm to the weights of its losses; see `LOSSES`."""

    data: list[PairSource] = Field(min_length=1)
    """The training pairs."""

    control: str = ""
    """The arm the others are compared with; left out, the only one without a spread-out loss."""

    teacher: str = ""
    """The checkpoint whose vectors are distilled; left out, the base itself."""

    projection: bool = False
    """Learn a map from the student's space into the teacher's; needed where their widths differ."""

    dims: list[int] = Field(min_length=1)
    """Matryoshka dimensions, the full width among them."""

    seeds: list[int] = Field(min_length=1)
    """One checkpoint an arm and seed."""

    steps: int = Field(ge=1)
    """Optimiser steps."""

    batch: int = Field(ge=2)
    """Pairs a step."""

    batches: Literal["one-source", "mixed"] = "one-source"
    """Whether a batch holds pairs of one file, as EmbeddingGemma's do, or of all."""

    learning_rate: float = Field(gt=0)
    """Peak of the learning rate: linear warm-up over a tenth of the steps, then a half cosine down to 0."""

    temperature: float = Field(default=0.05, gt=0)
    """Temperature of the contrastive loss."""

    hardness: float = Field(default=5.0, ge=0)
    """How much more a harder hard negative counts."""

    hidden: int | None = Field(default=None, ge=1)
    """Width between the two Dense layers of a new head; left out, 4 times the base's width for head-only and
    no new head for full."""

    max_words: int | None = Field(default=None, ge=1)
    """Texts are cut to so many words."""

    held_out: int = Field(default=0, ge=0)
    """Pairs of each source kept from training, for choosing between recipes."""

    save_every: int = Field(default=100, ge=1)
    """Steps between two saved states; a killed training goes on from the last."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """Number format in which a frozen base and the teacher encode the pairs."""

    @pydantic.model_validator(mode="after")
    def _fields_fit_together(self) -> Recipe:
        clashes = _clashes(self.model_dump())
        if clashes:
            raise ValueError("; ".join(clashes))
        return self

    @property
    def control_arm(self) -> str:
        """The arm the others are compared with."""
        return self.control or next(iter(_without_spread(self.arms)), next(iter(self.arms)))

    @property
    def distils(self) -> bool:
        """Whether any arm needs a teacher."""
        return any(losses.get("distillation") for losses in self.arms.values())


def spread_weight(losses: Mapping[str, float]) -> float:
    """Return the weight of an arm's spread-out loss, the dose of a dose-response curve."""
    return sum(losses.get(name, 0.0) for name in SPREAD_LOSSES)


def load_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Read and check a recipe; relative paths in it become absolute.

    Raises:
        RecipeError: Lists every mistake: the field, and what is allowed there.
    """
    path = Path(path).expanduser()
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise RecipeError(str(path), [f"cannot be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(str(path), [f"not TOML: {error}"]) from None
    recipe = check_recipe(raw, where=str(path))
    return recipe.model_copy(
        update={
            "data": [source.model_copy(update=_absolute(source, path.parent)) for source in recipe.data],
            "base": _absolute_model(recipe.base, path.parent),
            "teacher": _absolute_model(recipe.teacher, path.parent),
        }
    )


def check_recipe(raw: Mapping[str, Any], *, where: str) -> Recipe:
    """Make a recipe of a mapping.

    Args:
        raw: Field names to values.
        where: What was read, for messages.

    Raises:
        RecipeError: Lists every mistake.
    """
    try:
        return Recipe.model_validate(_floats(raw))
    except pydantic.ValidationError as error:
        # The checks across fields (no location) run only once all fields are right, so they are repeated.
        faults = [_fault(dict(detail)) for detail in error.errors() if detail["loc"]]
        raise RecipeError(where, [*faults, *_clashes(raw)]) from None


def _floats(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Read whole numbers where fractions are meant: TOML tells `1` and `1.0` apart, people do not."""
    arms = raw.get("arms")
    if not isinstance(arms, Mapping):
        return dict(raw)
    fractional = {
        arm: {name: float(weight) if type(weight) is int else weight for name, weight in losses.items()}
        if isinstance(losses, Mapping)
        else losses
        for arm, losses in arms.items()
    }
    return {**raw, "arms": fractional}


def _fault(detail: Mapping[str, Any]) -> str:
    """Say one of pydantic's findings with the field's name first and what is allowed."""
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{field}: missing"
    if detail["type"] == "extra_forbidden":
        table = PairSource if detail["loc"][0] == "data" else Recipe
        return f"{field}: no such field; fields: {', '.join(table.model_fields)}"
    return f"{field}: {detail['msg'][0].lower()}{detail['msg'][1:]}, not {detail['input']!r}"


def _clashes(raw: Mapping[str, Any]) -> list[str]:
    """List the fields that do not fit each other; fields of a wrong type are left to pydantic."""
    found = []
    arms = raw.get("arms")
    if isinstance(arms, Mapping):
        found += [fault for arm, losses in arms.items() for fault in _arm_faults(arm, losses)]
        control = raw.get("control")
        if control and control not in arms:
            found.append(f"control: no arm is called {control!r}; arms: {', '.join(arms)}")
    sources = raw.get("data")
    for number, source in enumerate(sources if isinstance(sources, list) else []):
        if isinstance(source, Mapping) and bool(source.get("path")) == bool(source.get("dataset")):
            found.append(f"data.{number}: give either a path or a dataset")
    for field in ("dims", "seeds"):
        values = raw.get(field)
        if isinstance(values, list) and len(set(map(str, values))) < len(values):
            found.append(f"{field}: a value is given twice")
        low = 1 if field == "dims" else 0
        if isinstance(values, list) and any(isinstance(value, int) and value < low for value in values):
            found.append(f"{field}: must not be below {low}")
    return found


def _arm_faults(arm: str, losses: object) -> list[str]:
    """Say what is wrong with one arm's losses."""
    if not isinstance(losses, Mapping):
        return []
    found = [
        f"arms.{arm}.{name}: no such loss; losses: {', '.join(LOSSES)}"
        for name in losses
        if name not in LOSSES
    ]
    weights = [weight for weight in losses.values() if isinstance(weight, int | float)]
    found += [f"arms.{arm}: a weight must not be negative, not {weight}" for weight in weights if weight < 0]
    if not any(weights):
        found.append(f"arms.{arm}: no loss has a weight above 0")
    if not re.fullmatch(NAME, arm):
        found.append(
            f"arms.{arm}: a name starts with a letter or digit and holds only these, '.', '_' and '-'"
        )
    return found


def _without_spread(arms: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [arm for arm, losses in arms.items() if not spread_weight(losses)]


def _absolute(source: PairSource, folder: Path) -> dict[str, str]:
    return {"path": _filled(source.path, folder)} if source.path else {}


def _absolute_model(model: str, folder: Path) -> str:
    """Read a model's name as a path where it starts like one; every other name stays."""
    return _filled(model, folder) if model.startswith((".", "~", "$", "/")) else model


def _filled(path: str, folder: Path) -> str:
    return str(folder.absolute() / Path(os.path.expandvars(path)).expanduser())
