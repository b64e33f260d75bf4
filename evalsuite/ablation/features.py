"""Features: the vectors of the training texts, encoded once and kept in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evalsuite.ablation.pairs import Pairs
from evalsuite.core.progress import Progress
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.tasks.task import Role

if TYPE_CHECKING:
    from torch import Tensor

TASK_TYPE = "Retrieval"
"""Pairs are prompted as queries and documents of retrieval."""


@dataclass(frozen=True)
class Features:
    """The vectors of pairs.

    Attributes:
        vectors: float32 (m, d), one row for each different prompted text, as the model returned it.
        rows: int64 (n, 2) or (n, 3), for each pair the rows of its anchor, positive and hard negative.
    """

    vectors: Tensor
    rows: npt.NDArray[np.int64]

    def columns(self, batch: npt.NDArray[np.int64]) -> list[Tensor]:
        """Return the vectors of some pairs, one (B, d) tensor a column."""
        import torch

        return [self.vectors[torch.from_numpy(column)] for column in self.rows[batch].T]


def prompted_columns(pairs: Pairs, checkpoint: Checkpoint) -> list[list[Prompted]]:
    """Put a checkpoint's prompts before the texts: the query's before anchors, the document's elsewhere."""
    roles: list[Role] = ["query", "document", "document"]
    return [
        [Prompted(*checkpoint.prompts.render(role, TASK_TYPE, "", pairs.texts[number])) for number in column]
        for role, column in zip(roles, pairs.columns.T, strict=False)
    ]


def encode_pairs(pairs: Pairs, checkpoint: Checkpoint, store: EmbeddingStore, progress: Progress) -> Features:
    """Encode every different prompted text once.

    Raises:
        EncodingError: If the model returns vectors that cannot be used.
        StorageError: If the store cannot be written to. Finished shards are kept.
    """
    import torch

    columns = prompted_columns(pairs, checkpoint)
    unique = dict.fromkeys(each for column in columns for each in column)
    number = {each: index for index, each in enumerate(unique)}
    encoded = encode_once(checkpoint, list(number), store, progress)
    rows = np.asarray([[number[each] for each in column] for column in columns], dtype=np.int64).T
    return Features(torch.from_numpy(encoded.vectors.all()), rows.reshape(-1, len(columns)))
