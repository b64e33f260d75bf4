"""Which dimensions a variant keeps: the Matryoshka prefix, or a control to tell it from any other choice.

A control answers "would other d dimensions have done as well?": principal components are about the best
linear choice for a corpus, a random subset is the choice without any knowledge (Takeshita et al. 2025,
arXiv 2508.17744, find that dropping random halves costs little in models never trained for it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import UsageError, known_names
from evalsuite.core.variant import PCA, PREFIX, RANDOM
from evalsuite.vectors.prefix import unit_prefix

Floats = npt.NDArray[np.float32]


class Projection(Protocol):
    """A fitted way to keep d dimensions of full-width vectors."""

    def cut(self, vectors: Floats, dim: int) -> Floats:
        """Return unit vectors of `dim` dimensions: float32 (n, width) to float32 (n, dim)."""
        ...


@dataclass(frozen=True)
class Prefix:
    """The first dimensions: what Matryoshka training makes good."""

    def cut(self, vectors: Floats, dim: int) -> Floats:
        """Slice, then renormalise."""
        return unit_prefix(vectors, dim)


@dataclass(frozen=True)
class RandomSubset:
    """A seeded random subset; smaller subsets are contained in larger ones.

    Attributes:
        order: int64 (width,), a permutation of the dimensions.
    """

    order: npt.NDArray[np.int64]

    def cut(self, vectors: Floats, dim: int) -> Floats:
        """Keep the first `dim` dimensions of the permutation, in their original order, then renormalise."""
        kept = np.sort(self.order[:dim])
        return unit_prefix(vectors[:, kept], dim)


@dataclass(frozen=True)
class PrincipalComponents:
    """Projection on the leading eigenvectors of the covariance of unit vectors (Pearson 1901).

    Attributes:
        mean: float32 (width,), subtracted first.
        components: float32 (width, width), one component a column, largest variance first.
    """

    mean: Floats
    components: Floats

    @classmethod
    def fit(cls, sample: Floats) -> PrincipalComponents:
        """Fit to float32 (n, width) vectors, normalised here first."""
        unit = unit_prefix(sample, sample.shape[1]).astype(np.float64)
        mean = unit.mean(axis=0)
        centred = unit - mean
        _, vectors = np.linalg.eigh(centred.T @ centred)
        return cls(mean.astype(np.float32), np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32))

    def cut(self, vectors: Floats, dim: int) -> Floats:
        """Centre, project on the first `dim` components, then renormalise."""
        centred = unit_prefix(vectors, vectors.shape[1]) - self.mean
        return unit_prefix(np.asarray(centred @ self.components[:, :dim], dtype=np.float32), dim)


_FIT: dict[str, Callable[[Floats, np.random.Generator], Projection]] = {
    PREFIX: lambda _sample, _rng: Prefix(),
    PCA: lambda sample, _rng: PrincipalComponents.fit(sample),
    RANDOM: lambda sample, rng: RandomSubset(rng.permutation(sample.shape[1]).astype(np.int64)),
}


def known_projections() -> tuple[str, ...]:
    """Return the names of all projections."""
    return tuple(_FIT)


def check_projection(name: str) -> str:
    """Return the name if there is such a projection.

    Raises:
        UsageError: If there is none; lists the known ones.
    """
    if name not in _FIT:
        message = f"unknown projection {name!r}; known projections: {known_names(known_projections())}"
        raise UsageError(message)
    return name


def fit_projection(name: str, sample: Floats, rng: np.random.Generator) -> Projection:
    """Fit the projection called `name`.

    Args:
        name: A known projection.
        sample: float32 (n, width), full-width vectors of the corpus.
        rng: Source of the random subset.

    Raises:
        UsageError: If there is no such projection.
    """
    return _FIT[check_projection(name)](sample, rng)
