"""The second half of an experiment: open what was trained for a sweep, and compare what the sweep found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalsuite.ablation import readings
from evalsuite.ablation.effect import ablation_report
from evalsuite.ablation.frozen import open_over_base
from evalsuite.ablation.recipe import Recipe
from evalsuite.core.ablation import AblationReport, TrainedArm
from evalsuite.core.progress import Progress
from evalsuite.core.run import Run
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.opening import open_checkpoint


def open_arms(
    recipe: Recipe,
    arms: Sequence[TrainedArm],
    store: EmbeddingStore,
    *,
    device: str | None = None,
    progress: Progress | None = None,
) -> list[Checkpoint]:
    """Open trained arms for a sweep, in float32; those over a frozen base share its vectors.

    Args:
        recipe: What was trained.
        arms: From `train`.
        store: Where the base's vectors are kept.
        device: Torch device of encoders.
        progress: Told about what the base encodes.

    Raises:
        CheckpointError: If a folder was changed since.
    """
    if recipe.kind == "full":
        return [open_checkpoint(arm.folder, device=device) for arm in arms]
    base = open_checkpoint(recipe.base, device=device)
    return [open_over_base(Path(arm.folder), base, store, progress) for arm in arms]


def compare_arms(recipe: Recipe, arms: Sequence[TrainedArm], run: Run) -> AblationReport:
    """Compare every arm with the control in all that was measured.

    Args:
        recipe: What was trained.
        arms: From `train`.
        run: The sweep over all arms, with the spread of its tasks and, if asked for, approximate search.
    """
    numbers = readings.quality(run) | readings.spread(run.record.spread) | readings.ann(run.record.ann)
    return ablation_report(recipe, arms, numbers)
