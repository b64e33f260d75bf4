"""faiss's HNSW and IVF over stored vectors, built and searched on one thread, distances counted.

faiss keeps its counters in one place for the whole process, so only one search is counted at a time. They
were checked against a search of the same graph in plain Python (`tests/vectors/ann/test_indexes.py`):
`hnsw_stats.ndis` leaves out the distance to the entry point, and `indexIVF_stats.ndis` the distances to the
centroids; both are added here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from evalsuite.core.ann import HnswBuild, IvfBuild
from evalsuite.vectors.ann.sample import ProbeSettings
from evalsuite.vectors.ann.stored import Stored
from evalsuite.vectors.quantizers.trained import one_thread

Ints = npt.NDArray[np.int64]

_COUNTERS = Lock()

_TRAINING_PER_LIST = 256
"""Vectors k-means sees for each centroid at most: faiss's own limit."""


@dataclass(frozen=True)
class Found:
    """The result of one counted search.

    Attributes:
        rows: int64 (queries, k) document rows, best first; -1 where fewer were found.
        distances: Distance computations of all queries together.
    """

    rows: Ints
    distances: int


class CountedIndex(Protocol):
    """An index that counts its distance computations."""

    @property
    def documents(self) -> Stored:
        """What it holds."""
        ...

    @property
    def build(self) -> HnswBuild | IvfBuild:
        """How it was built."""
        ...

    @property
    def parameters(self) -> tuple[int, ...]:
        """The sweep, ascending."""
        ...

    def search(self, queries: Stored, k: int, parameter: int) -> Found:
        """Search k documents for every query at one setting."""
        ...


class Hnsw:
    """A navigable graph; the parameter is `ef`, the candidates held while searching its lowest level."""

    def __init__(self, documents: Stored, seed: int, settings: ProbeSettings) -> None:
        faiss = _faiss()
        self.documents = documents
        self.build = HnswBuild(m=settings.m, ef_construction=settings.ef_construction, seed=seed)
        self.parameters = ladder(min(settings.k, len(documents)), min(settings.max_ef, len(documents)))
        if documents.packed:
            self._index = faiss.IndexBinaryHNSW(8 * documents.values.shape[1], settings.m)
        else:
            width = documents.values.shape[1]
            self._index = faiss.IndexHNSWFlat(width, settings.m, faiss.METRIC_INNER_PRODUCT)
        self._index.hnsw.efConstruction = settings.ef_construction
        self._index.hnsw.rng = faiss.RandomGenerator(seed)
        with one_thread():
            self._index.add(documents.values)

    def search(self, queries: Stored, k: int, parameter: int) -> Found:
        """Search with `ef` = parameter; faiss holds at least k."""
        faiss = _faiss()
        self._index.hnsw.efSearch = parameter
        with _counting(faiss.cvar.hnsw_stats) as counter:
            _, rows = self._index.search(queries.values, k)
            distances = int(counter.ndis) + len(queries)
        return Found(rows, distances)


class Ivf:
    """Lists around centroids; the parameter is `nprobe`, the lists visited.

    With as many lists as the square root of the documents, comparing a query with all centroids costs as much
    as visiting one list.
    """

    def __init__(self, documents: Stored, seed: int, settings: ProbeSettings) -> None:
        self.documents = documents
        lists = min(settings.lists or max(1, round(len(documents) ** 0.5)), len(documents))
        trained = min(len(documents), _TRAINING_PER_LIST * lists)
        self.build = IvfBuild(lists=lists, training_documents=trained, seed=seed)
        self.parameters = ladder(1, lists)
        self._index = _lists(documents, lists)
        self._index.cp.seed = seed
        self._index.cp.max_points_per_centroid = _TRAINING_PER_LIST
        self._index.cp.min_points_per_centroid = 1  # else faiss warns of small samples on stderr
        with one_thread():
            self._index.train(documents.values)
            self._index.add(documents.values)

    def search(self, queries: Stored, k: int, parameter: int) -> Found:
        """Search the lists of the `nprobe` = parameter nearest centroids."""
        faiss = _faiss()
        self._index.nprobe = parameter
        with _counting(faiss.cvar.indexIVF_stats) as counter:
            _, rows = self._index.search(queries.values, k)
            distances = int(counter.ndis) + self.build.lists * len(queries)
        return Found(rows, distances)


def ladder(first: int, last: int) -> tuple[int, ...]:
    """Return settings from first to last, both included; between them 1, 2, 3, 4, 6, 8, 12, 16, 24, ..."""
    steps = sorted({base << shift for base in (2, 3) for shift in range(last.bit_length())} | {1})
    return tuple(sorted({first, last, *(step for step in steps if first < step < last)}))


def _lists(documents: Stored, lists: int) -> Any:
    """Return an untrained inverted file; its centroids are searched exactly."""
    faiss = _faiss()
    if documents.packed:
        bits = 8 * documents.values.shape[1]
        return faiss.IndexBinaryIVF(faiss.IndexBinaryFlat(bits), bits, lists)
    width = documents.values.shape[1]
    return faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)


def _faiss() -> Any:
    """Import faiss; its type stubs know neither the counters nor the random generator."""
    import faiss

    return faiss


@contextmanager
def _counting(counter: Any) -> Iterator[Any]:
    """Give one of faiss's process-wide counters, at zero, to a search on one thread."""
    with _COUNTERS, one_thread():
        counter.reset()
        yield counter
