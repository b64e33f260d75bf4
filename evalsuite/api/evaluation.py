"""Evaluate models on tasks: the main verb."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from evalsuite.api.runs import RUNS_FOLDER, write_mteb_results
from evalsuite.api.tasks import load_tasks
from evalsuite.core.errors import UsageError
from evalsuite.core.files import storage_errors
from evalsuite.core.progress import Progress, Silent
from evalsuite.core.record import CellRecord, CheckpointEntry, Encoding, RunRecord
from evalsuite.core.run import Run
from evalsuite.core.spec import DEFAULT_PRECISIONS, MtebSpec, SweepSpec
from evalsuite.core.variant import PREFIX
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.checkpoint import Checkpoint, open_checkpoint
from evalsuite.sweep import plan
from evalsuite.sweep.provenance import provenance
from evalsuite.sweep.run import Sweep
from evalsuite.sweep.writer import RunWriter
from evalsuite.tasks.mteb import MtebOptions

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    Model: TypeAlias = str | os.PathLike[str] | SentenceTransformer | Checkpoint

DEFAULT_TASKS = ("bundled",)


def evaluate(  # noqa: PLR0913 - the library's main verb: each option is one the command line has too
    model: Model | Sequence[Model],
    tasks: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = DEFAULT_TASKS,
    dims: int | Iterable[int] | None = None,
    precisions: str | Iterable[str] = DEFAULT_PRECISIONS,
    out: str | os.PathLike[str] | None = None,
    *,
    projections: Sequence[str] = (PREFIX,),
    calibration: str | os.PathLike[str] | None = None,
    dtype: str = "float32",
    device: str | None = None,
    batch_size: int = 32,
    revision: str | None = None,
    trust_remote_code: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
    seed: int = 0,
    prompts: str = "auto",
    mteb: MtebOptions | None = None,
    mteb_results: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> Run:
    """Encode every text once and score every dimension and precision.

    Args:
        model: A folder, a hub id, a loaded `SentenceTransformer`, or several of these.
        tasks: Task names, suites, cards, paths of BEIR folders or STS files; `PATH:SPLIT` chooses a split.
            Names of MTEB tasks and benchmarks, such as `STSBenchmark` or `MTEB(eng, v2)`.
        dims: Dimensions to cut to; by default the model's declared Matryoshka dims, else halvings down to 32.
        precisions: Quantization levels, with their scoring: `int8`, `int8+asymmetric`, `binary+rescore4`.
        out: Folder of the run; by default a new one under `reports/runs`. A different run that is already
            there moves to `previous/`.
        projections: Which dimensions are kept: `prefix`, and the controls `pca` and `random`.
        calibration: Task whose texts quantizers are fitted on; by default each task's own corpus.
        dtype: Data type of weights and activations: `float32`, `bfloat16` or `float16`.
        device: Torch device; by default sentence-transformers chooses.
        batch_size: Texts a forward pass.
        revision: Commit, tag or branch of a hub model.
        trust_remote_code: Run code that comes with the checkpoint.
        cache_dir: Folder of the embedding store; by default `$EVALSUITE_CACHE` or the user's cache folder.
        seed: Seed of the bootstrap resamples.
        prompts: Whose prompts: `auto` takes those of mteb's registry where it has the model, else the
            checkpoint's own; `own`; or a model of the registry, such as `google/embeddinggemma-300m`.
        mteb: How MTEB's names are understood and its tasks scored.
        mteb_results: Folder to write the results of MTEB tasks to as well, in mteb's own layout.
        progress: Told about the work as it goes on.
        command: What to record as the way the run was made; by default this call.

    Returns:
        The run, already on disk. Cells that could not be evaluated are `Failed` in it.

    Raises:
        UserError: If a model, task, dimension, precision or folder is not usable; nothing was encoded then.
    """
    began = time.perf_counter()
    references = [tasks] if isinstance(tasks, str | os.PathLike) else list(tasks)
    dims = None if dims is None else [int(dim) for dim in ([dims] if isinstance(dims, int) else dims)]
    precisions = [precisions] if isinstance(precisions, str) else list(precisions)
    plan.check_levels(precisions)
    plan.variants(0, [1] if dims is None else dims, precisions, projections)
    options = mteb or MtebOptions()
    loaded = load_tasks(references, options)
    fit_on = None if calibration is None else load_tasks([calibration], options)[0]
    checkpoints = _distinct(
        [
            open_checkpoint(
                each,
                revision=revision,
                dtype=dtype,
                device=device,
                trust_remote_code=trust_remote_code,
                batch_size=batch_size,
                prompts=prompts,
            )
            for each in _models(model)
        ]
    )
    plan.check_dims(dims or (), {checkpoint.label: checkpoint.dim for checkpoint in checkpoints})
    asked = SweepSpec(
        models=tuple(checkpoint.source for checkpoint in checkpoints),
        tasks=tuple(os.fspath(reference) for reference in references),
        dims=None if dims is None else tuple(dims),
        precisions=tuple(precisions),
        projections=tuple(projections),
        calibration=None if calibration is None else os.fspath(calibration),
        dtype=dtype,
        device=device,
        batch_size=batch_size,
        seed=seed,
        prompts=prompts,
        mteb=_mteb_spec(options),
    )
    store = EmbeddingStore(None if cache_dir is None else Path(cache_dir))
    with RunWriter(_new_folder(checkpoints) if out is None else Path(out)) as writer:
        sweep = Sweep(loaded, store, writer, progress or Silent(), seed, fit_on, options.road)
        sweep.seconds["load"] = time.perf_counter() - began
        run = writer.finish(_answer(asked, sweep, checkpoints, command))
    if mteb_results is not None:
        write_mteb_results(run, mteb_results)
    return run


def _models(model: Any) -> list[Any]:
    """Return the models as a list, whether one or several were given."""
    several = isinstance(model, Sequence) and not isinstance(model, str)
    models = list(model) if several else [model]
    if not models:
        message = "no model given; name a folder or a hub id"
        raise UsageError(message)
    return models


def _distinct(checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """Drop checkpoints given twice; give those of equal label the first letters of their fingerprint."""
    unique = list({each.fingerprint: each for each in checkpoints}.values())
    counts = Counter(each.label for each in unique)
    return [
        each if counts[each.label] == 1 else each.relabel(f"{each.label}@{each.fingerprint[:8]}")
        for each in unique
    ]


def _answer(asked: SweepSpec, sweep: Sweep, checkpoints: Sequence[Checkpoint], command: str) -> RunRecord:
    """Evaluate one checkpoint after the other and record everything."""
    began = time.perf_counter()
    cells: list[CellRecord] = []
    encodings: list[Encoding] = []
    for checkpoint in checkpoints:
        dims = asked.dims or plan.default_dims(checkpoint.dim, checkpoint.matryoshka_dims)
        ways = plan.variants(checkpoint.dim, dims, asked.precisions, asked.projections)
        records, encoding = sweep.run(checkpoint, ways)
        cells += records
        encodings.append(encoding)
    total = sweep.seconds["load"] + time.perf_counter() - began
    seconds = {**sweep.seconds, "total": total}
    return RunRecord(
        asked=asked,
        checkpoints=tuple(map(_checkpoint_entry, checkpoints)),
        tasks=tuple(sweep.entries[task.name] for task in sweep.tasks),
        cells=tuple(cells),
        provenance=provenance(
            asked, command or _call(asked), _device(checkpoints, encodings), seconds, encodings
        ),
    )


def _new_folder(checkpoints: Sequence[Checkpoint]) -> Path:
    """Make a folder under `reports/runs`, named after the time and the first model."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    label = re.sub(r"[^A-Za-z0-9.]+", "-", checkpoints[0].label).strip("-.")[:60]
    number = 1
    while True:
        folder = RUNS_FOLDER / (f"{now}-{label}" if number == 1 else f"{now}-{label}-{number}")
        with storage_errors(folder), contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
        number += 1


