"""What HAKARI-Bench scores with quantized embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from evalsuite.core.errors import UsageError
from evalsuite.vectors.protocols.base import (
    Doubles,
    Floats,
    corpus_ranges,
    exact_products,
    fitted,
    minus_hamming,
    signs,
    steps_of,
    tensor,
)

if TYPE_CHECKING:
    import torch

CANDIDATES = 100
"""Documents HAKARI-Bench keeps a query, and reorders if it rescores."""


class Hakari:
    """HAKARI-Bench's quantized dense variants, with or without rescoring.

    Defined in HAKARI-Bench (arXiv 2606.22778) as of 2026-08, `hakari_bench/evaluation.py`, score
    representations `torch_exact` and `torch_exact_rescore`. `int8` is (x - lo) / step - 128 clipped to
    [-128, 127] and cut off towards zero, with lo and hi of the corpus and step = (hi - lo) / 255; queries
    share the ranges and are clipped to them. The score is the inner product of the raw codes. `binary` is
    minus the Hamming distance of the signs. Rescoring reorders the best 100 with the float32 vectors.

    HAKARI-Bench itself normalises a truncated vector only when told to, breaks ties by ascending document id,
    keeps 100 documents a query, and publishes the better of its cosine and dot runs (they differ only in the
    rescoring of vectors that are not of unit length).

    Args:
        precision: `int8` or `binary`.
        rescored: Whether the best documents are to be reordered.
    """

    precisions: ClassVar[tuple[str, ...]] = ("int8", "binary")
    chunk: ClassVar[int | None] = None

    def __init__(self, precision: str, *, rescored: bool) -> None:
        self.precision = precision
        self.name = "hakari_rescore" if rescored else "hakari"
        self.rescore_candidates = CANDIDATES if rescored else 0
        self._ranges: Floats | None = None

    def fit(self, corpus: Iterable[Floats]) -> None:
        """Take the ranges of the corpus; `binary` has none."""
        if self.precision != "binary":
            self._ranges = corpus_ranges(corpus)

    def queries(self, vectors: Floats) -> torch.Tensor:
        """Return codes clipped to the ranges of the corpus, or signs."""
        return signs(vectors) if self.precision == "binary" else self._codes(vectors)

    def scores(self, queries: torch.Tensor, block: Floats) -> torch.Tensor:
        """Return inner products of raw codes, or minus the Hamming distances."""
        if self.precision == "binary":
            return minus_hamming(queries, signs(block))
        return exact_products(queries, self._codes(block), 128)

    def pair_scores(self, first: Floats, second: Floats) -> Doubles:  # noqa: ARG002
        """Refuse: HAKARI-Bench has no sentence pairs.

        Raises:
            UsageError: Always.
        """
        message = f"HAKARI-Bench scores retrieval only: choose {self.precision} or mteb or sbert for pairs"
        raise UsageError(message)

    def bytes_per_vector(self, dim: int) -> float:
        """Return a byte a dimension, or a bit, and four more bytes a dimension if float32 is kept."""
        codes = (dim + 7) // 8 if self.precision == "binary" else dim
        return float(codes + (4 * dim if self.rescore_candidates else 0))

    def index_bytes(self, dim: int) -> float:
        """Return the bytes of the two float32 ends of every dimension's range."""
        return 0.0 if self.precision == "binary" else 8.0 * dim

    def _codes(self, vectors: Floats) -> torch.Tensor:
        """Clip, then drop the fraction."""
        ranges = fitted(self._ranges)
        shifted = (vectors - ranges[0]) / steps_of(ranges) - 128
        return tensor(np.trunc(np.clip(shifted, -128, 127)).astype(np.float32, copy=False))
