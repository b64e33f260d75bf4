"""Lanes: each scores a block of the corpus for several variants at once, sharing what can be shared.

Products of raw prefixes accumulate from the smallest dimension to the largest, so float32 at every dimension
costs one pass over the full width; sign bits of a prefix are the prefix of the sign bits, so Hamming
distances accumulate likewise. Codes with a scale or a range a prefix are made anew at each dimension.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import UsageError
from evalsuite.core.variant import ASYMMETRIC, PREFIX, SYMMETRIC
from evalsuite.sweep.losses import CodeLosses
from evalsuite.sweep.spaces import Fitted, Space
from evalsuite.vectors.kernels import inner_products, prefix_hamming, prefix_inner_products
from evalsuite.vectors.quantizers.base import Codes, Quantizer
from evalsuite.vectors.quantizers.signs import hamming_scores
from evalsuite.vectors.search import Scores

Floats = npt.NDArray[np.float32]

REFERENCE = "float32"
"""The level that fidelity is measured against."""

SHARED_SIGNS = "binary"
"""The level whose symmetric scores are Hamming distances of plain sign bits."""


@dataclass(frozen=True)
class Track:
    """One stream of scores: a precision in a space, scored symmetrically or asymmetrically."""

    space: Space
    precision: str
    mode: str


class Block:
    """Some rows of the corpus at full width, brought into each space at most once.

    Args:
        rows: float32 (n, width).
        fitted: The projections.
    """

    def __init__(self, rows: Floats, fitted: Fitted) -> None:
        self.rows = rows
        self._fitted = fitted
        self._cuts: dict[Space, Floats] = {}

    def cut(self, space: Space) -> Floats:
        """Return the rows in a space."""
        if space not in self._cuts:
            self._cuts[space] = self._fitted.cut(self.rows, space)
        return self._cuts[space]


class Lane(Protocol):
    """Scores blocks for some tracks."""

    @property
    def tracks(self) -> Sequence[Track]:
        """What the lane scores."""
        ...

    def scores(self, block: Block) -> Iterator[tuple[Track, Scores]]:
        """Yield float32 (queries, block) scores for every track; each is valid until the next."""
        ...


@dataclass
class PrefixFloats:
    """float32 at every prefix, from one accumulating product.

    Attributes:
        queries: float32 (queries, width), full-width queries.
        dims: Prefixes, ascending.
        device: Torch device to multiply on; None multiplies on the host.
    """

    queries: Floats
    dims: Sequence[int]
    device: str | None = None

    @property
    def tracks(self) -> Sequence[Track]:
        """One track a dimension."""
        return [Track(Space(PREFIX, dim), REFERENCE, SYMMETRIC) for dim in self.dims]

    def scores(self, block: Block) -> Iterator[tuple[Track, Scores]]:
        """Divide the accumulated products by both prefix norms."""
        ours, theirs = _prefix_scales(self.queries, self.dims), _prefix_scales(block.rows, self.dims)
        if self.device is not None:
            yield from self._on_device(block, ours, theirs)
            return
        products = prefix_inner_products(self.queries, block.rows, self.dims)
        for track, (dim, product) in zip(self.tracks, products, strict=True):
            # Products lie document by document in memory; scaled that way they stay in cache.
            scores = product.T * theirs[dim][:, None]
            scores *= ours[dim][None, :]
            yield track, scores.T

    def _on_device(
        self, block: Block, ours: dict[int, Floats], theirs: dict[int, Floats]
    ) -> Iterator[tuple[Track, Scores]]:
        """Do the same on an accelerator: only the queries, the block and what is found travel."""
        import torch

        queries, rows = (torch.from_numpy(side).to(self.device) for side in (self.queries, block.rows))
        products = prefix_inner_products(queries, rows, self.dims)
        for track, (dim, product) in zip(self.tracks, products, strict=True):
            left, right = (torch.from_numpy(side[dim]).to(self.device) for side in (ours, theirs))
            yield track, product * right[None, :] * left[:, None]


@dataclass
class SpaceFloats:
    """float32 in a space that shares nothing: a control.

    Attributes:
        queries: float32 (queries, dim), in the space.
        space: The space.
    """

    queries: Floats
    space: Space

    @property
    def tracks(self) -> Sequence[Track]:
        """The one track."""
        return [Track(self.space, REFERENCE, SYMMETRIC)]

    def scores(self, block: Block) -> Iterator[tuple[Track, Scores]]:
        """Inner products of unit vectors."""
        yield self.tracks[0], inner_products(self.queries, block.cut(self.space))


@dataclass
class PrefixSigns:
    """Hamming scores of sign bits at every prefix, from one accumulating count.

    Attributes:
        queries: float32 (queries, width), full-width queries.
        dims: Prefixes, ascending.
    """

    queries: Floats
    dims: Sequence[int]

    def __post_init__(self) -> None:
        self._bits = np.packbits(self.queries > 0, axis=1)

    @property
    def tracks(self) -> Sequence[Track]:
        """One track a dimension."""
        return [Track(Space(PREFIX, dim), SHARED_SIGNS, SYMMETRIC) for dim in self.dims]

    def scores(self, block: Block) -> Iterator[tuple[Track, Scores]]:
        """Turn Hamming distances h into 1 - 2 h / d."""
        distances = prefix_hamming(self._bits, np.packbits(block.rows > 0, axis=1), self.dims)
        for track, (dim, distance) in zip(self.tracks, distances, strict=True):
            yield track, hamming_scores(distance, dim)


@dataclass
class LevelCodes:
    """One fitted level in one space: codes made once, scored both ways if both are asked for.

    Attributes:
        space: The space.
        level: The fitted quantizer.
        queries: float32 (queries, dim), in the space.
        modes: `symmetric`, `asymmetric` or both; none if only the fidelity of the codes is wanted.
        losses: What quantizing the corpus lost, gathered while scoring.
    """

    space: Space
    level: Quantizer
    queries: Floats
    modes: Sequence[str]
    losses: CodeLosses = field(default_factory=CodeLosses)

    def __post_init__(self) -> None:
        self._codes: Codes = self.level.encode(self.queries)

    @property
    def tracks(self) -> Sequence[Track]:
        """One track a mode."""
        return [Track(self.space, self.level.name, mode) for mode in self.modes]

    def scores(self, block: Block) -> Iterator[tuple[Track, Scores]]:
        """Encode the block, note what that loses, score it."""
        vectors = block.cut(self.space)
        codes = self.level.encode(vectors)
        self.losses.update(self.level, vectors, codes)
        for track in self.tracks:
            if track.mode == ASYMMETRIC:
                yield track, self.level.asymmetric_scores(self.queries, codes)
            else:
                yield track, self.level.scores(self._codes, codes)


def build_lanes(
    tracks: Iterable[Track], queries: Floats, fitted: Fitted
) -> tuple[list[Lane], dict[Track, str]]:
    """Arrange tracks into as few lanes as share work.

    Args:
        tracks: What must be scored; float32 in every space is added as the reference of fidelity.
        queries: float32 (queries, width), full-width queries.
        fitted: Projections and quantizers.

    Returns:
        The lanes, and for each track that cannot be scored the reason.
    """
    wanted = list(dict.fromkeys(tracks))
    spaces = list(dict.fromkeys(track.space for track in wanted))
    prefixes = sorted(space.dim for space in spaces if space.projection == PREFIX)
    lanes: list[Lane] = [PrefixFloats(queries, prefixes, accelerator())] if prefixes else []
    lanes += [SpaceFloats(fitted.cut(queries, s), s) for s in spaces if s.projection != PREFIX]
    signs = sorted(t.space.dim for t in wanted if _shares_signs(t))
    if signs:
        lanes.append(PrefixSigns(queries, signs))
    reasons: dict[Track, str] = {}
    for space, precision in dict.fromkeys((track.space, track.precision) for track in wanted):
        if precision == REFERENCE:
            continue
        here = [track for track in wanted if (track.space, track.precision) == (space, precision)]
        try:
            level = fitted.quantizer(space, precision)
            modes = [track.mode for track in here if not _shares_signs(track)]
            lanes.append(LevelCodes(space, level, fitted.cut(queries, space), modes))
        except UsageError as error:
            reasons |= dict.fromkeys(here, str(error))
    return lanes, reasons


def accelerator() -> str | None:
    """Return the device that float32 products are faster on than on the host; None if there is none."""
    import torch

    return "cuda" if torch.cuda.is_available() else None


def _shares_signs(track: Track) -> bool:
    """Tell whether a track's scores come from accumulated Hamming distances."""
    return (track.space.projection, track.precision, track.mode) == (PREFIX, SHARED_SIGNS, SYMMETRIC)


def _prefix_scales(vectors: Floats, dims: Sequence[int]) -> dict[int, Floats]:
    """Return 1 / norm of every prefix of every row, 0 where the prefix is all zeros; dims ascending."""
    scales: dict[int, Floats] = {}
    squares = np.zeros(len(vectors), dtype=np.float32)
    start = 0
    for dim in dims:
        part = vectors[:, start:dim]
        squares = squares + np.einsum("ij,ij->i", part, part)
        norms = np.sqrt(squares)
        scales[dim] = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        start = dim
    return scales
