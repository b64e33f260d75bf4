"""Weights in a real runtime: torchao's quantized tensors, which its kernels compute with.

A second road beside the grids, with names of its own: what a runtime does is not what a file format stores.
Only linear layers are quantized; the token table, norms and everything else stay as loaded. Activations stay
float32.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from evalsuite.core.errors import UsageError
from evalsuite.core.weights import TensorWeights

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

GROUP = 32
"""Consecutive weights of a row that share a scale in `int4_torchao`."""

_PARTS = ("qdata", "scale", "zero_point")
"""What a quantized tensor of torchao is stored as."""


def kernel_levels() -> tuple[str, ...]:
    """Return the names of the levels that torchao computes with."""
    return tuple(_CONFIGS)


def check_kernels(level: str, embeddings: str | None) -> None:
    """Make sure that torchao can do what is asked for.

    Raises:
        UsageError: If it is not installed, or something is asked for the token table.
    """
    if importlib.util.find_spec("torchao") is None:
        message = f"weights {level} need torchao; install it with: pip install 'evalsuite[weights]'"
        raise UsageError(message)
    if embeddings is not None:
        message = f"weights {level} keep the token table; leave --quantize-embeddings {embeddings} out"
        raise UsageError(message)


def kernels_version() -> str:
    """Return torchao's version, which decides the vectors as much as the level does."""
    return version("torchao")


def quantize_layers(model: Module, level: str) -> dict[str, tuple[Tensor, Tensor]]:
    """Let torchao quantize the linear layers whose rows fall into whole groups, in place.

    Returns:
        Parameter name to its float32 values before, and the quantized tensor in its place.
    """
    from torch.nn import Linear

    group = GROUP if level == _INT4 else 1
    chosen = {
        name: part.weight.detach().clone()
        for name, part in model.named_modules()
        if isinstance(part, Linear) and part.in_features % group == 0
    }
    with _quietly():
        quantization = importlib.import_module("torchao.quantization")
        quantization.quantize_(model, _CONFIGS[level](quantization), lambda _, name: name in chosen)
    layers = dict(model.named_modules())
    return {f"{name}.weight": (before, layers[name].weight) for name, before in chosen.items()}


def held(name: str, group: str, level: str, quantized: Any, sqnr_db: float | None) -> TensorWeights:
    """Describe a quantized tensor as the runtime holds it in memory, scales included."""
    parts = [part for each in _PARTS if (part := getattr(quantized, each, None)) is not None]
    stored = sum(part.numel() * part.element_size() for part in parts)
    return TensorWeights(
        name=name,
        group=group,
        shape=tuple(quantized.shape),
        grid=level,
        bits_per_weight=8 * stored / max(quantized.numel(), 1),
        bytes=stored,
        sqnr_db=sqnr_db,
    )


def _int8(quantization: Any) -> Any:
    """Symmetric int8, a scale a row."""
    return quantization.Int8WeightOnlyConfig(granularity=quantization.PerRow())


def _int4(quantization: Any) -> Any:
    """Symmetric int4, a scale a group; torchao holds a value in a byte on processors."""
    import torch

    return quantization.IntxWeightOnlyConfig(
        weight_dtype=torch.int4, granularity=quantization.PerGroup(GROUP)
    )


_INT8, _INT4 = "int8_torchao", "int4_torchao"
_CONFIGS: dict[str, Callable[[Any], Any]] = {_INT8: _int8, _INT4: _int4}


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what torchao logs about kernels of other machines off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
