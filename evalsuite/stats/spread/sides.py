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
from evalsuite.stats.spread.threads import one_thread_a_call

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


@dataclass(frozen=True)
class DocumentPass:
    """What one pass over the documents gathers, or a pass over a run of them.

    Attributes:
        stream: Sums and sample.
        gathered: The documents that judged pairs name.
        first: Row of the first document among all.
    """

    stream: SideStream
    gathered: Gathered
    first: int = 0

    def feed(self, block: AnyFloats) -> None:
        """Take in the next block of full-width vectors, float (n, width), not normalised and not cut.

        Raises:
            ValueError: If widths differ or a dimension is no prefix of them.
        """
        self.gathered.feed(block, self.first + self.stream.rows)
        self.stream.feed(block)


@dataclass(frozen=True)
class PassPlan:
    """What a pass over documents looks for; the same for every run of them.

    Attributes:
        dims: Dimensions to measure at, each at most the width.
        seed: Seed of the samples.
        sizes: Sample sizes.
        judged: int64 (p, 2), (query row, document row) of the judged pairs that are measured.
    """

    dims: Sequence[int]
    seed: int
    sizes: SampleSizes
    judged: Longs

    @classmethod
    def of(
        cls, queries: QuerySide | None, dims: Sequence[int], seed: int, sizes: SampleSizes | None = None
    ) -> PassPlan:
        """Choose the judged pairs: all, or a seeded sample of them.

        Raises:
            ValueError: If a pair names no query.
        """
        sizes = sizes or SampleSizes()
        judged = _sampled_positives(queries, _rngs(seed)[2], sizes.positives)
        return cls(dims, seed, sizes, judged)

    def over(self, documents: Iterable[AnyFloats], first: int = 0) -> DocumentPass:
        """Pass over documents, or over a run of them.

        Args:
            documents: Blocks of full-width vectors, float (n, width), not normalised and not cut.
            first: Row of the first document among all.

        Raises:
            ValueError: If widths differ or a dimension is no prefix of them.
        """
        found = self.begin(first)
        for block in documents:
            found.feed(block)
        return found

    def begin(self, first: int = 0) -> DocumentPass:
        """Begin a pass at the document of row `first`."""
        rng = _rngs(self.seed)[0]
        # Every row draws one key, in order: the rows before have drawn theirs elsewhere.
        rng.bit_generator.advance(first)  # type: ignore[attr-defined]
        return DocumentPass(SideStream(self.dims, rng, self.sizes), Gathered(self.judged[:, 1]), first)


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
    plan = PassPlan.of(queries, dims, seed, sizes)
    return spread_of_pass(plan, plan.over(documents), queries)


def spread_of_pass(plan: PassPlan, found: DocumentPass, queries: QuerySide | None) -> list[SideSpread]:
    """Measure the spread from a finished pass over all documents; see `spread_of_sides`.

    On one thread: matrices of a thousand rows are too small to share, several take longer.

    Raises:
        ValueError: If widths differ, or a positive names no row.
    """
    with one_thread_a_call():
        kept = WholeSide.of(found.stream)
        if queries is None:
            return [measure_side("document", kept, dim) for dim in plan.dims]
        found.gathered.check(found.stream.rows)
        judged = plan.judged
        asking = _asking(queries, plan.dims, _rngs(plan.seed)[1], found.stream)
        vectors = queries.vectors[judged[:, 0]]
        positives = Positives(
            judged[:, 0], vectors, found.gathered.rows(judged[:, 1]), len(queries.positives)
        )
        given = positives if len(judged) else None
        return [spread for dim in plan.dims for spread in _at_dim(kept, asking, given, dim)]


def _rngs(seed: int) -> list[np.random.Generator]:
    """Return sources of randomness for the documents, the queries and the judged pairs."""
    return np.random.default_rng(seed).spawn(3)


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


class Gathered:
    """The vectors of certain rows, picked up while blocks pass.

    Args:
        wanted: int64 (p,), row numbers, repeats allowed.

    Attributes:
        parts: Vectors picked up so far, float (n, width) each, in the order of their rows.
    """

    def __init__(self, wanted: Longs) -> None:
        self._numbers = np.unique(wanted)
        self.parts: list[AnyFloats] = []

    def feed(self, block: AnyFloats, first: int) -> None:
        """Pick rows of a block whose first row has the number `first`."""
        low, high = np.searchsorted(self._numbers, [first, first + len(block)])
        self.parts.append(block[self._numbers[low:high] - first])

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
        if not self.parts:
            return np.zeros((0, 0), dtype=np.float32)
        return np.concatenate(self.parts)[np.searchsorted(self._numbers, wanted)]
