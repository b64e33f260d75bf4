"""HNSW and IVF: what they find and, above all, how many distances they say they computed."""

import threading
from itertools import pairwise

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.vectors.ann.indexes import Hnsw, Ivf, ladder
from evalsuite.vectors.ann.sample import ProbeSettings
from evalsuite.vectors.ann.stored import Stored, stored
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import quantizer

SETTINGS = ProbeSettings(m=4, ef_construction=20)


def vectors_of(n, dim=16, seed=0, level="float32"):
    """Uniform unit vectors, stored at a level."""
    x = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return stored(unit_prefix(x, dim), quantizer(level))


class PlainSearch:
    """A search of faiss's own graph in plain Python that counts every distance, the entry point's too.

    Like faiss's it is Malkov & Yashunin's algorithms 2 and 5 with a candidate list of `ef` that remembers
    what was expanded.
    """

    def __init__(self, index, documents, query):
        graph = index._index.hnsw
        self.offsets = faiss.vector_to_array(graph.offsets).astype(int)
        self.links = faiss.vector_to_array(graph.neighbors)
        self.starts = faiss.vector_to_array(graph.cum_nneighbor_per_level)
        self.entry, self.top = graph.entry_point, graph.max_level
        self.documents, self.query, self.count = documents, query, 0

    def distance(self, row):
        """Compute one distance."""
        self.count += 1
        if self.documents.packed:
            return int(np.bitwise_count(self.documents.values[row] ^ self.query).sum())
        return -float(self.documents.values[row] @ self.query)

    def neighbours(self, row, level):
        """Rows that a row links to on a level."""
        first = self.offsets[row]
        links = self.links[first + self.starts[level] : first + self.starts[level + 1]]
        return links[links >= 0]

    def descend(self):
        """Walk greedily down to the lowest level."""
        nearest, best = self.entry, self.distance(self.entry)
        for level in range(self.top, 0, -1):
            moved = True
            while moved:
                moved = False
                for other in self.neighbours(nearest, level):
                    distance = self.distance(other)
                    if distance < best:
                        nearest, best, moved = other, distance, True
        return nearest, best

    def run(self, k, ef):
        """Return the k best rows found."""
        nearest, best = self.descend()
        held, waiting, seen = [(best, nearest)], {nearest}, {nearest}
        while waiting:
            distance, row = min(pair for pair in held if pair[1] in waiting)
            waiting.discard(row)
            if sum(other < distance for other, _ in held) >= ef:
                break
            for other in self.neighbours(row, 0):
                if other in seen:
                    continue
                seen.add(other)
                pair = (self.distance(other), other)
                if len(held) < ef or pair[0] < max(held)[0]:
                    held.append(pair)
                    waiting.add(other)
                if len(held) > ef:
                    worst = max(held)
                    held.remove(worst)
                    waiting.discard(worst[1])
        return [row for _, row in sorted(held)[:k]]


@given(st.integers(1, 100), st.integers(0, 3000))
def test_ladder_is_a_climb_between_its_ends(first, more):
    """Settings ascend strictly from the first to the last, each at most twice the one before."""
    steps = ladder(first, first + more)
    assert steps[0] == first
    assert steps[-1] == first + more
    assert all(a < b <= 2 * a for a, b in pairwise(steps))


def test_ladder_by_hand():
    """Powers of two, and half-way between them."""
    assert ladder(10, 70) == (10, 12, 16, 24, 32, 48, 64, 70)
    assert ladder(1, 5) == (1, 2, 3, 4, 5)
    assert ladder(3, 3) == (3,)


@pytest.mark.parametrize("ef", [10, 24, 64])
def test_hnsw_counts_and_finds_what_a_plain_search_does(ef):
    """Work and neighbours equal those of a search of the same graph in plain Python."""
    documents, queries = vectors_of(400), vectors_of(8, seed=1)
    index = Hnsw(documents, 3, SETTINGS)
    found = index.search(queries, 10, ef)
    searches = [PlainSearch(index, documents, query) for query in queries.values]
    assert [search.run(10, ef) for search in searches] == found.rows.tolist()
    assert sum(search.count for search in searches) == found.distances


def test_hamming_counts_agree_but_for_ties():
    """Over 128-bit codes equal distances leave the order of visits open: the work is within 3 %."""
    documents, queries = (vectors_of(n, 128, seed, "binary") for n, seed in ((400, 0), (20, 1)))
    index = Hnsw(documents, 3, SETTINGS)
    searches = [PlainSearch(index, documents, query) for query in queries.values]
    for search in searches:
        search.run(10, 32)
    expected = sum(search.count for search in searches)
    assert index.search(queries, 10, 32).distances == pytest.approx(expected, rel=0.03)


