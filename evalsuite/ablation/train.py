"""Train every arm of a recipe with every seed; what is finished already is kept."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.ablation.card import training_card
from evalsuite.ablation.features import Features, encode_pairs
from evalsuite.ablation.folders import CARD
from evalsuite.ablation.full import PipelineStudent
from evalsuite.ablation.objective import Objective
from evalsuite.ablation.pairs import Pairs, batches, load_pairs
from evalsuite.ablation.recipe import Recipe, RecipeError
from evalsuite.ablation.student import HeadStudent, Student, identity_layers
from evalsuite.ablation.trainer import Course, Trainer
from evalsuite.core.ablation import TrainedArm
from evalsuite.core.errors import UsageError
from evalsuite.core.progress import Progress, Silent
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.opening import open_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

TRAINED = "train_results.json"
"""In a trained checkpoint's folder: what it was trained as. No part of its fingerprint."""

DEFAULT_HIDDEN = 4
"""The head's inner width in multiples of the base's (3072 to 768 in EmbeddingGemma)."""

STATES = "states"

NOT_DECISIVE = {"name", "arms", "seeds", "data", "control", "save_every", "held_out", "base", "teacher"}
"""Fields of a recipe that do not decide weights, or that count by content: models, pairs, the arm itself."""


@dataclass(frozen=True)
class Bench:
    """What all arms share.

    Attributes:
        recipe: The recipe.
        base: The checkpoint to start from.
        pairs: The training pairs.
        features: The base's vectors of the pairs; None if everything is trained.
        teacher: The teacher's vectors of the pairs; None if nothing is distilled.
        identity: Hash of everything that arms and seeds share and that decides weights.
    """

    recipe: Recipe
    base: Checkpoint
    pairs: Pairs
    features: Features | None
    teacher: Features | None
    identity: str


