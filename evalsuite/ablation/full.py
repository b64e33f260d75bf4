"""Training a whole pipeline: encoder, pooling and head together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.ablation.features import prompted_columns
from evalsuite.ablation.folders import Notes, new_folder
from evalsuite.ablation.pairs import Pairs
from evalsuite.ablation.student import Ints, identity_layers
from evalsuite.core.errors import CheckpointError
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.loading import load_pipeline, quiet_libraries

if TYPE_CHECKING:
    from torch import Tensor


class PipelineStudent:
    """A sentence-transformers pipeline, all of whose weights are trained in float32.

    Args:
        base: The checkpoint to start from.
        pairs: The training pairs.
        hidden: Width between the two layers of a new head; None keeps the pipeline as it is.
        dims: Matryoshka dimensions to declare when it is saved.
        seed: Seed of a new head.
    """

    def __init__(
        self, base: Checkpoint, pairs: Pairs, hidden: int | None, dims: Sequence[int], seed: int
    ) -> None:
        if base.folder is None:
            message = f"{base.label}: has no folder of its own; save it and give the folder"
            raise CheckpointError(message)
        model = load_pipeline(base.folder, dtype="float32", device=base.device, trust_remote_code=False)
        self.model: Any = model if hidden is None else _with_head(model, base.dim, hidden, seed)
        self.model.train()
        self._columns = prompted_columns(pairs, base)
        self._dims = dims

    def parameters(self) -> dict[str, Tensor]:
        """Return every weight; see `Student.parameters`."""
        return dict(self.model.named_parameters())

    def columns(self, batch: Ints) -> list[Tensor]:
        """Run some pairs through the pipeline; see `Student.columns`."""
        vectors = []
        for column in self._columns:
            chosen = [column[row] for row in batch]
            # A column has one role, and so one prompt.
            features = self.model.preprocess([each.text for each in chosen], prompt=chosen[0].prompt or None)
            on_device = {
                name: value.to(self.model.device) if hasattr(value, "to") else value
                for name, value in features.items()
            }
            vectors.append(self.model(on_device)["sentence_embedding"])
        return vectors

    def save(self, folder: Path, notes: Mapping[str, str]) -> None:
        """Write the pipeline; see `Student.save`."""
        self.model.eval()
        with new_folder(folder) as scratch, quiet_libraries():
            self.model.save_pretrained(str(scratch), create_model_card=False)
            Notes(self._dims, notes).write(scratch)
        self.model.train()


def _with_head(model: Any, width: int, hidden: int, seed: int) -> Any:
    """Put a new head behind a pipeline's pooling; it starts as the identity."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize

    first, second = identity_layers(width, hidden, seed)
    modules = [module for module in model if not isinstance(module, Normalize)]
    head = [
        Dense(width, hidden, bias=False, activation_function=None, init_weight=first),
        Dense(hidden, width, bias=False, activation_function=None, init_weight=second),
        Normalize(),
    ]
    return SentenceTransformer(
        modules=[*modules, *head],
        device=str(model.device),
        prompts=model.prompts,
        default_prompt_name=model.default_prompt_name,
        similarity_fn_name="cosine",
    )
