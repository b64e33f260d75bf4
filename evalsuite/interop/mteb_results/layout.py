"""How mteb lays results out, and what evalsuite writes into them to know its own again.

::

    results/ORG__NAME/REVISION/TASK.json                                     float32 at full width
    results/ORG__NAME/REVISION/model_meta.json
    results/ORG__NAME/REVISION/run_settings.jsonl                            one line a task and its splits
    results/ORG__NAME/REVISION/experiments/embed_dim_256__output_dtypes_int8/   the same three, any variant
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evalsuite.core.record import CheckpointEntry
from evalsuite.core.variant import PREFIX, Variant

META_FILE = "model_meta.json"
SETTINGS_FILE = "run_settings.jsonl"

MARK = "evalsuite"
"""Key in a line's `encode_kwargs` under which evalsuite says what the line is about."""

FULL_PRECISION = "float32"
DIM_KEY, PRECISION_KEY = "embed_dim", "output_dtypes"
"""mteb's names for a truncation and a precision in `experiment_kwargs`."""

SCORING_KEY, PROJECTION_KEY = "scoring", "projection"
"""evalsuite's names for what mteb has none for."""

BITS: Mapping[str, int] = {
    FULL_PRECISION: 32,
    "float16": 16,
    "bfloat16": 16,
    "float8_e4m3fn": 8,
    "float8_e5m2": 8,
    "float8_e8m0fnu": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2fnuz": 8,
    "int8": 8,
    "uint8": 8,
    "int4": 4,
    "uint4": 4,
    "binary": 1,
}
"""Bits a dimension of mteb's `OutputDType`."""

OUR_NAMES: Mapping[str, str] = {"float8_e4m3fn": "float8_e4m3"}
"""evalsuite's names for precisions that mteb calls otherwise."""

_THEIR_NAMES = {ours: theirs for theirs, ours in OUR_NAMES.items()}
_LOCAL = "local"
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


def experiment_kwargs(variant: Variant, full_dim: int) -> dict[str, Any] | None:
    """Say in mteb's terms how a variant differs from float32 at full width; None if it does not."""
    found: dict[str, Any] = {}
    if variant.dim != full_dim:
        found[DIM_KEY] = variant.dim
    if variant.precision != FULL_PRECISION:
        found[PRECISION_KEY] = _THEIR_NAMES.get(variant.precision, variant.precision)
    if str(variant.scoring):
        found[SCORING_KEY] = str(variant.scoring).removeprefix("+")
    if variant.projection != PREFIX:
        found[PROJECTION_KEY] = variant.projection
    return found or None


def model_name(checkpoint: CheckpointEntry) -> str:
    """Name a checkpoint as mteb does, `ORG/NAME`.

    A hub model and a model of mteb's own keep their names; any other is `local/LABEL`, and two of one label
    are told apart by their revisions, which are fingerprints.
    """
    source = checkpoint.source.removeprefix("mteb:").partition("@")[0]
    if checkpoint.revision is not None and source.count("/") == 1:
        return source
    return f"{_LOCAL}/{_NOT_IN_NAMES.sub('-', checkpoint.label).strip('-') or 'model'}"
