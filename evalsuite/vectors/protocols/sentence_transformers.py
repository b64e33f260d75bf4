"""What sentence-transformers scores with quantized embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from evalsuite.vectors.protocols.base import (
    Doubles,
    Floats,
    corpus_ranges,
    cosines,
    exact_products,
    fitted,
    minus_hamming,
    signs,
    steps_of,
    tensor,
)

if TYPE_CHECKING:
    import torch


class SentenceTransformers:
    """sentence-transformers' `quantize_embeddings` and exact search without rescoring.

    Defined in sentence-transformers 6.2, `util/quantization.py`. `int8` and `uint8` are
    clip(floor((x - lo) / step), 0, 255) with step = (hi - lo) / 255, less 128 for `int8`; lo and hi are those
    of the corpus, for queries too (`ranges` of the corpus handed to both). The score is the inner product of
    the raw codes: `semantic_search_faiss` for `uint8`, `semantic_search_usearch` for `int8`. It is summed
    exactly and rounded once; faiss sums in float32, so near ties may fall otherwise there. `binary` is minus
    the Hamming distance of the signs; `ubinary` scores the same.

    sentence-transformers itself truncates and leaves the length as it is unless asked to normalise.

    Args:
        precision: `int8`, `uint8` or `binary`.
    """

    name: ClassVar[str] = "sbert"
    precisions: ClassVar[tuple[str, ...]] = ("int8", "uint8", "binary")
    chunk: ClassVar[int | None] = None
    rescore_candidates: ClassVar[int] = 0

    def __init__(self, precision: str) -> None:
        self.precision = precision
        self._ranges: Floats | None = None

    def fit(self, corpus: Iterable[Floats]) -> None:
        """Take the ranges of the corpus; `binary` has none."""
        if self.precision != "binary":
            self._ranges = corpus_ranges(corpus)

    def queries(self, vectors: Floats) -> torch.Tensor:
        """Return codes by the ranges of the corpus, or signs."""
        if self.precision == "binary":
            return signs(vectors)
        return tensor(self._codes(vectors, fitted(self._ranges)))

    def scores(self, queries: torch.Tensor, block: Floats) -> torch.Tensor:
        """Return inner products of raw codes, or minus the Hamming distances."""
        if self.precision == "binary":
            return minus_hamming(queries, signs(block))
        codes = tensor(self._codes(block, fitted(self._ranges)))
        return exact_products(queries, codes, 255 if self.precision == "uint8" else 128)

    def pair_scores(self, first: Floats, second: Floats) -> Doubles:
        """Return the cosines of `EmbeddingSimilarityEvaluator(precision=...)`, in float64.

        Defined in sentence-transformers 6.2, `sentence_transformer/evaluation/embedding_similarity.py`: both
        columns are calibrated together, and sign bits are compared as 0 and 1. `fit` is not needed.
        """
        if self.precision == "binary":
            return cosines((first > 0).astype(np.float64), (second > 0).astype(np.float64))
        ranges = corpus_ranges((first, second))
        left, right = (self._codes(side, ranges).astype(np.float64) for side in (first, second))
        return cosines(left, right)

    def bytes_per_vector(self, dim: int) -> float:
        """Return a byte a dimension, or a bit."""
        return float((dim + 7) // 8 if self.precision == "binary" else dim)

    def index_bytes(self, dim: int) -> float:
        """Return the bytes of the two float32 ends of every dimension's range."""
        return 0.0 if self.precision == "binary" else 8.0 * dim

    def _codes(self, vectors: Floats, ranges: Floats) -> Floats:
        """Round down to one of 256 levels a dimension."""
        codes = np.clip(np.floor((vectors - ranges[0]) / steps_of(ranges)), 0, 255)
        return np.asarray(codes - 128 if self.precision == "int8" else codes, dtype=np.float32)
