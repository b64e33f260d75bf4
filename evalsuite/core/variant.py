"""Variant: one way to ship the vectors, with a canonical text that parses back.

::

    256/int8                   the first 256 dimensions, quantized to int8, codes against codes
    256/int8+asymmetric        the query stays float32
    128/binary+rescore4        the 40 best by codes, reordered with float32 copies (4 x 10 candidates)
    128/binary+rescore4:int8   the same with int8 copies
    pca256/int8                a principal component projection instead of the first dimensions (a control)
    random256/int8             256 dimensions drawn at random (a control)
    256/int8+mteb              scored as mteb scores it (a compatibility protocol, labelled as such)
    q4_0@256/int8              the model's weights rounded to Q4_0 before it encoded
    q4_0+keep@256/int8         the same with the token table kept as it was
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalsuite.core.errors import UsageError

PREFIX, PCA, RANDOM = "prefix", "pca", "random"
NATIVE = "native"
"""The model's weights as they were loaded."""

SYMMETRIC, ASYMMETRIC, RESCORED = "symmetric", "asymmetric", "rescore"
PROTOCOLS = ("mteb", "sbert", "hakari", "hakari_rescore")
"""Names of other tools' scoring, reproduced to explain their numbers."""

_NAME = r"[a-z][a-z0-9_]*"
_SCORING = rf"{ASYMMETRIC}|{'|'.join(PROTOCOLS)}|{RESCORED}(?P<multiplier>[1-9][0-9]*)(?::(?P<copy>{_NAME}))?"
_LEVEL = rf"(?P<precision>{_NAME})(?:\+(?P<scoring>{_SCORING}))?"
_WEIGHTS = rf"{_NAME}(?:\+{_NAME})?"
_SPACE = rf"(?P<projection>{PCA}|{RANDOM})?(?P<dim>[1-9][0-9]*)"
_TEXT = re.compile(rf"(?:(?P<weights>{_WEIGHTS})@)?{_SPACE}/{_LEVEL}")


@dataclass(frozen=True, order=True)
class Scoring:
    """How queries meet stored codes.

    Attributes:
        mode: `symmetric` (codes x codes), `asymmetric` (float32 query x codes), `rescore` (candidates by
            codes, then float32 query x a stored copy), or one of `PROTOCOLS`.
        multiplier: Candidates reordered, in tens; 0 unless the mode is `rescore`.
        copy: Precision of the stored copy that candidates are reordered with; empty unless `rescore`.
    """

    mode: str = SYMMETRIC
    multiplier: int = 0
    copy: str = ""

    def __str__(self) -> str:
        if self.mode == SYMMETRIC:
            return ""
        if self.mode != RESCORED:
            return f"+{self.mode}"
        return f"+{RESCORED}{self.multiplier}" + (f":{self.copy}" if self.copy != "float32" else "")


@dataclass(frozen=True, order=True)
class Variant:
    """Dimensions kept, a precision, how the codes are scored, and the weights of the model that encoded.

    Attributes:
        dim: How many dimensions are kept.
        precision: The name of the quantization level the kept dimensions are stored in.
        scoring: How queries meet stored codes.
        projection: Which dimensions are kept: `prefix` (the first ones), or the controls `pca` and `random`.
        weights: Precision of the model's weights, such as `q4_0` or `q4_0+keep`; `native` is not written.
    """

    dim: int
    precision: str
    scoring: Scoring = Scoring()
    projection: str = PREFIX
    weights: str = NATIVE

    def __str__(self) -> str:
        return f"{'' if self.weights == NATIVE else f'{self.weights}@'}{self.space}/{self.level}"

    @property
    def level(self) -> str:
        """Precision and scoring, such as `binary+rescore4`: the variant without its dimensions."""
        return f"{self.precision}{self.scoring}"

    @property
    def space(self) -> str:
        """Projection and dimension, such as `256` or `pca256`."""
        return f"{'' if self.projection == PREFIX else self.projection}{self.dim}"

    @property
    def series(self) -> str:
        """Level, and the projection if it is a control: what the variants of one line in a plot share."""
        return self.level if self.projection == PREFIX else f"{self.projection} {self.level}"

    @property
    def for_comparison(self) -> bool:
        """Whether it is a control or another tool's scoring: shown, never recommended."""
        return self.projection != PREFIX or self.scoring.mode in PROTOCOLS

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Read a canonical text such as `256/int8`, `pca128/binary+rescore4:int8` or `q4_0@256/int8`.

        Raises:
            UsageError: If the text is not a variant.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            message = f"{text!r} is not a variant; write DIM/PRECISION, for example 256/int8"
            raise UsageError(message)
        return cls(
            dim=int(match["dim"]),
            precision=match["precision"],
            scoring=_scoring(match),
            projection=match["projection"] or PREFIX,
            weights=match["weights"] or NATIVE,
        )


def parse_level(text: str) -> tuple[str, Scoring]:
    """Read a level such as `int8`, `int8+asymmetric` or `binary+rescore4:int8`.

    Returns:
        The precision's name and the scoring.

    Raises:
        UsageError: If the text is not a level.
    """
    match = re.fullmatch(_LEVEL, text)
    if match is None:
        message = (
            f"{text!r} is not a precision; write a name, or a name with a scoring such as int8+asymmetric, "
            f"binary+rescore4, binary+rescore4:int8 or int8+{PROTOCOLS[0]}"
        )
        raise UsageError(message)
    return match["precision"], _scoring(match)


def _scoring(match: re.Match[str]) -> Scoring:
    """Read the scoring part of a match; a rescore without a copy keeps float32 vectors."""
    if match["multiplier"]:
        return Scoring(RESCORED, int(match["multiplier"]), match["copy"] or "float32")
    return Scoring(match["scoring"] or SYMMETRIC)