def train(
    recipe: Recipe,
    out: Path,
    *,
    store: EmbeddingStore | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> list[TrainedArm]:
    """Train one checkpoint for every arm and seed.

    A training that was killed goes on from its last state; a finished one is not repeated.

    Args:
        recipe: What to train.
        out: Folder for the checkpoints, one folder `ARM-seed-SEED` each.
        store: Where frozen vectors are kept; by default the user's store.
        device: Torch device of encoders; by default sentence-transformers chooses. Heads train on the CPU.
        progress: Told about encoding and training.

    Returns:
        The trained arms, in the order of the recipe.

    Raises:
        RecipeError: If the pairs are malformed or too few, or dims or widths do not fit; lists every mistake.
        UsageError: If `out` holds checkpoints of another recipe.
        TrainingError: If a loss becomes NaN or infinite; names the step.
    """
    progress = progress or Silent()
    bench = prepare(recipe, store or EmbeddingStore(), device, progress)
    planned = [(arm, seed) for arm in recipe.arms for seed in recipe.seeds]
    _check_finished(bench, out, planned)
    return [_one(bench, arm, seed, out, progress) for arm, seed in planned]


def prepare(recipe: Recipe, store: EmbeddingStore, device: str | None, progress: Progress) -> Bench:
    """Open the models, read the pairs, check that everything fits, and encode what is frozen.

    Raises:
        RecipeError: Lists everything that does not fit.
    """
    dtype = recipe.dtype if recipe.kind == "head-only" else "float32"
    base = open_checkpoint(recipe.base, dtype=dtype, device=device)
    teacher = open_checkpoint(recipe.teacher, dtype=recipe.dtype, device=device) if recipe.teacher else base
    problems = list(_misfits(recipe, base, teacher))
    if problems:
        raise RecipeError(recipe.name, problems)
    pairs, _ = load_pairs(recipe)
    features = encode_pairs(pairs, base, store, progress) if recipe.kind == "head-only" else None
    taught = encode_pairs(pairs, teacher, store, progress) if recipe.distils else None
    shared: list[Any] = [
        recipe.model_dump(exclude=NOT_DECISIVE),
        base.fingerprint,
        teacher.fingerprint if recipe.distils else "",
        hashlib.sha256(json.dumps([pairs.texts, pairs.columns.tolist()]).encode()).hexdigest(),
    ]
    return Bench(recipe, base, pairs, features, taught, _hash(shared))


def _misfits(recipe: Recipe, base: Checkpoint, teacher: Checkpoint) -> Iterator[str]:
    """Say what in a recipe does not fit its models."""
    if base.folder is None:
        yield f"base: {base.label} has no folder of its own; save it and give the folder"
    wide = [dim for dim in recipe.dims if dim > base.dim]
    if wide:
        yield f"dims: {wide} exceed the base's width {base.dim}"
    if base.dim not in recipe.dims:
        yield f"dims: the full width {base.dim} is missing, so it would not be trained"
    if recipe.distils and teacher.dim != base.dim and not recipe.projection:
        yield (
            f"teacher: its vectors are {teacher.dim} wide and the student's {base.dim}; "
            "set projection = true to learn a map between them"
        )


def _check_finished(bench: Bench, out: Path, planned: list[tuple[str, int]]) -> None:
    """Make sure that what is in the output folder already is of this recipe.

    Raises:
        UsageError: If a checkpoint there was trained otherwise.
    """
    for arm, seed in planned:
        folder = out / f"{arm}-seed-{seed}"
        if folder.exists() and _finished(bench, arm, seed, folder) is None:
            message = (
                f"{folder}: was trained by another recipe, on other pairs or from another base; "
                "give another output folder or delete it"
            )
            raise UsageError(message)


def _finished(bench: Bench, arm: str, seed: int, folder: Path) -> TrainedArm | None:
    """Return what was trained before, if it is of this recipe."""
    try:
        told = json.loads((folder / TRAINED).read_text(encoding="utf-8"))
        identity = told.pop("identity")
    except (OSError, ValueError, KeyError):
        return None
    return _arm(bench, arm, seed, folder, told) if identity == _identity(bench, arm, seed) else None


def _one(bench: Bench, arm: str, seed: int, out: Path, progress: Progress) -> TrainedArm:
    """Train one arm with one seed, or return what was trained before."""
    recipe, folder = bench.recipe, out / f"{arm}-seed-{seed}"
    before = _finished(bench, arm, seed, folder)
    if before is not None:
        return before
    began = time.perf_counter()
    identity = _identity(bench, arm, seed)
    course = Course(
        name=folder.name,
        identity=identity,
        seed=seed,
        batches=batches(bench.pairs, recipe.batch, recipe.steps, seed, mixed=recipe.batches == "mixed"),
        learning_rate=recipe.learning_rate,
        save_every=recipe.save_every,
        state=out / STATES / f"{folder.name}.safetensors",
    )
    student = _student(bench, seed)
    trainer = Trainer(student, _objective(recipe, arm), bench.pairs, bench.teacher, _projection(bench, seed))
    history = trainer.run(course, progress)
    told = {"history": history, "seconds": round(time.perf_counter() - began, 1)}
    finished = _arm(bench, arm, seed, folder, told)
    card = training_card(recipe, finished, bench.base.label, len(bench.pairs))
    student.save(folder, {TRAINED: json.dumps({"identity": identity, **told}, indent=1), CARD: card})
    course.state.unlink(missing_ok=True)
    return finished


def _student(bench: Bench, seed: int) -> Student:
    recipe, base = bench.recipe, bench.base
    if bench.features is None or base.folder is None:
        return PipelineStudent(base, bench.pairs, recipe.hidden, recipe.dims, seed)
    layers = identity_layers(base.dim, recipe.hidden or DEFAULT_HIDDEN * base.dim, seed)
    return HeadStudent(bench.features, base.folder, layers, recipe.dims)


def _objective(recipe: Recipe, arm: str) -> Objective:
    return Objective(recipe.arms[arm], recipe.dims, recipe.temperature, recipe.hardness)


def _projection(bench: Bench, seed: int) -> Tensor | None:
    """Start the map into the teacher's space: orthonormal, the identity if the widths are equal."""
    import torch

    if not bench.recipe.projection or bench.teacher is None:
        return None
    wide, narrow = bench.teacher.vectors.shape[1], bench.base.dim
    if wide == narrow:
        return torch.eye(wide).requires_grad_()
    start, _ = identity_layers(narrow, wide, seed)
    return start.requires_grad_()


def _arm(bench: Bench, arm: str, seed: int, folder: Path, told: dict[str, Any]) -> TrainedArm:
    return TrainedArm(
        arm=arm,
        seed=seed,
        losses=bench.recipe.arms[arm],
        folder=str(folder),
        steps=bench.recipe.steps,
        **told,
    )


def _identity(bench: Bench, arm: str, seed: int) -> str:
    return _hash([bench.identity, bench.recipe.arms[arm], seed])


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
