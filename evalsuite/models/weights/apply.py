"""Apply a weight level to a model in place, and say what became of every tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import CheckpointError
from evalsuite.core.weights import GroupWeights, TensorWeights, WeightReport
from evalsuite.models.weights.grids import BFLOAT16, Grid
from evalsuite.models.weights.groups import TOKEN_EMBEDDING, VECTORS, grouped
from evalsuite.models.weights.kernels import check_kernels, held, kernel_levels, quantize_layers
from evalsuite.models.weights.levels import Recipe, recipe

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Floats = npt.NDArray[np.float32]

_VALUES_AT_ONCE = 1 << 20
"""Weights rounded at once: a token table may hold 200 million."""


@dataclass
class _Noise:
    """Signal and noise, summed in float64 over float32 values."""

    signal: float = 0.0
    noise: float = 0.0

    def update(self, before: Floats, after: Floats) -> None:
        """Take in weights and what they became."""
        error = (before - after).ravel()
        self.signal += float(np.einsum("i,i->", before.ravel(), before.ravel(), dtype=np.float64))
        self.noise += float(np.einsum("i,i->", error, error, dtype=np.float64))

    @property
    def decibel(self) -> float | None:
        """10 log10(signal / noise); None if no value changed."""
        return float(10 * np.log10(self.signal / self.noise)) if self.noise else None


@dataclass(frozen=True)
class _Plan:
    """What shall become of one parameter.

    Attributes:
        name: Name of the parameter.
        weights: The parameter itself.
        group: Its part of the model.
        grid: Its grid; None to keep it.
        kept: Why it is kept.
    """

    name: str
    weights: Tensor
    group: str
    grid: Grid | None
    kept: str | None


def apply_weights(model: Module, level: str, embeddings: str | None = None) -> WeightReport:
    """Round every matrix of a model to the grid of a weight level, in place.

    Norms, biases and other vectors are kept, and so are matrices that do not fall into the level's blocks.
    What is measured afterwards is the precision of the weights alone: activations stay as they were, and the
    model computes with the number format it was loaded in. Applying a level twice changes nothing more.

    Args:
        model: A torch module or a sentence-transformers model, on any device.
        level: One of `known_weights`: `native`, `bfloat16`, `q8_0`, `q4_0`, `int8_channel`, `e4_a8_f4_p4`;
            `int8_torchao` and `int4_torchao` let torchao's kernels compute, see `kernels`.
        embeddings: `q4_0`, `q8_0` or `keep` for the token table; None to round it as the level does.

    Returns:
        Every tensor with its grid, bits, bytes and signal to noise ratio, or why it was kept.

    Raises:
        UsageError: If there is no such level or choice.
        CheckpointError: If weights are not finite, too large for the format, or loaded in a number format
            that cannot hold it; every such tensor is named, and the model is not touched.
    """
    if level in kernel_levels():
        return _by_kernels(model, level, embeddings)
    grids = recipe(level, embeddings)
    plans = [_planned(name, weights, group, grids) for name, weights, group in grouped(model)]
    mistakes = [mistake for plan in plans for mistake in _mistakes(plan)]
    if mistakes:
        heading = f"weights cannot be stored as {level}"
        raise CheckpointError("\n".join([heading, *(f"  - {mistake}" for mistake in mistakes)]))
    noises = [_round(plan) for plan in plans]
    tensors = [_entry(plan, noise) for plan, noise in zip(plans, noises, strict=True)]
    return _report(level, embeddings, tensors, noises, _native_bytes(plans))


def joined(reports: Sequence[WeightReport]) -> WeightReport:
    """Join the reports on the parts of one model, which were rounded apart to one level.

    Raises:
        ValueError: If two parts share a group on a grid, whose noise cannot be told from theirs.
    """
    tensors = tuple(tensor for report in reports for tensor in report.tensors)
    groups = tuple(group for report in reports for group in report.groups)
    if len({(group.group, group.grid) for group in groups}) < len(groups):
        message = "parts that share a group and a grid must be rounded together"
        raise ValueError(message)
    stored = sum(report.bytes for report in reports)
    return reports[0].model_copy(
        update={
            "tensors": tensors,
            "groups": groups,
            "native_bytes": sum(report.native_bytes for report in reports),
            "bytes": stored,
            "bits_per_weight": 8 * stored / max(sum(group.values for group in groups), 1),
        }
    )


def _by_kernels(model: Module, level: str, embeddings: str | None) -> WeightReport:
    """Let torchao quantize the linear layers, and describe what it made of them."""
    check_kernels(level, embeddings)
    plans = [_planned(name, weights, group, {}) for name, weights, group in grouped(model)]
    native_bytes = _native_bytes(plans)
    changed = quantize_layers(model, level)
    tensors, noises = [], []
    for plan in plans:
        noise = _Noise()
        if plan.name in changed:
            before, quantized = changed[plan.name]
            noise.update(before.cpu().numpy(), quantized.dequantize().float().cpu().numpy())
            tensors.append(held(plan.name, plan.group, level, quantized, noise.decibel))
        else:
            tensors.append(_entry(plan, noise))
        noises.append(noise)
    return _report(level, None, tensors, noises, native_bytes)


def _native_bytes(plans: Iterable[_Plan]) -> int:
    """Sum the bytes of all parameters as they were loaded."""
    return sum(plan.weights.numel() * plan.weights.element_size() for plan in plans)


def _report(
    level: str,
    embeddings: str | None,
    tensors: Sequence[TensorWeights],
    noises: Sequence[_Noise],
    native_bytes: int,
) -> WeightReport:
    """Sum a model's tensors up."""
    stored = sum(tensor.bytes for tensor in tensors)
    values = sum(int(np.prod(tensor.shape)) for tensor in tensors)
    return WeightReport(
        level=level,
        embeddings=embeddings,
        tensors=tuple(tensors),
        groups=tuple(_groups(tensors, noises)),
        native_bytes=native_bytes,
        bytes=stored,
        bits_per_weight=8 * stored / max(values, 1),
    )


