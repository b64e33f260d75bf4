"""Variant: one way to ship the vectors, with a canonical text that parses back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalsuite.core.errors import UsageError

_TEXT = re.compile(r"(?P<dim>[1-9][0-9]*)/(?P<precision>[a-z][a-z0-9_]*)")


@dataclass(frozen=True, order=True)
class Variant:
    """A Matryoshka dimension and a precision: `256/int8`.

    Attributes:
        dim: How many leading dimensions of the full-width vector are kept.
        precision: The name of the quantization level the kept dimensions are stored in.
    """

    dim: int
    precision: str

    def __str__(self) -> str:
        return f"{self.dim}/{self.precision}"

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Read a canonical text such as `256/int8`.

        Raises:
            UsageError: If the text is not of the form `DIM/PRECISION`.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            message = f"{text!r} is not a variant; write DIM/PRECISION, for example 256/int8"
            raise UsageError(message)
        return cls(int(match["dim"]), match["precision"])
