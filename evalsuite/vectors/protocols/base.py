"""What every protocol answers, and the arithmetic that several of them share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_EXACT_FLOAT32 = 2**24
"""float32 holds every integer up to here."""


class ScoringProtocol(Protocol):
    """How one tool scores one precision.

    Call `fit` once, then `queries` once with all queries of the task, then `scores` for every block of the
    corpus in order. For pairs of sentences call `pair_scores` alone.
    """

    @property
    def name(self) -> str:
        """Name of the protocol in variant texts."""
        ...

    @property
    def precision(self) -> str:
        """Name of the precision, as evalsuite writes it."""
        ...

    @property
    def chunk(self) -> int | None:
        """Documents that must be handed over in one block; None if any number will do."""
        ...

    @property
    def rescore_candidates(self) -> int:
        """Best documents a query to be reordered with float32 inner products; 0 if none are."""
        ...

    def fit(self, corpus: Iterable[Floats]) -> None:
        """Learn ranges from all blocks of the corpus, each float32 (n, d); read only if they are needed."""
        ...

    def queries(self, vectors: Floats) -> torch.Tensor:
        """Turn all queries, float32 (q, d) unit vectors, into what `scores` takes; rows may be sliced."""
        ...

    def scores(self, queries: torch.Tensor, block: Floats) -> torch.Tensor:
        """Score prepared queries with float32 (b, d) documents: float32 (q, b), higher is nearer."""
        ...

    def pair_scores(self, first: Floats, second: Floats) -> Doubles:
        """Score float32 (n, d) sentences with their partners: float64 (n,), higher is nearer."""
        ...

    def bytes_per_vector(self, dim: int) -> float:
        """Return the bytes a stored vector would take, packed, its copy for rescoring included."""
        ...

    def index_bytes(self, dim: int) -> float:
        """Return the bytes stored once for the whole index."""
        ...


def tensor(vectors: Floats) -> torch.Tensor:
    """Share a float32 array with torch; a read-only one is copied."""
    import torch

    return torch.from_numpy(np.require(vectors, dtype=np.float32, requirements=["C", "W"]))


def corpus_ranges(blocks: Iterable[Floats]) -> Floats:
    """Return float32 (2, d): the lowest and the highest value of each dimension over all blocks.

    Raises:
        ValueError: If there is no block.
    """
    ends = [(block.min(axis=0), block.max(axis=0)) for block in blocks]
    if not ends:
        message = "ranges need at least one vector"
        raise ValueError(message)
    lowest, highest = zip(*ends, strict=True)
    return np.stack([np.min(lowest, axis=0), np.max(highest, axis=0)])


def steps_of(ranges: Floats) -> Floats:
    """Return float32 (d,) widths of 255 equal steps; 1 where a range is empty."""
    steps = (ranges[1] - ranges[0]) / 255
    return np.asarray(np.where(steps == 0, np.float32(1), steps))


def fitted(ranges: Floats | None) -> Floats:
    """Return ranges that must have been learnt.

    Raises:
        ValueError: If `fit` has not been called.
    """
    if ranges is None:
        message = "this protocol needs the ranges of the corpus: call fit before queries and scores"
        raise ValueError(message)
    return ranges


def exact_products(queries: torch.Tensor, documents: torch.Tensor, largest: int) -> torch.Tensor:
    """Multiply integer codes held as float32, sum exactly, round once.

    Args:
        queries: float32 (q, d), integers.
        documents: float32 (b, d), integers.
        largest: Largest magnitude of a code.

    Returns:
        float32 (q, b).
    """
    if largest**2 * queries.shape[1] <= _EXACT_FLOAT32:
        return queries @ documents.T
    return (queries.double() @ documents.double().T).float()


def signs(vectors: Floats) -> torch.Tensor:
    """Return float32 (n, d): 1 where a value is above 0, else -1."""
    return tensor(np.where(vectors > 0, np.float32(1), np.float32(-1)))


def minus_hamming(queries: torch.Tensor, documents: torch.Tensor) -> torch.Tensor:
    """Return float32 (q, b), minus the number of signs that differ: (s . t - d) / 2, exactly."""
    products = queries @ documents.T
    return products.sub_(queries.shape[1]).div_(2)


def cosines(first: Doubles, second: Doubles) -> Doubles:
    """Return float64 (n,) cosines of the rows, 0 for rows of zeros.

    Integer rows with equal inner products and equal norms get bit-equal cosines, so ties stay ties.
    """
    products = np.einsum("ij,ij->i", first, second)
    norms = np.sqrt(np.einsum("ij,ij->i", first, first) * np.einsum("ij,ij->i", second, second))
    return np.asarray(np.divide(products, norms, out=np.zeros_like(products), where=norms > 0))
