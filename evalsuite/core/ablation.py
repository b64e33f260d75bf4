"""The nouns of an ablation: trained arms, effects, dose-response, and the report that holds them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Quantity = Literal["quality", "retention", "spread", "ann"]
Verdict = Literal["higher", "lower", "no effect shown"]

SIGNIFICANT = 0.05

ALL_TASKS = "mean over tasks"
"""What stands for a task where a number is a mean over all of them."""


class _Noun(BaseModel):
    """Base: immutable, strict about unknown fields, every field documented."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainedArm(_Noun):
    """One trained checkpoint: an arm of a recipe with one seed."""

    arm: str
    """Name of the arm."""
    seed: int
    """Seed of its training."""
    losses: dict[str, float]
    """Weight of each loss."""
    folder: str
    """The sentence-transformers checkpoint; its last part is the checkpoint's label in runs."""
    steps: int
    """Optimiser steps."""
    seconds: float
    """Wall time of training; of the last stretch, if it was resumed."""
    history: tuple[dict[str, float], ...]
    """Every few steps, the step and each loss, unweighted."""


class Measured(_Noun):
    """What a number is about."""

    quantity: Quantity
    """Quality in points, retention in percent of the full vector's quality, spread, or ANN work."""
    task: str
    """Name of the task, or `mean over tasks`."""
    name: str
    """Canonical metric text, name of a spread statistic with its side, or what was probed."""
    dim: int
    """Dimensions kept."""
    precision: str
    """Quantization level with its scoring; `float32` for spread."""


class Effect(Measured):
    """One paired difference, treated minus control, over seeds and, where there are any, queries."""

    control: float
    """Mean of the control arm over seeds."""
    treated: float
    """Mean of the treated arm over seeds."""
    difference: float
    """Treated minus control."""
    lower: float | None
    """Lower end of the 95 % interval; None with a single seed and nothing else to resample, and where all
    seeds show exactly the same difference."""
    upper: float | None
    """Upper end of the 95 % interval."""
    p: float | None
    """Two-sided p-value of a difference of 0."""
    adjusted_p: float | None = None
    """The same after Holm's correction over the family of effects it belongs to."""
    seeds: int
    """Pairs of checkpoints."""
    n: int
    """Queries or pairs behind each checkpoint's number; 1 where the number is one of a whole side."""

    @property
    def verdict(self) -> Verdict:
        """What may be said: a direction only if it survives the correction."""
        p = self.p if self.adjusted_p is None else self.adjusted_p
        if p is None or p >= SIGNIFICANT or self.difference == 0:
            return "no effect shown"
        return "higher" if self.difference > 0 else "lower"

    @property
    def sentence(self) -> str:
        """Say the effect, its size and whether it is significant, in one sentence."""
        what = f"{self.quantity} ({self.task}, {self.name}, {self.dim} dims, {self.precision})"
        sizes = f"{self.control:.2f} without, {self.treated:.2f} with ({self.difference:+.2f}"
        if self.lower is None or self.upper is None or self.p is None:
            why = "one seed gives" if self.seeds == 1 else "seeds that agree exactly give"
            return f"{what}: {sizes}); {why} no interval, so nothing can be said about chance"
        p = self.p if self.adjusted_p is None else self.adjusted_p
        told = f"{sizes}, 95 % interval {self.lower:+.2f} to {self.upper:+.2f}, p = {p:.2g} after Holm)"
        if self.verdict != "no effect shown":
            return f"{what}: {told}: significantly {self.verdict}"
        alone = "by itself it would be, but not among so many comparisons: " if self.p < SIGNIFICANT else ""
        return f"{what}: {told}: {alone}no effect is shown"


class Dose(Measured):
    """One point of a dose-response curve."""

    weight: float
    """Weight of the spread-out loss."""
    arm: str
    """Name of the arm."""
    values: tuple[float, ...]
    """One value a seed."""

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return sum(self.values) / len(self.values)


class Comparison(_Noun):
    """One treated arm against the control."""

    treated: str
    """Name of the arm with the loss under test."""
    control: str
    """Name of the arm without."""
    effects: tuple[Effect, ...]
    """Every paired difference."""


class AblationReport(_Noun):
    """What an ablation found."""

    recipe: str
    """Name of the recipe."""
    arms: tuple[TrainedArm, ...]
    """What was trained."""
    comparisons: tuple[Comparison, ...]
    """Every other arm against the control."""
    doses: tuple[Dose, ...]
    """Every number of every arm, for curves over the weight of the spread-out loss."""
    method: str
    """How intervals and p-values were made."""
