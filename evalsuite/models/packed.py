"""Packed linear layers: weights laid out once for oneDNN's products instead of in every call.

PyTorch sends float32 products on a processor to MKL, which is slow on some makers' processors, and lays
bfloat16 weights out anew in every call. The products are the same sums in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Linear, Module

_PRODUCT, _LAYOUT, _FAST_BFLOAT16 = "_linear_pointwise", "_reorder_linear_weight", "_is_mkldnn_bf16_supported"
"""PyTorch's operators, those that its own compiler uses; a version without them has plain layers."""

_PROBE_ROWS = 4
_CLOSE = {"float32": 1e-5, "bfloat16": 2e-2}
"""Number formats that are packed, and how far a packed layer may be from the plain one, relative to that."""


def pack_linear_layers(model: Module, rows: int) -> int:
    """Let a model's linear layers compute with packed weights, in place; for inference on a processor only.

    The layers keep their parameters, so their memory doubles. One whose packed product is not that of the
    plain layer stays plain, and so do all where PyTorch comes without oneDNN, or the processor without fast
    bfloat16.

    Args:
        model: A torch module or a sentence-transformers model.
        rows: Tokens of a usual batch; the layout is chosen for it.

    Returns:
        How many layers are packed.
    """
    layers = [part for part in model.modules() if _is_plain(part) and _can_pack(part.weight)]
    return sum(_pack(layer, rows) for layer in layers)


def _is_plain(part: Module) -> TypeGuard[Linear]:
    """Tell whether a layer, and its weights, are PyTorch's own: others compute in their own way."""
    from torch.nn import Linear, Parameter

    return type(part) is Linear and type(part.weight) is Parameter


def _can_pack(weight: Tensor) -> bool:
    """Tell whether products with a weight can be packed here."""
    import torch

    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    operators = torch.ops.mkldnn
    if not all(hasattr(operators, name) for name in (_PRODUCT, _LAYOUT, _FAST_BFLOAT16)):
        return False
    if weight.dtype == torch.bfloat16:
        return bool(getattr(operators, _FAST_BFLOAT16)())
    return bool(weight.dtype == torch.float32)


def _pack(layer: Linear, rows: int) -> bool:
    """Pack one layer, if that changes nothing but the order of sums."""
    import torch

    with torch.inference_mode():
        weight = getattr(torch.ops.mkldnn, _LAYOUT)(layer.weight.detach(), rows)
        packed = partial(_product, getattr(torch.ops.mkldnn, _PRODUCT), weight, layer.bias)
        generator = torch.Generator().manual_seed(0)
        probe = torch.randn(_PROBE_ROWS, layer.in_features, generator=generator).to(layer.weight.dtype)
        plain = layer(probe).float()
        error = (packed(probe).float() - plain).abs().max()
        close = _CLOSE[str(layer.weight.dtype).removeprefix("torch.")]
        if not error <= close * plain.abs().max().clamp_min(1e-30):
            return False
    layer.forward = packed
    return True


def _product(
    multiply: Callable[..., torch.Tensor], weight: Tensor, bias: Tensor | None, inputs: Tensor
) -> Tensor:
    """Return inputs x weight' + bias."""
    return multiply(inputs, weight, bias, "none", [], "")
