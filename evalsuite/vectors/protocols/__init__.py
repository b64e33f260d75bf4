"""Scores as other tools make them, so that the numbers they publish can be explained.

None of this is what an index over decoded codes would return; that is what the quantizers do. A protocol is
off unless a variant names it (`256/int8+mteb`), and its results carry its name. Every protocol is handed
float32 prefixes that evalsuite has sliced and scaled to unit length; each class says what its tool would have
done with the vectors itself.
"""

from __future__ import annotations

from collections.abc import Callable

from evalsuite.core.errors import UsageError, known_names
from evalsuite.vectors.protocols.base import ScoringProtocol
from evalsuite.vectors.protocols.hakari import Hakari
from evalsuite.vectors.protocols.mteb import Mteb
from evalsuite.vectors.protocols.sentence_transformers import SentenceTransformers

__all__ = ["ScoringProtocol", "known_protocols", "protocol"]

_PROTOCOLS: dict[str, tuple[tuple[str, ...], Callable[[str], ScoringProtocol]]] = {
    "mteb": (Mteb.precisions, Mteb),
    "sbert": (SentenceTransformers.precisions, SentenceTransformers),
    "hakari": (Hakari.precisions, lambda precision: Hakari(precision, rescored=False)),
    "hakari_rescore": (Hakari.precisions, lambda precision: Hakari(precision, rescored=True)),
}
"""Precisions and maker of each protocol."""


def known_protocols() -> dict[str, tuple[str, ...]]:
    """Return the precisions that each protocol scores, by the protocol's name."""
    return {name: precisions for name, (precisions, _) in _PROTOCOLS.items()}


def protocol(name: str, precision: str) -> ScoringProtocol:
    """Return a fresh protocol.

    Args:
        name: The protocol's name in variant texts.
        precision: A precision that the tool knows.

    Raises:
        UsageError: If there is no such protocol, or the tool has no such precision; lists what there is.
    """
    if name not in _PROTOCOLS:
        message = f"unknown protocol {name!r}; known protocols: {known_names(tuple(_PROTOCOLS))}"
        raise UsageError(message)
    precisions, make = _PROTOCOLS[name]
    if precision not in precisions:
        message = f"protocol {name} does not score {precision!r}; it scores: {known_names(precisions)}"
        raise UsageError(message)
    return make(precision)
