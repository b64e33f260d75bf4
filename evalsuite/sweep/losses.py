"""What quantizing a corpus loses, gathered block by block while it is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evalsuite.vectors.fidelity import SignalNoise
from evalsuite.vectors.quantizers.base import Codes, Floats, Quantizer

Shares = list[tuple[float, int]]
"""Shares of blocks, and the vectors each is a share over."""


@dataclass
class CodeLosses:
    """Losses of one level in one space, over a corpus or a part of it.

    Attributes:
        noise: Quantization noise.
        saturated: Codes at the ends of their range, a share a block.
        clipped: Values outside the fitted range, likewise.
    """

    noise: SignalNoise = field(default_factory=SignalNoise)
    saturated: Shares = field(default_factory=list)
    clipped: Shares = field(default_factory=list)

    def update(self, level: Quantizer, vectors: Floats, codes: Codes) -> None:
        """Count a block: float32 (n, dim) vectors of the space and their codes."""
        self.noise.update(vectors, level.decode(codes))
        for share, shares in (
            (level.saturation(codes), self.saturated),
            (level.clip_share(vectors), self.clipped),
        ):
            if share is not None:
                shares.append((share, len(vectors)))

    def then(self, later: CodeLosses) -> CodeLosses:
        """Join with the losses of the part of the corpus that comes next: the very numbers of one pass."""
        joined = CodeLosses(
            saturated=[*self.saturated, *later.saturated], clipped=[*self.clipped, *later.clipped]
        )
        joined.noise.sums = [*self.noise.sums, *later.noise.sums]
        return joined


def weighted_mean(shares: Sequence[tuple[float, int]]) -> float | None:
    """Average shares by their weights; None if there are none."""
    weight = sum(count for _, count in shares)
    return sum(share * count for share, count in shares) / weight if weight else None
