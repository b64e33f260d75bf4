"""What most levels share: nothing to fit, and scores that are inner products of decoded vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from evalsuite.core.errors import UsageError
from evalsuite.vectors.kernels import inner_products
from evalsuite.vectors.quantizers.base import Codes, Floats

SMALLEST = np.finfo(np.float32).tiny
"""Steps below this one have no finite inverse in float32 and count as zero."""


@dataclass(frozen=True)
class Level:
    """Base of all levels; `encode`, `decode` and `bytes_per_vector` are theirs.

    Attributes:
        name: Name of the level in variant texts.
    """

    name: str

    @property
    def needs_fit(self) -> bool:
        """Whether `fit` learns something from the sample."""
        return False

    def fit(self, sample: Floats, rng: np.random.Generator) -> Self:  # noqa: ARG002 - nothing to learn here
        """Return the level itself: nothing is learnt."""
        return self

    def encode(self, vectors: Floats) -> Codes:
        """Turn float32 (n, d) unit vectors into codes; every row alone."""
        raise NotImplementedError

    def decode(self, codes: Codes) -> Floats:
        """Turn codes back into float32 (n, d) vectors."""
        raise NotImplementedError

    def bytes_per_vector(self, dim: int) -> float:
        """Return the stored bytes of one vector of `dim` dimensions, its own side values included."""
        raise NotImplementedError

    def index_bytes(self, dim: int) -> float:  # noqa: ARG002 - nothing is stored once
        """Return 0: nothing is stored once for the whole index."""
        return 0.0

    def scores(self, queries: Codes, documents: Codes) -> Floats:
        """Return the inner products of what queries and documents decode to, float32."""
        scores: Floats = inner_products(self.decode(queries), self.decode(documents))
        return scores

    def asymmetric_scores(self, queries: Floats, documents: Codes) -> Floats:
        """Return the inner products of float32 queries with what the documents decode to, float32."""
        scores: Floats = inner_products(queries, self.decode(documents))
        return scores

    def saturation(self, codes: Codes) -> float | None:  # noqa: ARG002 - no ends
        """Return None: these codes have no ends."""
        return None

    def clip_share(self, vectors: Floats) -> float | None:  # noqa: ARG002 - no range
        """Return None: nothing is clipped."""
        return None


def require_rows(name: str, sample: Floats, least: int, advice: str) -> None:
    """Refuse a sample too small to fit on.

    Raises:
        UsageError: If the sample has fewer than `least` rows; the message ends with `advice`.
    """
    if len(sample) < least:
        message = f"{name} needs at least {least} vectors to fit on, got {len(sample)}; {advice}"
        raise UsageError(message)


def inverse(step: Floats) -> Floats:
    """Return 1 / step, and 0 where the step counts as zero."""
    return np.divide(1.0, step, out=np.zeros_like(step), where=step >= SMALLEST)


def share(chosen: np.typing.NDArray[np.bool_]) -> float:
    """Return the share of true values; 0 of nothing."""
    return float(chosen.mean()) if chosen.size else 0.0
