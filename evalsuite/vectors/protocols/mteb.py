"""What mteb scores when its `CompressionWrapper` is put around a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from evalsuite.core.errors import UsageError
from evalsuite.vectors.protocols.base import Doubles, Floats, cosines, tensor

if TYPE_CHECKING:
    import torch

CHUNK = 50_000
"""Documents mteb encodes, and so calibrates, in one call."""

_BITS = {
    "float16": 16,
    "bfloat16": 16,
    "float8_e4m3": 8,
    "float8_e5m2": 8,
    "int8": 8,
    "uint8": 8,
    "int4": 4,
    "uint4": 4,
    "binary": 1,
}
"""Bits of each level."""

_CASTS = {
    "float16": "float16",
    "bfloat16": "bfloat16",
    "float8_e4m3": "float8_e4m3fn",
    "float8_e5m2": "float8_e5m2",
}
"""torch data types of the floating-point levels."""

_OFFSETS = {"int8": 128, "uint8": 0, "int4": 8, "uint4": 0}
"""What the integer levels subtract from a code."""


class Mteb:
    """mteb's `CompressionWrapper`: codes that are never dequantized, compared by cosine.

    Defined in mteb 2.26.24, `models/compression_wrappers/compression_wrapper.py` (codes),
    `models/search_wrappers.py` (chunks) and `similarity_functions.py` (cosine).

    Integers of b bits are floor((x - lo) / step) - offset with step = (hi - lo) / (2^b - 1) and offset
    2^(b-1), or 0 for `uint8` and `uint4`. lo and hi are those of the very vectors of one encode call, so the
    queries, each chunk of 50,000 documents and each column of sentence pairs all get a map of their own.
    Floats are cast unscaled. Binary is 1 where x > 0 and else 0, compared by cosine, not by Hamming distance.

    mteb itself takes the vectors as the model returns them; integer codes are the same only if those are unit
    vectors. It cuts a corpus of more than 50,000 documents in the order of the data set, not by id.

    Args:
        precision: One of mteb's levels.
    """

    name: ClassVar[str] = "mteb"
    precisions: ClassVar[tuple[str, ...]] = tuple(_BITS)
    rescore_candidates: ClassVar[int] = 0

    def __init__(self, precision: str) -> None:
        self.precision = precision

    @property
    def chunk(self) -> int | None:
        """Return 50,000 for integers, whose ranges are those of a chunk."""
        return CHUNK if self.precision in _OFFSETS else None

    def fit(self, corpus: Iterable[Floats]) -> None:
        """Learn nothing and read nothing: mteb calibrates on each encode call."""

    def queries(self, vectors: Floats) -> torch.Tensor:
        """Return unit-length codes of all queries, calibrated on themselves.

        Raises:
            UsageError: If mteb's codes would be NaN.
        """
        return _normalized(self._codes(vectors, "queries"))

    def scores(self, queries: torch.Tensor, block: Floats) -> torch.Tensor:
        """Return cosines with the codes of one chunk, calibrated on itself.

        A row of codes that are all 0 has cosine 0 with everything, as in mteb.

        Raises:
            UsageError: If mteb's codes would be NaN.
        """
        return queries @ _normalized(self._codes(block, "documents")).T

    def pair_scores(self, first: Floats, second: Floats) -> Doubles:
        """Return `cosine_scores` of mteb's STS evaluator; each column is calibrated apart.

        Defined in mteb 2.26.24, `_evaluators/any_sts_evaluator.py`: 1 - |a - b|^2 / 2 of unit-length codes,
        so a row of zeros scores 0.5. Computed in float64, so that equal codes tie exactly.

        Raises:
            UsageError: If mteb's codes would be NaN.
        """
        left = self._codes(first, "first sentences").double().numpy()
        right = self._codes(second, "second sentences").double().numpy()
        zeros = np.stack([~side.any(axis=1) for side in (left, right)]).sum(axis=0)
        return np.asarray(cosines(left, right) + 0.5 * zeros)

    def bytes_per_vector(self, dim: int) -> float:
        """Return the level's bits packed; mteb keeps float16 or float32 arrays."""
        return float((_BITS[self.precision] * dim + 7) // 8)

    def index_bytes(self, dim: int) -> float:  # noqa: ARG002
        """Return 0: mteb forgets its ranges."""
        return 0.0

    def _codes(self, vectors: Floats, side: str) -> torch.Tensor:
        """Quantize the vectors of one encode call as float32 codes."""
        import torch

        values = tensor(vectors)
        if self.precision == "binary":
            return torch.where(values > 0, 1.0, 0.0)
        if self.precision in _CASTS:
            return values.to(getattr(torch, _CASTS[self.precision])).to(torch.float32)
        bits, offset = _BITS[self.precision], _OFFSETS[self.precision]
        low = values.amin(dim=0)
        steps = (values.amax(dim=0) - low) / (2**bits - 1)
        codes = torch.floor((values - low) / steps) - offset
        broken = (~torch.isfinite(codes)).any(dim=0).nonzero()[:, 0]
        if len(broken):
            message = (
                f"mteb scores {self.precision} as NaN here: {len(broken)} of {vectors.shape[1]} dimensions "
                f"(first: {int(broken[0])}) are the same in all {len(vectors)} {side} of one call, so its "
                f"step is 0; use {self.precision} without +mteb, or more {side}"
            )
            raise UsageError(message)
        return codes


def _normalized(codes: torch.Tensor) -> torch.Tensor:
    """Scale rows to unit length as mteb does; rows of zeros stay."""
    import torch

    return torch.nn.functional.normalize(codes, p=2, dim=1)