def _checkpoint_entry(checkpoint: Checkpoint) -> CheckpointEntry:
    return CheckpointEntry(
        label=checkpoint.label,
        source=checkpoint.source,
        revision=checkpoint.revision,
        fingerprint=checkpoint.fingerprint,
        dtype=checkpoint.dtype,
        dim=checkpoint.dim,
        matryoshka_dims=checkpoint.matryoshka_dims,
        max_seq_length=checkpoint.max_seq_length,
        prompts=dict(checkpoint.prompts.prompts),
        prompts_origin=checkpoint.prompts.origin,
        warnings=checkpoint.warnings,
    )


def _mteb_spec(options: MtebOptions) -> MtebSpec:
    """Write options down for the record."""
    values = dataclasses.asdict(options)
    return MtebSpec(**{**values, "data": None if options.data is None else str(options.data)})


def _device(checkpoints: Sequence[Checkpoint], encodings: Sequence[Encoding]) -> str:
    """Name the devices that encoded something; `none` if every vector came from the store."""
    used = [
        str(getattr(checkpoint.encoder(), "device", "unknown"))
        for checkpoint, encoding in zip(checkpoints, encodings, strict=True)
        if encoding.encoded
    ]
    return ", ".join(dict.fromkeys(used)) or "none"


def _call(asked: SweepSpec) -> str:
    """Write the Python call that repeats the run."""
    options = asked.model_dump(exclude_defaults=True, exclude={"models", "mteb"})
    words = [f"{name}={value!r}" for name, value in options.items()]
    chosen = asked.mteb.model_dump(exclude_defaults=True)
    if chosen:
        inner = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
        words.append(f"mteb=evalsuite.MtebOptions({inner})")
    models = asked.models[0] if len(asked.models) == 1 else list(asked.models)
    return f"evalsuite.evaluate({models!r}, {', '.join(words)})"
