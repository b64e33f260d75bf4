"""Weight levels: which grid each part of a model is rounded to."""

from __future__ import annotations

from collections.abc import Mapping

from evalsuite.core.errors import UsageError, known_names
from evalsuite.models.weights.grids import BFLOAT16, INT4_CHANNEL, INT8_CHANNEL, Q4_0, Q8_0, Grid
from evalsuite.models.weights.groups import (
    ATTENTION,
    FEED_FORWARD,
    MATRICES,
    OTHER,
    OTHER_EMBEDDING,
    PROJECTION,
    TOKEN_EMBEDDING,
)
from evalsuite.models.weights.kernels import check_kernels, kernel_levels

NATIVE = "native"
"""The weights as they were loaded."""

KEEP = "keep"
"""Leave the token table as it was loaded."""

Recipe = Mapping[str, Grid]
"""Grid of every group of matrices; a group without one is kept."""

_LEVELS: dict[str, Recipe] = {
    NATIVE: {},
    "bfloat16": dict.fromkeys(MATRICES, BFLOAT16),
    "q8_0": dict.fromkeys(MATRICES, Q8_0),
    "q4_0": dict.fromkeys(MATRICES, Q4_0),
    "int8_channel": dict.fromkeys(MATRICES, INT8_CHANNEL),
    # EmbeddingGemma (arXiv 2509.20354, table 1): int4 embeddings, feed-forward and projections, int8
    # attention. The paper's model has no other matrices; those of other models get the wider grid.
    "e4_a8_f4_p4": {
        TOKEN_EMBEDDING: INT4_CHANNEL,
        FEED_FORWARD: INT4_CHANNEL,
        PROJECTION: INT4_CHANNEL,
        ATTENTION: INT8_CHANNEL,
        OTHER_EMBEDDING: INT8_CHANNEL,
        OTHER: INT8_CHANNEL,
    },
}

EMBEDDINGS: dict[str, Grid | None] = {"q4_0": Q4_0, "q8_0": Q8_0, KEEP: None}
"""What can be asked for the token table, most of a small model: published files of one name differ in it."""


def known_weights() -> tuple[str, ...]:
    """Return the names of all weight levels; the last need the extra `weights`."""
    return (*_LEVELS, *kernel_levels())


def recipe(level: str, embeddings: str | None) -> Recipe:
    """Return the grid of every group; none for a level that torchao computes with.

    Args:
        level: One of `known_weights`.
        embeddings: One of `EMBEDDINGS` for the token table; None to round it as the level does.

    Raises:
        UsageError: If there is no such level or no such choice, the message names both mistakes; or if
            torchao is needed and not installed.
    """
    wrong = []
    if level not in known_weights():
        wrong.append(f"unknown weight precision {level!r}; known: {known_names(known_weights())}")
    if embeddings is not None and embeddings not in EMBEDDINGS:
        wrong.append(f"the token table cannot be {embeddings!r}; known: {known_names(list(EMBEDDINGS))}")
    if wrong:
        message = "; ".join(wrong)
        raise UsageError(message)
    if level in kernel_levels():
        check_kernels(level, embeddings)
    grids = dict(_LEVELS.get(level, {}))
    if embeddings is not None:
        table = EMBEDDINGS[embeddings]
        if table is None:
            grids.pop(TOKEN_EMBEDDING, None)
        else:
            grids[TOKEN_EMBEDDING] = table
    return grids
