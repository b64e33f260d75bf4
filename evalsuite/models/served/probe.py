"""Probe: a few fixed texts by which a served model, whose weights nobody sees, is known again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import CheckpointError
from evalsuite.models.served.response import preview

PROBE_TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "Which of two harbours lies further north?",
    "def area(radius):\n    return 3.14159 * radius**2",
    "Der Fluss trat im Frühjahr über die Ufer.",
    "Protein folding is driven largely by the hydrophobic effect.",
    "東京の天気は晴れ",
    "1789, 1848 and 1989",
    "a",
)
"""Of several languages and kinds. A change makes every served model another one."""

PROBE_TEXTS_DIGEST = hashlib.sha256(json.dumps(PROBE_TEXTS).encode()).hexdigest()

LEAST_COSINE = 1.0 - 1e-4
"""Below this a vector is another one. Batching and float16 move a cosine by about 1e-6 to 1e-5."""

_DECIMALS = 2


@dataclass(frozen=True, eq=False)
class Probe:
    """The vectors a served model gives the probe texts now.

    Attributes:
        who: The served model, for error messages.
        vectors: float32 (len(PROBE_TEXTS), width), unit length.
    """

    who: str
    vectors: npt.NDArray[np.float32]
    texts: tuple[str, ...] = PROBE_TEXTS

    @property
    def digest(self) -> str:
        """A short name for what the model answers: 12 hex characters over the rounded vectors.

        A coordinate near the edge of a rounding step can flip it; whether a model drifted is decided by
        cosines, in `check`.
        """
        return probe_digest(self.vectors)

    def check(self, stored: npt.NDArray[np.float32]) -> None:
        """Make sure that the model is the one that gave stored vectors.

        Args:
            stored: float32 (len(PROBE_TEXTS), width), what an earlier run was given.

        Raises:
            CheckpointError: If a cosine is below `LEAST_COSINE`; names both answers.
        """
        first, second = self.vectors.astype(np.float64), stored.astype(np.float64)
        norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        cosines = (first * second).sum(axis=1) / norms
        worst = int(np.argmin(cosines))
        if cosines[worst] < LEAST_COSINE:
            message = (
                f"{self.who} drifted: stored vectors are of a model that answered the probe texts with "
                f"{probe_digest(stored)}, the one served now answers with {self.digest} (lowest cosine "
                f"{cosines[worst]:.6f}, for {preview(self.texts[worst])}); serve the earlier model again, "
                "serve this one under another name, or delete the stored vectors (evalsuite cache prune)"
            )
            raise CheckpointError(message)


def probe_digest(vectors: npt.NDArray[np.float32]) -> str:
    """Hash vectors rounded to two decimals: 12 hex characters."""
    # Adding zero turns -0.0 into 0.0, which are equal and differ in bytes.
    rounded = np.round(vectors.astype(np.float64), _DECIMALS) + 0.0
    return hashlib.sha256(rounded.tobytes()).hexdigest()[:12]
