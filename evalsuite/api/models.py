"""Open what a user calls a model: a folder, a hub id, a loaded model, or one that comes with evalsuite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from evalsuite.ablation.twins import TWINS, open_twin
from evalsuite.core.errors import UsageError
from evalsuite.core.progress import Progress
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.hub import BUNDLED_NAME
from evalsuite.models.opening import open_checkpoint

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    Model: TypeAlias = str | os.PathLike[str] | SentenceTransformer | Checkpoint

OTHER_LOADERS = ("mteb:", "openai:")
"""What the names of models begin with that are not opened from files."""


def open_model(model: Model, store: EmbeddingStore, progress: Progress | None, **options: Any) -> Checkpoint:
    """Open a model.

    Args:
        model: A folder, a hub id, the name of a bundled model, or a loaded model.
        store: Where vectors are kept; bundled twins share those of their encoder.
        progress: Told about what the twins' encoder encodes.
        options: Options of `open_checkpoint`.

    Raises:
        UserError: If there is no such model, or it cannot be used.
    """
    if not (isinstance(model, str) and model in TWINS and not Path(model).exists()):
        return open_checkpoint(model, **options)
    if options.get("revision") is not None:
        message = f"{model}: comes with evalsuite and has no revision {options['revision']!r}; leave it out"
        raise UsageError(message)
    return open_twin(model, store, dtype=options["dtype"], device=options["device"], progress=progress)


def is_model_name(word: str) -> bool:
    """Tell whether a word that is no path can name a model: a bundled one, or one of a hub or a loader."""
    if word in (BUNDLED_NAME, *TWINS) or word.startswith(OTHER_LOADERS):
        return True
    return word.count("/") == 1 and not word.startswith((".", "/", "~"))
