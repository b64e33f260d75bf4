"""Library: the texts an MTEB task asks for, found in the store or encoded when first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from evalsuite.core.progress import Progress
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.space import text_key
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.tasks.task import Role, TaskText


class Library:
    """Vectors of one checkpoint for one task, and a memory of what was asked for.

    Nothing but places of vectors is kept: the same request at the next variant costs no look into the store.

    Args:
        checkpoint: The model.
        store: Where vectors are kept.
        progress: Told about encoding.

    Attributes:
        encoded: Texts encoded now.
        seconds: Wall time of looking up and encoding.
        served: Every different request's role and vectors, in the order of asking.
    """

    def __init__(self, checkpoint: Checkpoint, store: EmbeddingStore, progress: Progress) -> None:
        self.checkpoint = checkpoint
        self.encoded = 0
        self.seconds = 0.0
        self._store = store
        self._progress = progress
        self.served: list[tuple[Role, StoredVectors]] = []
        self._known: dict[str, StoredVectors] = {}
        self._documents: list[StoredVectors] = []
        self._keys: set[str] = set()

    @property
    def unique(self) -> int:
        """Distinct texts asked for so far."""
        return len(self._keys)

    def vectors(self, role: Role, texts: Sequence[TaskText], metadata: Any) -> StoredVectors:
        """Return the full-width vector of every text.

        Args:
            role: What the texts are in the task; with the task it chooses the prompt.
            texts: The texts.
            metadata: mteb's metadata of the task.

        Raises:
            EncodingError: If the model returns vectors that cannot be scored.
            CheckpointError: If the model cannot be loaded.
            StorageError: If the store cannot be written to.
        """
        inputs = [
            Prompted(
                *self.checkpoint.prompts.render(role, metadata.type, metadata.name, each.text, each.title)
            )
            for each in texts
        ]
        keys = [text_key(each.prompt, each.text) for each in inputs]
        request = hashlib.sha256("".join([role, *keys]).encode()).hexdigest()
        if request not in self._known:
            found = encode_once(self.checkpoint, inputs, self._store, self._progress)
            self.encoded += found.encoded
            self.seconds += found.seconds
            self._keys.update(keys)
            self._known[request] = found.vectors
            self.served.append((role, found.vectors))
            if role == "document":
                self._documents.append(found.vectors)
        return self._known[request]

    def calibration(self) -> StoredVectors:
        """Return what quantizers are fitted on: the documents asked for so far, else all texts.

        Raises:
            ValueError: If nothing was asked for.
        """
        return StoredVectors.join(self._documents or list(self._known.values()))