def _planned(name: str, weights: Tensor, group: str, grids: Recipe) -> _Plan:
    """Decide what becomes of one parameter."""
    grid = grids.get(group)
    if group == VECTORS:
        kept = "not a matrix"
    elif grid is None:
        kept = "token table kept" if group == TOKEN_EMBEDDING and grids else "kept as loaded"
    elif not grid.fits(weights.shape[1]):
        kept = f"{weights.shape[1]} columns are not a multiple of {grid.block}"
    else:
        return _Plan(name, weights, group, grid, None)
    return _Plan(name, weights, group, None, kept)


def _mistakes(plan: _Plan) -> Iterator[str]:
    """Say why a parameter cannot be rounded."""
    import torch

    if plan.grid is None:
        return
    held = (torch.float32, torch.bfloat16) if plan.grid is BFLOAT16 else (torch.float32,)
    if plan.weights.dtype not in held:
        yield (
            f"{plan.name} is {_format(plan.weights)}, which cannot hold {plan.grid.name} values; "
            "load the model in float32"
        )
    elif plan.weights.numel():
        largest = float(
            torch.linalg.vector_norm(plan.weights.detach(), ord=float("inf"), dtype=torch.float32)
        )
        if not np.isfinite(largest):
            yield f"{plan.name} holds NaN or infinite values; the checkpoint is damaged"
        elif largest > plan.grid.largest:
            yield f"{plan.name} holds {largest:g}; {plan.grid.name} ends at {plan.grid.largest:g}"


def _round(plan: _Plan) -> _Noise:
    """Round one parameter in place, some rows at a time."""
    import torch

    noise = _Noise()
    if plan.grid is None or not plan.weights.numel():
        return noise
    rows = max(1, _VALUES_AT_ONCE // plan.weights.shape[1])
    with torch.no_grad():
        for piece in plan.weights.split(rows):
            before = np.ascontiguousarray(piece.float().cpu().numpy())
            after = plan.grid.round_trip(before)
            noise.update(before, after)
            piece.copy_(torch.from_numpy(after))
    return noise


def _entry(plan: _Plan, noise: _Noise) -> TensorWeights:
    """Describe one parameter after rounding."""
    if plan.grid is None:
        bits = 8.0 * plan.weights.element_size()
    else:
        bits = plan.grid.bits_per_weight(plan.weights.shape[1])
    return TensorWeights(
        name=plan.name,
        group=plan.group,
        shape=tuple(plan.weights.shape),
        grid=_format(plan.weights) if plan.grid is None else plan.grid.name,
        bits_per_weight=bits,
        bytes=int(np.ceil(bits * plan.weights.numel() / 8)),
        sqnr_db=noise.decibel,
        kept=plan.kept,
    )


def _groups(tensors: Iterable[TensorWeights], noises: Iterable[_Noise]) -> Iterator[GroupWeights]:
    """Sum tensors of one group and grid up."""
    members: dict[tuple[str, str], list[tuple[TensorWeights, _Noise]]] = {}
    for tensor, noise in zip(tensors, noises, strict=True):
        members.setdefault((tensor.group, tensor.grid), []).append((tensor, noise))
    for (group, grid), pairs in members.items():
        values = sum(int(np.prod(tensor.shape)) for tensor, _ in pairs)
        stored = sum(tensor.bytes for tensor, _ in pairs)
        total = _Noise(sum(noise.signal for _, noise in pairs), sum(noise.noise for _, noise in pairs))
        yield GroupWeights(
            group=group,
            grid=grid,
            tensors=len(pairs),
            values=values,
            bits_per_weight=8 * stored / max(values, 1),
            bytes=stored,
            sqnr_db=total.decibel,
        )


def _format(weights: Tensor) -> str:
    """Name a tensor's number format, such as `float32`."""
    return str(weights.dtype).removeprefix("torch.")
