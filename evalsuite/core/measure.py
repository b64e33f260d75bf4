"""Measure: a metric as a value whose canonical text (`ndcg@10`) prints, hashes and parses back."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.core.errors import UsageError, known_names

RANKED = ("ndcg", "map", "mrr", "recall", "precision", "hit_rate")
"""Names of the retrieval metrics; each is written with a cut-off, `ndcg@10`."""

CORRELATIONS = ("cosine_spearman", "cosine_pearson")
"""Names of the STS metrics; each is a correlation over all pairs and has no cut-off."""

CUTOFFS = (1, 3, 5, 10, 20, 100, 1000)
"""Cut-offs at which every retrieval metric is computed (those of MTEB)."""


@dataclass(frozen=True, order=True)
class Measure:
    """A metric, with its cut-off where it has one.

    Attributes:
        name: One of `RANKED` or `CORRELATIONS`.
        cutoff: The rank k of `name@k`; None for correlations.
    """

    name: str
    cutoff: int | None = None

    def __str__(self) -> str:
        return self.name if self.cutoff is None else f"{self.name}@{self.cutoff}"

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Read a canonical text such as `ndcg@10` or `cosine_spearman`.

        Raises:
            UsageError: If the metric is unknown, or its cut-off is missing, superfluous or not positive.
        """
        name, at, cutoff = text.partition("@")
        if name in CORRELATIONS and not at:
            return cls(name)
        if name in RANKED and cutoff.isdecimal() and int(cutoff) > 0:
            return cls(name, int(cutoff))
        known = known_names([f"{ranked}@K" for ranked in RANKED] + list(CORRELATIONS))
        message = f"unknown metric {text!r}; known metrics: {known}"
        raise UsageError(message)


UNRANKED = 1 << 40
"""Rank of a document that was not retrieved within the depth searched; larger than any cut-off."""
