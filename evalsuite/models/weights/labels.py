"""Labels that tell quantized weights apart: rounded after training, or trained for the rounding.

Google ships EmbeddingGemma also as float weights that were trained for a grid
(`embeddinggemma-300m-qat-q4_0-unquantized`). The same round trip of the base model is another model.
"""

from __future__ import annotations

import re

from evalsuite.models.weights.levels import NATIVE, known_weights

_LEVELS = "|".join(level for level in known_weights() if level != NATIVE)
_NAMED = re.compile(rf"(?<![a-z0-9])qat[-_](?P<level>{_LEVELS})(?![a-z0-9])", re.IGNORECASE)


def trained_for(source: str) -> str | None:
    """Return the weight level a checkpoint says it was trained for; None if its name says nothing.

    Args:
        source: Hub id or folder of the checkpoint.
    """
    match = _NAMED.search(source)
    return match["level"].lower() if match else None


def weight_label(level: str, trained: str | None = None) -> str:
    """Return the words for a table: the level and whether training knew of it.

    Args:
        level: Weight level that was applied.
        trained: Level the checkpoint was trained for, see `trained_for`.

    Returns:
        `native`, `q4_0 (PTQ)`, `q4_0 (QAT)`; for other pairs both, such as `q8_0 (PTQ of a q4_0 QAT export)`.
    """
    if trained is not None and trained == level:
        return f"{level} (QAT)"
    if level == NATIVE:
        return level if trained is None else f"{level} (of a {trained} QAT export)"
    return f"{level} (PTQ)" if trained is None else f"{level} (PTQ of a {trained} QAT export)"
