"""Drift: a model whose weights nobody sees is held to what it answered when its space was made."""

from __future__ import annotations

from evalsuite.core.progress import Progress
from evalsuite.embeddings.space import Space, text_key
from evalsuite.models.checkpoint import Checkpoint


def hold_to_probe(checkpoint: Checkpoint, space: Space, progress: Progress) -> None:
    """Compare a served model's probe with that in its space; the first run puts it there.

    The probe's vectors are ordinary vectors of the space: checked against their checksum, deleted with it.

    Args:
        checkpoint: The model; one without a probe is known by its files and passes.
        space: Its space.
        progress: Told if another run holds the space.

    Raises:
        CheckpointError: If the model is not the one that gave the vectors of this space.
        StorageError: If the space cannot be written to.
    """
    probe = checkpoint.probe
    if probe is None:
        return
    keys = [text_key("", text) for text in probe.texts]
    space.refresh()
    if space.missing(keys):
        with space.locked(progress):
            space.refresh()
            if space.missing(keys):
                space.add(keys, probe.vectors)
    probe.check(space.vectors(keys).all())
