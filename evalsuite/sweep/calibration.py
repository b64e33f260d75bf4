"""What quantizers and projections are fitted on: the corpus, a seeded sample of it, or a named set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.embeddings.vectors import StoredVectors

SAMPLE = 65_536
"""Most vectors a fit sees; a larger corpus is sampled without replacement."""


@dataclass(frozen=True)
class Calibration:
    """Full-width vectors to fit on, and the seed of everything random in a fit.

    Attributes:
        vectors: float32 (n, width), n at most `SAMPLE`.
        seed: Seed; every fit starts from it, so a fit does not depend on what was fitted before.
    """

    vectors: npt.NDArray[np.float32]
    seed: int

    @classmethod
    def draw(cls, source: StoredVectors, seed: int) -> Calibration:
        """Take all vectors of a source, or a sample of them."""
        if len(source) <= SAMPLE:
            return cls(source.all(), seed)
        rows = np.random.default_rng(seed).choice(len(source), SAMPLE, replace=False)
        return cls(source.take(np.sort(rows)), seed)

    def rng(self) -> np.random.Generator:
        """Return a fresh generator."""
        return np.random.default_rng(self.seed)


def describe(name: str | None) -> str:
    """Say in words what fits were made on, for the record."""
    source = f"the texts of {name}" if name else "each task's own corpus (both sides of a pair task)"
    return f"quantizers and projections with something to fit: {source}, at most {SAMPLE:,} vectors, seeded"
