"""Question: what is asked of a checkpoint, as one value that can be asked of the next one too."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.core.progress import Progress
from evalsuite.core.run import Run
from evalsuite.core.spec import DEFAULT_PRECISIONS
from evalsuite.core.variant import NATIVE, PREFIX, Variant
from evalsuite.tasks.mteb import MtebOptions

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from evalsuite.models.checkpoint import Checkpoint

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Question:
    """What `evalsuite.evaluate` is asked, without the model; its documentation explains each field.

    Attributes:
        tasks: Task names, suites and paths.
        dims: Dimensions; None for those that the model declares.
        precisions: Quantization levels.
        projections: Which dimensions are kept.
        calibration: Task whose texts quantizers are fitted on.
        prompts: Whose prompts.
        dtype: Data type a checkpoint's folder is loaded in; a model in memory keeps its own.
        device: Torch device; likewise.
        batch_size: Texts a forward pass.
        seed: Seed of the bootstrap resamples.
        mteb: How MTEB's names are understood.
        weights: Precisions of the weights.
        quantize_embeddings: The token table's, apart.
        spread: Whether the spread of the vectors is measured.
        ann: Whether approximate search is probed.
    """

    tasks: Sequence[AnyPath] = ("bundled",)
    dims: Sequence[int] | None = None
    precisions: Sequence[str] = DEFAULT_PRECISIONS
    projections: Sequence[str] = (PREFIX,)
    calibration: AnyPath | None = None
    prompts: str = "auto"
    dtype: str = "float32"
    device: str | None = None
    batch_size: int = 32
    seed: int = 0
    mteb: MtebOptions = dataclasses.field(default_factory=MtebOptions)
    weights: Sequence[str] = (NATIVE,)
    quantize_embeddings: str | None = None
    spread: bool = True
    ann: bool = False

    @classmethod
    def of(cls, run: Run) -> Question:
        """Read the question that a run answers, so that another checkpoint can be asked the same.

        The device is left open: a baseline made on a GPU can be compared with on a machine without one.
        """
        asked = run.record.asked
        weights = tuple(dict.fromkeys(each.weights.partition("+")[0] for each in run.record.checkpoints))
        chosen = asked.mteb.model_dump()
        data = chosen.pop("data")
        return cls(
            tasks=asked.tasks,
            dims=asked.dims or sorted({Variant.parse(cell.variant).dim for cell in run.record.cells}),
            precisions=asked.precisions,
            projections=asked.projections,
            calibration=asked.calibration,
            prompts=asked.prompts,
            dtype=asked.dtype,
            batch_size=asked.batch_size,
            seed=asked.seed,
            mteb=MtebOptions(**chosen, data=None if data is None else Path(data)),
            weights=weights or (NATIVE,),
            quantize_embeddings=asked.quantize_embeddings if set(weights) - {NATIVE} else None,
            spread=asked.spread,
            ann=asked.ann,
        )

    def check(self) -> None:
        """Find every task and read its data now, so that a mistake does not show hours later.

        Raises:
            UserError: If a task, a precision or a dimension cannot be used.
        """
        from evalsuite.api.tasks import load_tasks
        from evalsuite.sweep import plan

        plan.check_levels(self.precisions)
        plan.variants(0, [1] if self.dims is None else self.dims, self.precisions, self.projections)
        plan.check_dims(self.dims or (), {})
        load_tasks(self.tasks, self.mteb)

    def ask(
        self,
        model: AnyPath | SentenceTransformer | Checkpoint,
        out: AnyPath | None = None,
        *,
        cache_dir: AnyPath | None = None,
        progress: Progress | None = None,
        command: str = "",
    ) -> Run:
        """Evaluate a model; see `evalsuite.evaluate`.

        Raises:
            UserError: If the model or the question is not usable.
        """
        from evalsuite.api.evaluation import evaluate

        return evaluate(
            model,
            self.tasks,
            self.dims,
            self.precisions,
            out,
            projections=self.projections,
            calibration=self.calibration,
            dtype=self.dtype,
            device=self.device,
            batch_size=self.batch_size,
            seed=self.seed,
            prompts=self.prompts,
            mteb=self.mteb,
            weights=self.weights,
            quantize_embeddings=self.quantize_embeddings,
            spread=self.spread,
            ann=self.ann,
            cache_dir=cache_dir,
            progress=progress,
            command=command,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the question as JSON knows it; paths become texts."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), default=os.fspath))
        return values

    @property
    def digest(self) -> str:
        """Tells questions apart: 16 hex characters of a sha256 over all but where and how fast it runs."""
        counted = {
            name: value for name, value in self.as_json().items() if name not in ("device", "batch_size")
        }
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]