def test_hnsw_looks_at_every_document_where_it_must():
    """Nine documents on one level, all to be found: nine distances a query, the entry point among them."""
    documents = vectors_of(9)
    index = Hnsw(documents, 9, ProbeSettings(m=16))
    assert index._index.hnsw.max_level == 0
    found = index.search(vectors_of(5, seed=1), 9, 9)
    assert found.distances == 5 * 9
    assert np.array_equal(np.sort(found.rows, axis=1), np.tile(np.arange(9), (5, 1)))


@pytest.mark.parametrize("level", ["float32", "int8", "binary"])
def test_ivf_visits_all_lists_and_all_documents(level):
    """nprobe = nlist costs a distance to every document and every centroid: 90 + 9 a query."""
    index = Ivf(vectors_of(90, level=level), 3, SETTINGS)
    assert index.parameters[-1] == index.build.lists == 9
    assert index.search(vectors_of(4, seed=1, level=level), 10, 9).distances == 4 * (90 + 9)


@pytest.mark.parametrize(("asked", "built"), [(None, 9), (4, 4), (200, 90)])
def test_lists_are_bounded_by_documents(asked, built):
    """The square root unless asked otherwise, and no more lists than documents."""
    index = Ivf(vectors_of(90), 3, ProbeSettings(lists=asked))
    assert index.build.lists == index.parameters[-1] == built


def test_ivf_visits_the_nearest_lists():
    """Work at nprobe is the centroids plus the sizes of the lists whose centroids are nearest."""
    documents, queries = vectors_of(90), vectors_of(6, seed=1)
    index = Ivf(documents, 3, SETTINGS)
    sizes = np.array([index._index.invlists.list_size(i) for i in range(9)])
    centroids = index._index.quantizer.reconstruct_n(0, 9)
    nearest = np.argsort(-(queries.values @ centroids.T), axis=1)
    for nprobe in (1, 2, 5):
        expected = 6 * 9 + sizes[nearest[:, :nprobe]].sum()
        assert index.search(queries, 10, nprobe).distances == expected


@pytest.mark.parametrize("kind", [Hnsw, Ivf])
@pytest.mark.parametrize("level", ["float32", "binary"])
def test_searching_longer_computes_more(kind, level):
    """Work never falls along the sweep."""
    documents, queries = vectors_of(600, level=level), vectors_of(30, seed=1, level=level)
    index = kind(documents, 3, SETTINGS)
    work = [index.search(queries, 10, parameter).distances for parameter in index.parameters]
    assert work == sorted(work)
    assert work[-1] > 1.5 * work[0]


@pytest.mark.parametrize("kind", [Hnsw, Ivf])
def test_the_seed_decides(kind):
    """The same seed builds the same index; another seed another one."""
    documents, queries = vectors_of(500), vectors_of(40, seed=1)

    def built(seed):
        found = kind(documents, seed, SETTINGS).search(queries, 10, 10 if kind is Hnsw else 2)
        return found.rows.tolist(), found.distances

    assert built(1) == built(1)
    assert built(1) != built(2)


def test_counts_do_not_mix_between_threads():
    """Two threads searching at once each count their own distances; the thread count of faiss comes back."""
    queries = vectors_of(200, seed=1)
    indexes = [Ivf(vectors_of(n), 3, SETTINGS) for n in (100, 400)]
    threads = faiss.omp_get_max_threads()
    counts = [set(), set()]

    def search(which):
        for _ in range(20):
            counts[which].add(indexes[which].search(queries, 5, indexes[which].build.lists).distances)

    workers = [threading.Thread(target=search, args=(which,)) for which in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert counts == [{200 * 110}, {200 * 420}]
    assert faiss.omp_get_max_threads() == threads


@pytest.mark.parametrize("kind", [Hnsw, Ivf])
@pytest.mark.parametrize("level", ["float32", "binary"])
def test_one_document_is_an_index(kind, level, capfd):
    """A single document is found by everybody, without a word on the terminal."""
    index = kind(vectors_of(1, level=level), 0, SETTINGS)
    found = index.search(vectors_of(3, seed=1, level=level), 1, index.parameters[0])
    assert found.rows.tolist() == [[0], [0], [0]]
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("kind", [Hnsw, Ivf])
def test_equal_documents_are_an_index(kind, capfd):
    """A hundred copies of one vector are built and searched, without a word on the terminal."""
    same = Stored(np.tile(vectors_of(1).values, (100, 1)), "float32")
    index = kind(same, 0, SETTINGS)
    assert index.search(same, 10, index.parameters[-1]).rows.shape == (100, 10)
    assert "".join(capfd.readouterr()) == ""
