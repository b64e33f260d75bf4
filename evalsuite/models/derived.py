"""Checkpoints made from others: the same files with rounded weights, or run in another number format."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial

from evalsuite.core.errors import UsageError
from evalsuite.core.variant import NATIVE
from evalsuite.models.blueprint import Blueprint
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.encoder import Encoder
from evalsuite.models.fingerprint import folder_fingerprint
from evalsuite.models.weights.kernels import kernel_levels, kernels_version
from evalsuite.models.weights.labels import trained_for, weight_label
from evalsuite.models.weights.levels import KEEP, recipe

EXACT = "float32"
"""The number format that holds every grid's values; rounded weights are only run in it."""


def check_weights(levels: Sequence[str], embeddings: str | None) -> tuple[str, ...]:
    """Check what was asked for the weights; returns the levels, each once.

    Raises:
        UsageError: If there is no such level or choice for the token table, or nothing that it applies to.
    """
    levels = tuple(dict.fromkeys(levels))
    if not levels:
        message = f"no weight precision given; name at least one, such as {NATIVE}"
        raise UsageError(message)
    for level in levels:
        recipe(level, embeddings)
    if embeddings is not None and set(levels) == {NATIVE}:
        message = (
            f"--quantize-embeddings {embeddings} goes with --weights other than {NATIVE}, such as q4_0: "
            f"{NATIVE} weights stay as they are"
        )
        raise UsageError(message)
    return levels


def with_weights(checkpoint: Checkpoint, level: str, embeddings: str | None = None) -> Checkpoint:
    """Return a checkpoint whose weights are rounded to a level when it is loaded. Nothing is loaded yet.

    Args:
        checkpoint: A model folder or hub model.
        level: One of `known_weights`; `native` returns the checkpoint unchanged.
        embeddings: `q4_0`, `q8_0` or `keep` for the token table; None to round it as the level does.

    Returns:
        A checkpoint with its own fingerprint, encoder and label, such as `model q4_0 (PTQ)`.

    Raises:
        UsageError: If there is no such level, the model is not a folder of files, or runs in a number format
            that cannot hold the level's values.
    """
    grids = recipe(level, embeddings)
    if level == NATIVE:
        return checkpoint
    if checkpoint.blueprint is None and checkpoint.rounded is None:
        message = (
            f"{checkpoint.label}: weights {level} need a model folder or hub id; a model that is in memory, "
            "served, or loaded by other code keeps its weights"
        )
        raise UsageError(message)
    if checkpoint.dtype != EXACT:
        message = (
            f"{checkpoint.label}: weights {level} need --dtype {EXACT}; {checkpoint.dtype} cannot hold them"
        )
        raise UsageError(message)
    table = None if grids == recipe(level, None) else embeddings
    name = level if table is None else f"{level}+{table}"
    words = weight_label(level, trained_for(checkpoint.source))
    if table is not None:
        words += f", token table {'kept' if table == KEEP else table}"
    runtime = [kernels_version()] if level in kernel_levels() else []
    identity = json.dumps([checkpoint.fingerprint, "weights", level, table, *runtime])
    blueprint, load = _at_level(checkpoint, level, table)
    return dataclasses.replace(
        checkpoint,
        blueprint=blueprint,
        load=load,
        label=f"{checkpoint.label} {words}",
        fingerprint=hashlib.sha256(identity.encode()).hexdigest(),
        weights=name,
        weights_label=words,
    )


def in_dtype(checkpoint: Checkpoint, dtype: str) -> Checkpoint:
    """Return the same folder's checkpoint run in another number format, native weights only.

    Raises:
        ValueError: If the model is not a folder of files, or its weights are rounded.
    """
    if dtype == checkpoint.dtype:
        return checkpoint
    if checkpoint.blueprint is None or checkpoint.weights != NATIVE:
        message = f"{checkpoint.label} runs in {checkpoint.dtype} only"
        raise ValueError(message)
    fingerprint = folder_fingerprint(
        checkpoint.blueprint.folder,
        prompts=checkpoint.prompts,
        max_seq_length=checkpoint.max_seq_length,
        dtype=dtype,
    )
    blueprint = dataclasses.replace(checkpoint.blueprint, dtype=dtype)
    return dataclasses.replace(
        checkpoint, blueprint=blueprint, load=blueprint.encoder, fingerprint=fingerprint, dtype=dtype
    )


def _at_level(
    checkpoint: Checkpoint, level: str, table: str | None
) -> tuple[Blueprint | None, Callable[[], Encoder]]:
    """Return how an encoder is made at a weight level: from the blueprint, or as the checkpoint says."""
    if checkpoint.blueprint is not None:
        blueprint = dataclasses.replace(checkpoint.blueprint, weights=level, embeddings=table)
        return blueprint, blueprint.encoder
    if checkpoint.rounded is None:
        message = f"{checkpoint.label} keeps its weights"
        raise ValueError(message)
    return None, partial(checkpoint.rounded, level, table)
