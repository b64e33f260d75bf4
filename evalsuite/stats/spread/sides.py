"""The one function a sweep calls: all statistics of a task's sides at all dimensions from one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.core.spread import SideSpread
from evalsuite.stats.spread.cross import Positives, measure_cross
from evalsuite.stats.spread.moments import AnyFloats
from evalsuite.stats.spread.side import WholeSide, measure_side
from evalsuite.stats.spread.stream import SampleSizes, SideStream

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class QuerySide:
    """The queries of a task and what answers them.

    Attributes:
        vectors: float (q, width), full-width vectors.
        positives: int64 (p, 2), (query row, document row) of judged pairs; document rows count in the
            order in which blocks arrive. Empty where there are none.
    """

    vectors: AnyFloats
    positives: Longs


def spread_of_sides(
    documents: Iterable[AnyFloats],
    queries: QuerySide | None,
    dims: Sequence[int],
    seed: int,
    sizes: SampleSizes | None = None,
) -> list[SideSpread]:
    """Measure the spread of documents, of queries, and of queries against documents.

    One pass over the documents; memory O(Σd²) and the samples. The result does not depend on how
    documents are cut into blocks, but for rounding.

    Args:
        documents: Blocks of full-width vectors, float (n, width), not normalised and not cut.
        queries: The queries with their positives; None for a task with one kind of text (STS).
        dims: Dimensions to measure at, each at most the width.
        seed: Seed of the samples.
        sizes: Sample sizes; the defaults where None.

    Returns:
        One value a side and dimension, dimensions in the order given, sides in the order document, query,
        query-document. A statistic that these vectors do not define is in `missing` with its reason.

    Raises:
        ValueError: If widths differ, a dimension is no prefix of them, or a positive names no row.
    """
    sizes = sizes or SampleSizes()
    document_rng, query_rng, positive_rng = np.random.default_rng(seed).spawn(3)
    judged = _sampled_positives(queries, positive_rng, sizes.positives)
    stream, gathered = SideStream(dims, document_rng, sizes), _Gathered(judged[:, 1])
    for block in documents:
        gathered.feed(block, stream.rows)
        stream.feed(block)
    kept = WholeSide.of(stream)
    if queries is None:
        return [measure_side("document", kept, dim) for dim in dims]
    gathered.check(stream.rows)
    asking = _asking(queries, dims, query_rng, stream)
    vectors = queries.vectors[judged[:, 0]]
    positives = Positives(judged[:, 0], vectors, gathered.rows(judged[:, 1]), len(queries.positives))
    given = positives if len(judged) else None
    return [spread for dim in dims for spread in _at_dim(kept, asking, given, dim)]


def _asking(
    queries: QuerySide, dims: Sequence[int], rng: np.random.Generator, documents: SideStream
) -> WholeSide:
    """Pass over the queries, which must be as wide as the documents."""
    stream = SideStream(dims, rng, documents.sizes)
    stream.feed(queries.vectors)
    if documents.width not in {0, stream.width}:
        message = f"queries are {stream.width} wide, documents {documents.width}"
        raise ValueError(message)
    return WholeSide.of(stream)


def _at_dim(
    kept: WholeSide, asking: WholeSide, positives: Positives | None, dim: int
) -> tuple[SideSpread, SideSpread, SideSpread]:
    """Measure the three sides at one dimension; ideals across sides refer to the documents' rank."""
    documents = measure_side("document", kept, dim)
    return (
        documents,
        measure_side("query", asking, dim),
        measure_cross(asking, kept, positives, dim, documents.ideal_rank),
    )


def _sampled_positives(queries: QuerySide | None, rng: np.random.Generator, size: int) -> Longs:
    """Keep all judged pairs, or a seeded sample of `size` in their order; int64 (p, 2).

    Raises:
        ValueError: If a pair names no query.
    """
    if queries is None:
        return np.zeros((0, 2), dtype=np.int64)
    pairs = np.asarray(queries.positives, dtype=np.int64).reshape(-1, 2)
    if len(pairs) and not 0 <= pairs[:, 0].min() <= pairs[:, 0].max() < len(queries.vectors):
        message = f"positives name query rows outside 0 to {len(queries.vectors) - 1}"
        raise ValueError(message)
    if len(pairs) <= size:
        return pairs
    return pairs[np.sort(rng.choice(len(pairs), size, replace=False))]


class _Gathered:
    """The vectors of certain rows, picked up while blocks pass.

    Args:
        wanted: int64 (p,), row numbers, repeats allowed.
    """

    def __init__(self, wanted: Longs) -> None:
        self._numbers = np.unique(wanted)
        self._parts: list[AnyFloats] = []

    def feed(self, block: AnyFloats, first: int) -> None:
        """Pick rows of a block whose first row has the number `first`."""
        low, high = np.searchsorted(self._numbers, [first, first + len(block)])
        self._parts.append(block[self._numbers[low:high] - first])

    def check(self, rows: int) -> None:
        """Refuse numbers that no block held.

        Raises:
            ValueError: If a number is negative or not below `rows`.
        """
        if len(self._numbers) and not 0 <= self._numbers[0] <= self._numbers[-1] < rows:
            message = f"positives name document rows outside 0 to {rows - 1}"
            raise ValueError(message)

    def rows(self, wanted: Longs) -> AnyFloats:
        """Vectors of the rows wanted, float (p, width), in the order asked for."""
        if not self._parts:
            return np.zeros((0, 0), dtype=np.float32)
        return np.concatenate(self._parts)[np.searchsorted(self._numbers, wanted)]
