"""The fake at the seam: an encoder and a checkpoint that need no model, for tests and examples."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.encoder import Encoder
from evalsuite.models.prompts import PromptBook

_WORD = re.compile(r"\w+")


class FakeEncoder:
    """A deterministic bag of words: a text is the normalised sum of one Gaussian vector per word.

    A word's vector is drawn from a hash of the word, with a spread that falls along the dimensions, so that
    leading dimensions carry more than trailing ones, as in a Matryoshka model. Texts that share words are
    close, and equal texts are equal in any process.

    Args:
        dim: Width of the vectors.
        seed: Another seed is another model.
        pause: Seconds that every text takes, as if the model were slow.

    Attributes:
        calls: How often `encode` was called.
        texts_encoded: How many texts it was given in all.
    """

    def __init__(self, dim: int = 64, *, seed: int = 0, pause: float = 0.0) -> None:
        self.dim = dim
        self.seed = seed
        self.pause = pause
        self.calls = 0
        self.texts_encoded = 0
        self._scale = 1.0 / np.sqrt(1.0 + np.arange(dim) / 16.0)
        self._words: dict[str, npt.NDArray[np.float64]] = {}

    def encode(self, texts: Sequence[str], prompt: str) -> npt.NDArray[np.float32]:
        """Encode texts; see `Encoder.encode`. Rows have unit length."""
        self.calls += 1
        self.texts_encoded += len(texts)
        if self.pause:
            time.sleep(self.pause * len(texts))
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            # A text without words still has a direction: that of the empty word.
            words = _WORD.findall((prompt + text).lower()) or [""]
            total = np.sum([self._word(word) for word in words], axis=0)
            vectors[row] = total / np.linalg.norm(total)
        return vectors

    def _word(self, word: str) -> npt.NDArray[np.float64]:
        """Return the vector of one word, float64 (dim,)."""
        if word not in self._words:
            digest = hashlib.sha256(f"{self.seed}:{word}".encode()).digest()
            generator = np.random.default_rng(int.from_bytes(digest, "big"))
            self._words[word] = generator.standard_normal(self.dim) * self._scale
        return self._words[word]


@dataclass(frozen=True)
class FakeBlueprint:
    """How to make a `FakeEncoder` in another process.

    Attributes:
        dim: Width of the vectors.
        seed: Another seed is another model.
        pause: Seconds that every text takes.
    """

    make: ClassVar[str] = "fake"

    dim: int = 64
    seed: int = 0
    pause: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Write the blueprint as plain values."""
        return asdict(self)

    def encoder(self) -> FakeEncoder:
        """Make the encoder."""
        return FakeEncoder(self.dim, seed=self.seed, pause=self.pause)


def fake_checkpoint(
    dim: int = 64,
    *,
    label: str = "fake",
    seed: int = 0,
    matryoshka_dims: Sequence[int] = (),
    encoder: Encoder | None = None,
) -> Checkpoint:
    """Make a checkpoint around a `FakeEncoder`, or around any encoder given.

    Args:
        dim: Width of the vectors; must be the width of `encoder` if one is given.
        label: The checkpoint's name in tables.
        seed: Seed of the encoder; part of the fingerprint.
        matryoshka_dims: Declared Matryoshka dimensions.
        encoder: Used in place of a `FakeEncoder`.

    Returns:
        A checkpoint whose fingerprint depends on every parameter but the label; of `encoder` only its
        class counts.
    """
    parameters = [dim, seed, list(matryoshka_dims), "FakeEncoder" if encoder is None else repr(type(encoder))]
    fake = FakeEncoder(dim, seed=seed) if encoder is None else encoder
    return Checkpoint(
        label=label,
        source="fake",
        fingerprint=hashlib.sha256(json.dumps(parameters).encode()).hexdigest(),
        dtype="float32",
        dim=dim,
        matryoshka_dims=tuple(sorted(matryoshka_dims, reverse=True)),
        prompts=PromptBook(),
        load=lambda: fake,
    )
