"""Quantization levels: how a unit vector is stored, what it costs, and how an index scores it.

Scores are inner products of what is stored: the decoded query (or the float32 query, for asymmetric scores)
with the decoded document. Levels that decode to integers times a scale multiply the integers exactly and
scale last, so equal codes always score equal and a tie in the index is a tie here.

One level a line in the table below; each class's docstring has its formula, paper and bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from evalsuite.core.errors import UsageError, known_names
from evalsuite.vectors.quantizers.affine import TAILS, Affine
from evalsuite.vectors.quantizers.base import Codes, Quantizer
from evalsuite.vectors.quantizers.floats import BFloat16, Float8, FloatCast
from evalsuite.vectors.quantizers.integers import Int4Block32, PerVector, Ternary
from evalsuite.vectors.quantizers.rotated import RaBitQ, TurboQuant
from evalsuite.vectors.quantizers.signs import Binary, CentredBinary
from evalsuite.vectors.quantizers.trained import ProductCodes, RotatedProductCodes, ScalarCodes

__all__ = ["Codes", "Quantizer", "known_precisions", "quantizer"]

_LEVELS: dict[str, Callable[[str], Quantizer]] = {
    "float32": partial(FloatCast, dtype=np.float32),
    "float16": partial(FloatCast, dtype=np.float16),
    "bfloat16": BFloat16,
    "float8_e4m3": partial(Float8, torch_name="float8_e4m3fn", largest=448.0),
    "float8_e5m2": partial(Float8, torch_name="float8_e5m2", largest=57344.0),
    "int8": partial(PerVector, levels=127),
    "int8_affine": partial(Affine, bits=8),
    "int8_percentile": partial(Affine, bits=8, tails=TAILS),
    "int4": partial(PerVector, levels=7),
    "int4_block32": Int4Block32,
    "int4_affine": partial(Affine, bits=4),
    "ternary": Ternary,
    "binary": Binary,
    "binary_centred": CentredBinary,
    "sq8": partial(ScalarCodes, bits=8),
    "sq4": partial(ScalarCodes, bits=4),
    "pq_1bit": partial(ProductCodes, group=8),
    "pq_2bit": partial(ProductCodes, group=4),
    "opq_1bit": partial(RotatedProductCodes, group=8),
    "rabitq_1bit": partial(RaBitQ, bits=1),
    "rabitq_2bit": partial(RaBitQ, bits=2),
    "rabitq_4bit": partial(RaBitQ, bits=4),
    "turboquant_1bit": partial(TurboQuant, bits=1),
    "turboquant_2bit": partial(TurboQuant, bits=2),
    "turboquant_3bit": partial(TurboQuant, bits=3),
    "turboquant_4bit": partial(TurboQuant, bits=4),
}


def known_precisions() -> tuple[str, ...]:
    """Return the names of all quantization levels."""
    return tuple(_LEVELS)


def quantizer(name: str) -> Quantizer:
    """Return the quantization level called `name`, not yet fitted.

    Raises:
        UsageError: If there is none; the message lists the known levels.
    """
    if name not in _LEVELS:
        message = f"unknown precision {name!r}; known precisions: {known_names(known_precisions())}"
        raise UsageError(message)
    return _LEVELS[name](name)
