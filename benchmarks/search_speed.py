"""Measure exact search against faiss: float32, int8, binary, and four prefixes from one pass.

    python benchmarks/search_speed.py --documents 100000 --dim 768 --queries 256 --k 100

Contestants take turns within each repeat, so that a busy machine slows all alike; figures are medians over
the repeats. Indexes and codes are built beforehand. Ours includes all that a search needs: scores with their
scales, the tie rule, and counts of ties over the whole corpus.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import faiss
import numpy as np
import numpy.typing as npt
import torch

from evalsuite.vectors.kernels import (
    hamming_distances,
    inner_products,
    integer_products,
    prefix_inner_products,
)
from evalsuite.vectors.search import Pairs, Ranking, TopK

Floats = npt.NDArray[np.float32]
Array = TypeVar("Array", bound=npt.NDArray[Any])
BINARY_BLOCK = 2048
"""Documents scored at once by Hamming distance, by measurement (README-search.md)."""
NOBODY = Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Arena:
    """Uniform unit vectors and how they are searched.

    Attributes:
        queries: float32 (q, d).
        documents: float32 (n, d).
        k: Documents kept a query.
        block: Documents scored at once.
    """

    queries: Floats
    documents: Floats
    k: int
    block: int

    def cuts(self) -> Iterator[slice]:
        """Cut the corpus into blocks."""
        for start in range(0, len(self.documents), self.block):
            yield slice(start, start + self.block)

    def best(self) -> TopK:
        """Start a search."""
        return TopK(len(self.queries), self.k, NOBODY)


def unit_vectors(count: int, dim: int, rng: np.random.Generator) -> Floats:
    """Draw float32 (count, dim) vectors uniformly from the unit sphere."""
    vectors = rng.standard_normal((count, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def fitting(former: Array | None, block: npt.NDArray[Any]) -> Array | None:
    """Hand a former result on as the place for the next, cut to the block's length."""
    return None if former is None or former.shape[1] < len(block) else former[:, : len(block)]


def float_search(arena: Arena) -> Callable[[], Ranking]:
    """Search float32 vectors at full width."""

    def search() -> Ranking:
        best, scores = arena.best(), None
        for cut in arena.cuts():
            block = arena.documents[cut]
            scores = inner_products(arena.queries, block, fitting(scores, block))
            best.update(scores, cut.start)
        return best.ranking()

    return search


