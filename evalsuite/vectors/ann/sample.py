"""What is probed: documents for the index, held-out documents and queries, drawn once for every variant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import EncodingError, UsageError

Floats = npt.NDArray[np.float32]

HELD_OUT_SHARE = 10
"""One document in this many stays out of the index, up to as many as there may be queries."""


@dataclass(frozen=True)
class ProbeSettings:
    """Sizes and build parameters.

    Attributes:
        k: Neighbours asked for.
        max_documents: Documents in the index at most. Work grows about as log(documents) for hnsw and as
            their square root for ivf, so only probes of equal size compare.
        max_queries: Queries at most; also held-out documents at most. The default leaves recall, a mean over
            3,000 neighbours, a standard error of about a point.
        m: Links of an HNSW graph.
        ef_construction: Candidates while the graph is built.
        max_ef: Candidates held at most while searching the graph.
        lists: Lists of an inverted file; None for the square root of the documents.
    """

    k: int = 10
    max_documents: int = 20_000
    max_queries: int = 300
    m: int = 16
    ef_construction: int = 64
    max_ef: int = 512
    lists: int | None = None

    def __post_init__(self) -> None:
        """Refuse settings that no index can have, all at once.

        Raises:
            UsageError: If a size is not positive, `m` is below 2, or `max_ef` is below `k`.
        """
        least = {
            "k": 1, "max_documents": 1, "max_queries": 1, "m": 2, "ef_construction": 1, "max_ef": self.k,
            **({} if self.lists is None else {"lists": 1}),
        }  # fmt: skip
        wrong = [
            f"{name} is {getattr(self, name)}, at least {floor} is needed"
            for name, floor in least.items()
            if getattr(self, name) < floor
        ]
        if wrong:
            message = "the probe cannot run: " + "; ".join(wrong)
            raise UsageError(message)


@dataclass(frozen=True)
class Sample:
    """Full-width vectors, the same for every dimension and precision that is probed.

    Attributes:
        indexed: float32 (n, width), documents of the index.
        held_out: float32 (h, width), documents that are not in the index, h >= 1.
        queries: float32 (q, width).
        seed: Seed of the draw.
    """

    indexed: Floats
    held_out: Floats
    queries: Floats
    seed: int

    @classmethod
    def draw(
        cls, documents: Floats, queries: Floats, seed: int, settings: ProbeSettings | None = None
    ) -> Self:
        """Draw without replacement; rows keep their order. Only the rows drawn are read.

        Args:
            documents: float32 (N, width), N >= 2; a memory map will do.
            queries: float32 (Q, width), Q >= 1.
            seed: Seed of the draw, not negative.
            settings: How many to draw at most.

        Raises:
            UsageError: If there are too few vectors, or the widths differ.
            EncodingError: If a drawn vector is not finite.
        """
        settings = settings or ProbeSettings()
        _check_shapes(documents, queries)
        rng = np.random.default_rng(seed)
        held = min(settings.max_queries, max(1, len(documents) // HELD_OUT_SHARE))
        kept = min(settings.max_documents, len(documents) - held)
        rows = rng.permutation(len(documents))
        asking = rng.permutation(len(queries))[: settings.max_queries]
        return cls(
            indexed=_take(documents, rows[held : held + kept], "documents"),
            held_out=_take(documents, rows[:held], "documents"),
            queries=_take(queries, asking, "queries"),
            seed=seed,
        )


def _check_shapes(documents: Floats, queries: Floats) -> None:
    """Refuse vectors that cannot be probed, naming everything that is wrong."""
    if documents.ndim != 2 or queries.ndim != 2:
        message = f"vectors are two-dimensional; documents are {documents.shape}, queries {queries.shape}"
        raise UsageError(message)
    wrong = []
    if len(documents) < 2:
        wrong.append(f"{len(documents)} documents, at least 2 are needed: one stays out of the index")
    if len(queries) < 1:
        wrong.append("no queries, at least 1 is needed")
    if documents.shape[1] != queries.shape[1]:
        wrong.append(f"documents have {documents.shape[1]} dimensions, queries {queries.shape[1]}")
    if wrong:
        message = "approximate search cannot be probed: " + "; ".join(wrong)
        raise UsageError(message)


def _take(vectors: Floats, rows: npt.NDArray[np.int64], what: str) -> Floats:
    """Read some rows as float32, in ascending order."""
    taken = np.asarray(vectors[np.sort(rows)], dtype=np.float32)
    broken = int(np.count_nonzero(~np.isfinite(taken).all(axis=1)))
    if broken:
        message = f"{broken} of {len(taken)} drawn {what} hold NaN or infinite values; encode them again"
        raise EncodingError(message)
    return taken
