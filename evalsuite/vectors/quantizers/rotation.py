"""Levels that quantize after an orthogonal rotation, which spreads a vector over its dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.vectors.kernels import inner_products
from evalsuite.vectors.quantizers.base import Codes, Floats
from evalsuite.vectors.quantizers.level import Level

ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class Rotation:
    """An orthogonal map of rows: x R^T, and back.

    Products are summed in float64 and rounded once, so that a row comes out the same whichever rows stand
    beside it in the call: matrix products in float32 do not promise that.

    Attributes:
        matrix: float32 (d, d), orthogonal.
    """

    matrix: Floats

    @classmethod
    def random(cls, dim: int, rng: np.random.Generator) -> Rotation:
        """Draw a rotation uniformly: the Q of a Gaussian matrix, with the signs that make QR unique."""
        import torch

        q, r = torch.linalg.qr(torch.from_numpy(rng.standard_normal((dim, dim))))
        signs = torch.where(torch.diagonal(r) < 0, -1.0, 1.0)
        return cls((q * signs).to(torch.float32).numpy())

    @classmethod
    def nearest(cls, matrix: npt.NDArray[np.floating]) -> Rotation:
        """Return the orthogonal matrix nearest to one that is orthogonal up to rounding."""
        import torch

        left, _, right = torch.linalg.svd(torch.from_numpy(matrix.astype(np.float64)))
        return cls((left @ right).to(torch.float32).numpy())

    def apply(self, vectors: Floats) -> Floats:
        """Rotate float32 (n, d) rows."""
        return _times(vectors, self.matrix.T.astype(np.float64))

    def undo(self, vectors: Floats) -> Floats:
        """Rotate float32 (n, d) rows back."""
        return _times(vectors, self.matrix.astype(np.float64))


@dataclass(frozen=True)
class RotatedLevel(Level):
    """Base of levels that encode rotated vectors; scores are taken in the rotated space, as equal there.

    Attributes:
        rotation: The fitted rotation, None before the fit.
    """

    rotation: Rotation | None = None

    @property
    def needs_fit(self) -> bool:
        """A rotation is drawn or learnt."""
        return True

    def decode_rotated(self, codes: Codes) -> Floats:
        """Decode without rotating back: float32 (n, d)."""
        raise NotImplementedError

    def decode(self, codes: Codes) -> Floats:
        """Decode and rotate back."""
        return self.fitted_rotation().undo(self.decode_rotated(codes))

    def index_bytes(self, dim: int) -> float:
        """Return 4 d**2: the float32 rotation matrix."""
        return 4.0 * dim * dim

    def scores(self, queries: Codes, documents: Codes) -> Floats:
        """Return the inner products of what queries and documents decode to, float32."""
        scores: Floats = inner_products(self.decode_rotated(queries), self.decode_rotated(documents))
        return scores

    def asymmetric_scores(self, queries: Floats, documents: Codes) -> Floats:
        """Return the inner products of float32 queries with what the documents decode to, float32."""
        turned = self.fitted_rotation().apply(queries)
        scores: Floats = inner_products(turned, self.decode_rotated(documents))
        return scores

    def fitted_rotation(self) -> Rotation:
        """Return the rotation of a fitted level."""
        if self.rotation is None:
            message = f"{self.name} must be fitted before it is used"
            raise ValueError(message)
        return self.rotation


def _times(vectors: Floats, matrix: npt.NDArray[np.float64]) -> Floats:
    """Multiply rows by a matrix, some rows at a time."""
    import torch

    result = np.empty((len(vectors), matrix.shape[1]), dtype=np.float32)
    factor = torch.from_numpy(np.ascontiguousarray(matrix))
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        stop = start + ROWS_AT_ONCE
        result[start:stop] = (torch.from_numpy(vectors[start:stop].astype(np.float64)) @ factor).numpy()
    return result
