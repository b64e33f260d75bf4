"""Model cards of trained arms."""

from __future__ import annotations

import json

from evalsuite.ablation.recipe import LOSSES, Recipe
from evalsuite.core.ablation import TrainedArm

SETTINGS = (
    "kind", "steps", "batch", "batches", "learning_rate", "temperature", "hardness", "max_words", "dtype",
)  # fmt: skip
"""Fields of the recipe that a card repeats."""


def training_card(recipe: Recipe, arm: TrainedArm, base: str, pairs: int) -> str:
    """Write the card of one checkpoint: what it is, what it was trained on, with which losses.

    Args:
        recipe: What was asked.
        arm: What was trained.
        base: Label of the checkpoint it started from.
        pairs: How many pairs it was trained on.

    Returns:
        Markdown with the front matter that model hubs read.
    """
    dims = sorted(recipe.dims, reverse=True)
    weights = "\n".join(
        f"| {name} | {weight:g} | {LOSSES[name]} |" for name, weight in arm.losses.items() if weight
    )
    sources = "\n".join(
        f"- {source.path.rpartition('/')[2] or source.dataset}"
        + (f", {source.pairs:,} pairs drawn" if source.pairs else ", all pairs")
        for source in recipe.data
    )
    trained = "its head" if recipe.kind == "head-only" else "all of it"
    settings = {name: getattr(recipe, name) for name in SETTINGS}
    return f"""---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
base_model: {json.dumps(base)}
tags: [matryoshka, evalsuite]
---

# {recipe.name}: {arm.arm}, seed {arm.seed}

Trained by evalsuite's laboratory to be compared with its siblings, which differ in one loss only. It started
from {base}; {trained} was trained on {pairs:,} pairs. Matryoshka dimensions: {", ".join(map(str, dims))}.

| loss | weight | what it is |
|---|---|---|
{weights}

Teacher of the distillation: {recipe.teacher or "the base itself"}.

Data:

{sources}

Settings: `{json.dumps(settings)}`
"""
