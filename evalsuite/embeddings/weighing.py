"""What rounding did to a checkpoint's weights, from the loaded model or from its space."""

from __future__ import annotations

from pydantic import ValidationError

from evalsuite.core.errors import CheckpointError
from evalsuite.core.variant import NATIVE
from evalsuite.core.weights import WeightReport
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint

NOTE = "weight report"


def weight_report(checkpoint: Checkpoint, store: EmbeddingStore) -> WeightReport | None:
    """Return what became of every tensor; the model is loaded only the first time its space is asked.

    Returns:
        The report; None for native weights, and for weights that cannot be rounded.

    Raises:
        StorageError: If the space cannot be written to.
    """
    if checkpoint.weights == NATIVE:
        return None
    space = store.space(checkpoint.fingerprint, checkpoint.label)
    try:
        return WeightReport.model_validate(space.recall(NOTE))
    except ValidationError:
        pass  # nothing was kept, or by another version
    try:
        report = getattr(checkpoint.encoder(), "weight_report", None)
    except CheckpointError:
        return None  # the cells say why
    found = WeightReport.model_validate(report)
    space.remember(NOTE, found.model_dump(mode="json"))
    return found
