"""Kernels of exact search: every query with every document of one block.

numpy in, numpy out; where it says so, torch in, torch out. All return (queries, documents). The results lie
document by document in memory (the transpose is C-contiguous): matrices multiply fastest in that order, and
`TopK` reads a run of documents in one piece. Blocks of about 4,096 documents keep a result for a few hundred
queries in cache while it is scaled and looked through; Hamming distances measured fastest with 2,048. `out`
takes the result of an earlier call, which saves the cost of fresh memory.

The engines were chosen by measurement (`benchmarks/README-search.md`):

* float32 on the host: numpy's BLAS. On other devices: torch.
* int8: torch's integer multiplication where it proves exact, else float32 multiplication of short pieces.
* Hamming: faiss, in pieces of 32, 16 and 8 bytes, sizes it has special code for. Host only; on another
  device multiply sign codes with `integer_products`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import UsageError

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Distances = npt.NDArray[np.int32]
Array = TypeVar("Array", "npt.NDArray[Any]", "torch.Tensor")

EXACT_PIECE = 1024
"""Dimensions whose int8 products sum exactly in float32: 1024 x 128 x 128 = 2**24."""

MIN_ROWS, MIN_PRODUCTS = 2, 4096
"""Smaller matrices go to other BLAS kernels, whose sums round otherwise; they are padded to this size, so
that equal vectors score equal in every block."""

HAMMING_PIECES = (32, 16, 8)
"""Bytes of a code that faiss compares without a loop; 64 would be another, but two of 32 are as fast."""


def inner_products(queries: Array, documents: Array, out: Array | None = None) -> Array:
    """Multiply float32 queries with float32 documents.

    On the host a document's score does not depend on where in which block it stands: equal vectors tie.

    Args:
        queries: float32 (q, d), numpy or torch on any device.
        documents: float32 (n, d), of the same kind and device.
        out: float32 (q, n) to write into, the result of an earlier call.

    Returns:
        float32 (q, n).

    Raises:
        UsageError: If a side is empty or the widths differ.
    """
    _check(queries, documents)
    transposed = None if out is None else out.T
    if isinstance(queries, np.ndarray):
        return _multiply(documents, queries, transposed).T
    import torch

    return cast("Array", torch.mm(documents, queries.T, out=transposed).T)


def integer_products(queries: Array, documents: Array, out: Array | None = None) -> Array:
    """Multiply int8 queries with int8 documents, exactly.

    Args:
        queries: int8 (q, d), numpy or torch on any device.
        documents: int8 (n, d), of the same kind and device.
        out: int32 (q, n) to write into, the result of an earlier call.

    Returns:
        int32 (q, n).

    Raises:
        UsageError: If a side is empty or the widths differ.
    """
    _check(queries, documents)
    import torch

    if isinstance(queries, np.ndarray):
        into = None if out is None else torch.from_numpy(out)
        products = integer_products(torch.from_numpy(queries), torch.from_numpy(documents), into)
        return cast("Array", products.numpy())
    # With one dimension torch 2.13 returns memory it never wrote.
    if queries.device.type == "cpu" and queries.shape[1] > 1 and _integer_engine_is_exact():
        transposed = torch.empty((len(documents), len(queries)), dtype=torch.int32) if out is None else out.T
        return cast("Array", torch._int_mm(documents, queries.T.contiguous(), out=transposed).T)  # noqa: SLF001
    products = integer_products_in_pieces(queries, documents)
    return cast("Array", products if out is None else out.copy_(products))


def integer_products_in_pieces(queries: torch.Tensor, documents: torch.Tensor) -> torch.Tensor:
    """Multiply int8 tensors exactly by float32 multiplication of pieces short enough for float32.

    Args:
        queries: int8 (q, d).
        documents: int8 (n, d) on the same device.

    Returns:
        int32 (q, n).
    """
    total = None
    for start in range(0, queries.shape[1], EXACT_PIECE):
        piece = slice(start, start + EXACT_PIECE)
        product = (documents[:, piece].float() @ queries[:, piece].float().T).int()
        total = product if total is None else total.add_(product)
    return cast("torch.Tensor", total).T


def hamming_distances(queries: Bytes, documents: Bytes, out: Distances | None = None) -> Distances:
    """Count the differing bits of packed codes.

    Args:
        queries: uint8 (q, b).
        documents: uint8 (n, b).
        out: int32 (q, n) to write into, the result of an earlier call.

    Returns:
        int32 (q, n).

    Raises:
        UsageError: If a side is empty or the widths differ.
    """
    _check(queries, documents)
    total = np.empty((len(documents), len(queries)), dtype=np.int32) if out is None else out.T
    if not total.flags.c_contiguous:
        message = "`out` must be the result of an earlier call: its transpose is not C-contiguous"
        raise UsageError(message)
    _add_hamming(queries, documents, total, fresh=True)
    return total.T


def prefix_inner_products(
    queries: Array, documents: Array, dims: Sequence[int]
) -> Iterator[tuple[int, Array]]:
    """Multiply the first d dimensions for several d, each going on from the one before.

    The prefixes are taken as they are: scale by the inverse norms of the prefixes to get cosines. Results
    agree with separate multiplications within rounding, not bit for bit.

    Args:
        queries: float32 (q, width), numpy or torch on any device.
        documents: float32 (n, width), of the same kind and device.
        dims: Ascending prefix lengths.

    Yields:
        Each length with float32 (q, n). The array is overwritten by the next step: copy what must last.

    Raises:
        UsageError: If a side is empty, the widths differ, or `dims` are not ascending within the width.
    """
    _check(queries, documents)
    _check_dims(dims, queries.shape[1])
    total = inner_products(queries[:, : dims[0]], documents[:, : dims[0]])
    yield dims[0], total
    scratch = None
    for start, stop in pairwise(dims):
        left, right = queries[:, start:stop], documents[:, start:stop]
        if isinstance(left, np.ndarray):
            scratch = inner_products(left, right, scratch)
            total += scratch
        else:
            total.T.addmm_(right, left.T)
        yield stop, total


def prefix_hamming(queries: Bytes, documents: Bytes, dims: Sequence[int]) -> Iterator[tuple[int, Distances]]:
    """Count the differing bits among the first d for several d, each going on from the one before.

    Args:
        queries: uint8 (q, b), bits packed with the first dimension highest.
        documents: uint8 (n, b).
        dims: Ascending prefix lengths in bits; multiples of 8 are fastest.

    Yields:
        Each length with int32 (q, n). The array is overwritten by the next step: copy what must last.

    Raises:
        UsageError: If a side is empty, the widths differ, or `dims` are not ascending within the width.
    """
    _check(queries, documents)
    _check_dims(dims, 8 * queries.shape[1])
    total = np.zeros((len(documents), len(queries)), dtype=np.int32)
    done = 0
    for dim in dims:
        whole, rest = divmod(dim, 8)
        if whole > done:
            _add_hamming(queries[:, done:whole], documents[:, done:whole], total, fresh=done == 0)
            done = whole
        if rest == 0:
            yield dim, total.T
            continue
        mask = np.uint8(0xFF << (8 - rest) & 0xFF)
        last = hamming_distances(queries[:, whole : whole + 1] & mask, documents[:, whole : whole + 1] & mask)
        last += total.T
        yield dim, last


def _multiply(documents: Floats, queries: Floats, out: Floats | None) -> Floats:
    """Multiply float32 (n, d) with the transpose of (q, d), by the same kernel whatever n and q."""
    count, width = len(documents), len(queries)
    if min(count, width) >= MIN_ROWS and count * width >= MIN_PRODUCTS:
        return np.matmul(documents, queries.T, out=out)
    right = _grown(queries, MIN_ROWS)
    left = _grown(documents, max(MIN_ROWS, -(-MIN_PRODUCTS // len(right))))
    product = np.matmul(left, right.T)[:count, :width]
    if out is None:
        return np.ascontiguousarray(product)
    out[...] = product
    return out


def _grown(rows: Floats, count: int) -> Floats:
    """Append rows of zeros until there are at least `count`."""
    return rows if len(rows) >= count else np.pad(rows, ((0, count - len(rows)), (0, 0)))


def _add_hamming(queries: Bytes, documents: Bytes, total: Distances, *, fresh: bool) -> None:
    """Add Hamming distances to int32 (n, q) `total`, or set it where it is `fresh`."""
    import faiss

    scratch = total if fresh else np.empty_like(total)
    for start, stop, size in _pieces(queries.shape[1]):
        left, right = _padded(queries[:, start:stop], size), _padded(documents[:, start:stop], size)
        theirs, ours, into = (faiss.swig_ptr(array) for array in (right, left, scratch))
        faiss.hammings(theirs, ours, len(right), len(left), size, into)  # type: ignore[attr-defined]
        if scratch is total:
            scratch = np.empty_like(total) if stop < queries.shape[1] else total
        else:
            total += scratch


def _pieces(width: int) -> Iterator[tuple[int, int, int]]:
    """Cut `width` bytes into (start, stop, bytes faiss is handed); only the last piece may be padded."""
    start = 0
    while start < width:
        size = next((size for size in HAMMING_PIECES if size <= width - start), HAMMING_PIECES[-1])
        yield start, min(start + size, width), size
        start += size


def _padded(codes: Bytes, size: int) -> Bytes:
    """Copy codes to contiguous rows of `size` bytes, zeros at the end."""
    if codes.shape[1] == size:
        return np.ascontiguousarray(codes)
    padded = np.zeros((len(codes), size), dtype=np.uint8)
    padded[:, : codes.shape[1]] = codes
    return padded


@cache
def _integer_engine_is_exact() -> bool:
    """Try torch's integer multiplication on the largest codes; some processors saturate partial sums."""
    import torch

    if not hasattr(torch, "_int_mm"):
        return False
    extremes = torch.tensor([[-128, 127, -127, 1]], dtype=torch.int8).repeat(1, 67)
    left = torch.cat([extremes, -extremes.clamp(min=-127), torch.full_like(extremes, 127)]).repeat(9, 1)
    try:
        product = torch._int_mm(left, left[:19].T)  # noqa: SLF001
    except RuntimeError:
        return False
    return bool((product == left.int() @ left[:19].int().T).all())


def _check(queries: Array, documents: Array) -> None:
    """Refuse empty sides and differing widths."""
    for name, side in (("queries", queries), ("documents", documents)):
        if side.ndim != 2 or 0 in side.shape:
            message = f"{name} have shape {tuple(side.shape)}; hand over at least one row and one dimension"
            raise UsageError(message)
    if queries.shape[1] != documents.shape[1]:
        message = f"queries are {queries.shape[1]} wide, documents {documents.shape[1]}; encode both alike"
        raise UsageError(message)


def _check_dims(dims: Sequence[int], width: int) -> None:
    """Refuse prefix lengths that are not ascending within 1 ... width."""
    ascending = all(smaller < larger for smaller, larger in pairwise(dims))
    if not dims or not ascending or dims[0] < 1 or dims[-1] > width:
        message = f"prefix lengths {list(dims)} must be ascending, from 1 up to the width {width}"
        raise UsageError(message)
