"""What an index stores of one side, and the exact neighbours in it.

A level whose score is a Hamming distance is indexed as packed codes, in faiss's binary indexes, whose graph
and lists are made of Hamming distances. Every other level is indexed as the float32 vectors its codes decode
to, with inner products: the distances an index over the codes would compute, up to float32 rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.vectors.kernels import hamming_distances, inner_products
from evalsuite.vectors.quantizers import Quantizer
from evalsuite.vectors.quantizers.signs import Binary

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

ROUNDING = np.float32(1e-6)
"""Inner products of unit vectors that differ by less are equal: faiss sums in another order than BLAS."""

BLOCK = 256
"""Queries whose scores with all documents are held at once."""


@dataclass(frozen=True)
class Stored:
    """Vectors as an index holds and compares them.

    Attributes:
        values: float32 (n, d), compared by inner product, or uint8 (n, bytes), compared by Hamming distance.
        level: Name of the quantization level.
    """

    values: npt.NDArray[Any]
    level: str

    def __len__(self) -> int:
        return len(self.values)

    @property
    def packed(self) -> bool:
        """Whether distances are Hamming's."""
        return self.values.dtype == np.uint8

    @property
    def distance(self) -> str:
        """What one distance computation compares, in words."""
        if self.packed:
            return f"Hamming distance of packed {self.level} codes"
        if self.level == "float32":
            return "inner product of float32 vectors"
        return f"inner product of float32 vectors decoded from {self.level} codes"


def stored(vectors: Floats, level: Quantizer) -> Stored:
    """Encode float32 (n, d) unit vectors the way the index stores them."""
    codes = level.encode(vectors)
    values = codes.values if isinstance(level, Binary) else level.decode(codes)
    return Stored(np.ascontiguousarray(values), level.name)


def kth_best(queries: Stored, documents: Stored, k: int) -> Floats:
    """Return the exact score of every query's k-th nearest document.

    Args:
        queries: Q of them.
        documents: At least k, stored the same way.
        k: Neighbours wanted.

    Returns:
        float32 (Q,), less `ROUNDING` where scores are rounded: whatever scores as high is a neighbour.
    """
    best = []
    for start in range(0, len(queries), BLOCK):
        block = queries.values[start : start + BLOCK]
        if documents.packed:
            scores = -hamming_distances(block, documents.values).astype(np.float32)
        else:
            scores = inner_products(block, documents.values) - ROUNDING
        best.append(np.partition(scores, -k, axis=1)[:, -k])
    return np.concatenate(best)


def recall(found: Ints, queries: Stored, documents: Stored, threshold: Floats) -> float:
    """Return the share of found documents that are exact neighbours.

    Args:
        found: int64 (Q, k) document rows, none twice for a query; -1 where nothing was found.
        queries: The Q that were asked.
        documents: What `found` counts in; need not be what was searched.
        threshold: float32 (Q,), the scores of `kth_best` for these queries and documents.
    """
    hits = 0
    for start in range(0, len(queries), BLOCK):
        rows = found[start : start + BLOCK]
        scores = _scores(queries.values[start : start + BLOCK], documents.values[rows])
        hits += int(np.count_nonzero((rows >= 0) & (scores >= threshold[start : start + BLOCK, None])))
    return hits / found.size


def _scores(queries: npt.NDArray[Any], answers: npt.NDArray[Any]) -> Floats:
    """Score every query, (q, width), with its own answers, (q, k, width): float32 (q, k)."""
    if queries.dtype == np.uint8:
        distances = np.bitwise_count(answers ^ queries[:, None]).sum(axis=2, dtype=np.int64)
        return np.asarray(-distances, dtype=np.float32)
    return np.asarray((answers @ queries[:, :, None])[:, :, 0], dtype=np.float32)