def int8_codes(vectors: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Encode rows as integers up to 127 and a scale."""
    scale = np.abs(vectors).max(axis=1) / np.float32(127)
    return np.rint(vectors / scale[:, None]).astype(np.int8), scale


def int8_search(arena: Arena) -> Callable[[], Ranking]:
    """Search int8 codes with one scale a vector; the query's multiplies only what was found."""
    queries, query_scale = int8_codes(arena.queries)
    documents, scale = int8_codes(arena.documents)

    def search() -> Ranking:
        best, products = arena.best(), None
        scratch = np.empty((arena.block, len(queries)), dtype=np.float32)
        for cut in arena.cuts():
            products = integer_products(queries, documents[cut], fitting(products, documents[cut]))
            scores = scratch[: products.shape[1]]
            np.copyto(scores, products.T, casting="unsafe")
            scores *= scale[cut, None]
            best.update(scores.T, cut.start)
        found = best.ranking()
        return replace(found, scores=found.scores * query_scale[:, None])

    return search


def binary_search(arena: Arena) -> Callable[[], Ranking]:
    """Search sign bits by 1 - 2 h / d.

    A query's complement differs from a document where the query agrees with it, so these counts rank as they
    are; what was found is turned into scores. (Bits that fill the last byte up agree with none.)
    """
    dim = arena.queries.shape[1]
    complements = np.packbits(arena.queries <= 0, axis=1)
    documents = np.packbits(arena.documents > 0, axis=1)

    def search() -> Ranking:
        best, agreeing = arena.best(), None
        scratch = np.empty((arena.block, len(complements)), dtype=np.float32)
        for cut in arena.cuts():
            agreeing = hamming_distances(complements, documents[cut], fitting(agreeing, documents[cut]))
            scores = scratch[: agreeing.shape[1]]
            np.copyto(scores, agreeing.T, casting="unsafe")
            best.update(scores.T, cut.start)
        found = best.ranking()
        return replace(found, scores=(2 * found.scores - dim) / np.float32(dim))

    return search


def prefix_search(arena: Arena) -> Callable[[], list[Ranking]]:
    """Search four prefixes by cosine; query norms do not change the order and are left out."""
    width = arena.queries.shape[1]
    dims = sorted({max(1, width * sixth // 6) for sixth in (1, 2, 4, 6)})
    inverse = {dim: 1 / np.linalg.norm(arena.documents[:, :dim], axis=1) for dim in dims[:-1]}

    def search() -> list[Ranking]:
        bests = [arena.best() for _ in dims]
        scratch = np.empty((arena.block, len(arena.queries)), dtype=np.float32)
        for cut in arena.cuts():
            block = arena.documents[cut]
            products = prefix_inner_products(arena.queries, block, dims)
            for best, (dim, scores) in zip(bests, products, strict=True):
                if dim == width:
                    best.update(scores, cut.start)
                    continue
                cosines = np.multiply(scores.T, inverse[dim][cut, None], out=scratch[: len(block)])
                best.update(cosines.T, cut.start)
        return [best.ranking() for best in bests]

    return search


def contestants(arena: Arena) -> dict[str, Callable[[], object]]:
    """Build every index once and return the searches by name."""
    dim = arena.queries.shape[1]
    flat = faiss.IndexFlatIP(dim)
    flat.add(arena.documents)
    table: dict[str, Callable[[], object]] = {
        "faiss IndexFlatIP": lambda: flat.search(arena.queries, arena.k),
        "float32": float_search(arena),
        "int8": int8_search(arena),
        "four prefixes": prefix_search(arena),
        "binary": binary_search(replace(arena, block=min(arena.block, BINARY_BLOCK))),
    }
    if dim % 8 == 0:
        bits = faiss.IndexBinaryFlat(dim)
        bits.add(np.packbits(arena.documents > 0, axis=1))
        query_bits = np.packbits(arena.queries > 0, axis=1)
        table["faiss IndexBinaryFlat"] = lambda: bits.search(query_bits, arena.k)
    return table


def medians(table: dict[str, Callable[[], object]], repeat: int) -> dict[str, tuple[float, float]]:
    """Time the contestants in turns: (median, minimum) seconds of each, after one round unmeasured."""
    seconds: dict[str, list[float]] = {name: [] for name in table}
    for turn in range(repeat + 1):
        for name, search in table.items():
            start = time.perf_counter()
            search()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: (float(np.median(values)), min(values)) for name, values in seconds.items()}


RATIOS = (
    ("float32", "faiss IndexFlatIP", "at most", 1.2),
    ("binary", "faiss IndexBinaryFlat", "at most", 1.2),
    ("float32", "int8", "at least", 1.5),
    ("four prefixes", "float32", "at most", 1.3),
)
"""Contestant, the one it is compared with, the direction and size of the goal."""


def show(times: dict[str, tuple[float, float]]) -> None:
    """Print the times and the ratios of their medians."""
    print(f"{'':24}{'median ms':>12}{'minimum ms':>12}")
    for name, (median, least) in times.items():
        print(f"{name:24}{1e3 * median:12.1f}{1e3 * least:12.1f}")
    print()
    for name, other, direction, goal in RATIOS:
        if other not in times:
            continue
        ratio = times[name][0] / times[other][0]
        met = ratio <= goal if direction == "at most" else ratio >= goal
        print(f"{name + ' / ' + other:40}{ratio:6.2f}  {direction} {goal}: {'met' if met else 'missed'}")


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, value in (("documents", 100_000), ("dim", 768), ("queries", 256), ("k", 100), ("repeat", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--block", type=int, default=4096, help="documents scored at once")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    queries = unit_vectors(options.queries, options.dim, rng)
    documents = unit_vectors(options.documents, options.dim, rng)
    print(
        f"{options.documents} x {options.dim}, {options.queries} queries, k {options.k}, "
        f"block {options.block}, {options.repeat} repeats; {os.cpu_count()} cores, torch {torch.__version__} "
        f"on {torch.get_num_threads()} threads, faiss {faiss.__version__} on {faiss.omp_get_max_threads()}, "
        f"numpy {np.__version__}\n"
    )
    show(medians(contestants(Arena(queries, documents, options.k, options.block)), options.repeat))


if __name__ == "__main__":
    main()
