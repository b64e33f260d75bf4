"""Spaces: a projection and a dimension, in which one or several precisions are scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evalsuite.core.variant import Variant
from evalsuite.sweep.calibration import Calibration
from evalsuite.vectors.projections import Projection, fit_projection
from evalsuite.vectors.quantizers import quantizer
from evalsuite.vectors.quantizers.base import Quantizer

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, order=True)
class Space:
    """Where vectors are compared.

    Attributes:
        projection: Name of the projection.
        dim: Dimensions kept.
    """

    projection: str
    dim: int

    @classmethod
    def of(cls, variant: Variant) -> Space:
        """Return the space of a variant."""
        return cls(variant.projection, variant.dim)


@dataclass
class Fitted:
    """Projections and quantizers of one (checkpoint, task), each fitted once and used for every vector.

    Attributes:
        calibration: What they are fitted on.
    """

    calibration: Calibration
    _projections: dict[str, Projection] = field(default_factory=dict)
    _quantizers: dict[tuple[Space, str], Quantizer] = field(default_factory=dict)

    def cut(self, vectors: Floats, space: Space) -> Floats:
        """Bring full-width vectors into a space: float32 (n, width) to unit float32 (n, dim)."""
        return self._projection(space.projection).cut(vectors, space.dim)

    def quantizer(self, space: Space, name: str) -> Quantizer:
        """Return the level `name`, fitted in the space.

        Raises:
            UsageError: If the level cannot be fitted there, as its message says.
        """
        key = (space, name)
        if key not in self._quantizers:
            level = quantizer(name)
            if level.needs_fit:
                sample = self.cut(self.calibration.vectors, space)
                level = level.fit(sample, self.calibration.rng())
            self._quantizers[key] = level
        return self._quantizers[key]

    def _projection(self, name: str) -> Projection:
        if name not in self._projections:
            self._projections[name] = fit_projection(name, self.calibration.vectors, self.calibration.rng())
        return self._projections[name]


def spaces_of(variants: Iterable[Variant]) -> tuple[Space, ...]:
    """List the spaces that variants need, each once."""
    return tuple(dict.fromkeys(map(Space.of, variants)))


def is_whole(variant: Variant, width: int) -> bool:
    """Tell whether a variant stores the model's vectors as they are: full width, float32, codes on codes."""
    return variant == Variant(width, "float32", weights=variant.weights)
