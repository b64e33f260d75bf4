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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.api.encoders import at_levels, check_workers, on_road, opening_dtype
from evalsuite.api.engines import check_engine, open_engine
from evalsuite.api.models import open_model
from evalsuite.api.runs import RUNS_FOLDER, prepare_mteb_results, write_mteb_results
from evalsuite.api.tasks import load_tasks
from evalsuite.core.errors import UsageError
from evalsuite.core.files import storage_errors
from evalsuite.core.progress import Progress, Silent
from evalsuite.core.record import CellRecord, CheckpointEntry, Encoding, RunRecord
from evalsuite.core.run import Run
from evalsuite.core.spec import DEFAULT_PRECISIONS, MtebSpec, SweepSpec
from evalsuite.core.variant import NATIVE, PREFIX
from evalsuite.core.weights import WeightReport
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.embeddings.weighing import weight_report
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.derived import check_weights
from evalsuite.sweep import plan
from evalsuite.sweep.geometry import Geometry
from evalsuite.sweep.provenance import provenance
from evalsuite.sweep.run import Sweep
from evalsuite.sweep.writer import RunWriter
from evalsuite.tasks.mteb import MtebOptions
from evalsuite.tasks.refs import reference_text

if TYPE_CHECKING:
    from evalsuite.api.models import Model
    from evalsuite.tasks.refs import Asked

DEFAULT_TASKS = ("bundled",)


def evaluate(  # noqa: PLR0913 - the library's main verb: each option is one the command line has too
    model: Model | Sequence[Model],
    tasks: Asked | Iterable[Asked] = DEFAULT_TASKS,
    dims: int | Iterable[int] | None = None,
    precisions: str | Iterable[str] = DEFAULT_PRECISIONS,
    out: str | os.PathLike[str] | None = None,
    *,
    projections: Sequence[str] = (PREFIX,),
    calibration: str | os.PathLike[str] | None = None,
    weights: str | Sequence[str] = (NATIVE,),
    quantize_embeddings: str | None = None,
    workers: int | Literal["auto"] = 1,
    engine: str = "local",
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
    spread: bool = True,
    ann: bool = False,
    progress: Progress | None = None,
    command: str = "",
) -> Run:
    """Encode every text once and score every dimension and precision.

    Args:
        model: A folder, a hub id, a loaded `SentenceTransformer`, or several of these.
        tasks: Task names, suites, cards, paths of BEIR folders or STS files; `PATH:SPLIT` chooses a split.
            Names of MTEB tasks and benchmarks, such as `STSBenchmark` or `MTEB(eng, v2)`, and mteb's own
            objects: what `mteb.get_tasks` returns, a benchmark, a task class of your own, made.
        dims: Dimensions to cut to; by default the model's declared Matryoshka dims, else halvings down to 32.
        precisions: Quantization levels, with their scoring: `int8`, `int8+asymmetric`, `binary+rescore4`.
        out: Folder of the run; by default a new one under `reports/runs`. A different run that is already
            there moves to `previous/`.
        projections: Which dimensions are kept: `prefix`, and the controls `pca` and `random`.
        calibration: Task whose texts quantizers are fitted on; by default each task's own corpus.
        weights: Precisions that the models' matrices are rounded to before they encode: `native`, `bfloat16`,
            `q8_0`, `q4_0`, `int8_channel`, `e4_a8_f4_p4`; with the extra `weights` also `int8_torchao` and
            `int4_torchao`. Each level is a checkpoint of its own.
        quantize_embeddings: `q4_0`, `q8_0` or `keep` for the token table of the levels but `native`.
        workers: Processes that encode: 1 is this one alone, `auto` measures on texts of the run. On a
            cluster, actors: `auto` is one an accelerator, else one a core.
        engine: `local`, or `ray` (needs the extra `cluster`): workers of the cluster that `RAY_ADDRESS`
            names, or of one started here for the while, encode, search and measure the spread.
        dtype: Data type of weights and activations: `float32`, `bfloat16` or `float16`; `auto` measures
            whether bfloat16 is faster and true enough.
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
        spread: Measure how evenly the vectors of each task fill the sphere, at every dimension.
        ann: Probe approximate search over the documents of each task that has queries.
        progress: Told about the work as it goes on.
        command: What to record as the way the run was made; by default this call.

    Returns:
        The run, already on disk. Cells that could not be evaluated are `Failed` in it.

    Raises:
        UserError: If a model, task, dimension, precision or folder is not usable; nothing was encoded then.
    """
    began = time.perf_counter()
    references = _listed(tasks)
    dims = None if dims is None else [int(dim) for dim in ([dims] if isinstance(dims, int) else dims)]
    precisions = [precisions] if isinstance(precisions, str) else list(precisions)
    levels = check_weights([weights] if isinstance(weights, str) else weights, quantize_embeddings)
    place = check_engine(engine)
    check_workers(workers, place)
    plan.check_levels(precisions)
    plan.check_seed(seed)
    plan.variants(0, [1] if dims is None else dims, precisions, projections)
    options = mteb or MtebOptions()
    if mteb_results is not None:
        prepare_mteb_results(mteb_results)
    loaded = load_tasks(references, options)
    fit_on = None if calibration is None else load_tasks([calibration], options)[0]
    store = EmbeddingStore(None if cache_dir is None else Path(cache_dir))
    opened = _distinct(
        [
            open_model(
                each,
                store,
                progress,
                revision=revision,
                dtype=opening_dtype(dtype),
                device=device,
                trust_remote_code=trust_remote_code,
                batch_size=batch_size,
                prompts=prompts,
            )
            for each in _models(model)
        ]
    )
    checkpoints = at_levels(opened, levels, quantize_embeddings)
    plan.check_dims(dims or (), {checkpoint.label: checkpoint.dim for checkpoint in checkpoints})
    asked = SweepSpec(
        models=tuple(checkpoint.source for checkpoint in opened),
        tasks=tuple(map(reference_text, references)),
        dims=None if dims is None else tuple(dims),
        precisions=tuple(precisions),
        projections=tuple(projections),
        calibration=None if calibration is None else os.fspath(calibration),
        weights=levels,
        quantize_embeddings=quantize_embeddings,
        workers=workers,
        engine=place,
        dtype=dtype,
        device=device,
        batch_size=batch_size,
        seed=seed,
        prompts=prompts,
        spread=spread,
        ann=ann,
        mteb=_mteb_spec(options),
    )
    with (
        open_engine(engine, workers, device) as opened_engine,
        RunWriter(_new_folder(checkpoints) if out is None else Path(out)) as writer,
    ):
        geometry = Geometry(wants_spread=spread, wants_ann=ann, engine=opened_engine)
        sweep = Sweep(
            loaded, store, writer, progress or Silent(), seed, fit_on, options.road, geometry, opened_engine
        )
        sweep.seconds["load"] = time.perf_counter() - began
        run = writer.finish(_answer(asked, sweep, checkpoints, command))
    if mteb_results is not None:
        write_mteb_results(run, mteb_results)
    return run


def _listed(tasks: Asked | Iterable[Asked]) -> list[Asked]:
    """Return the tasks as a list, whether one or several were given."""
    if isinstance(tasks, str | os.PathLike) or not isinstance(tasks, Iterable):
        return [tasks]
    return list(tasks)


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
    parts = [_answer_one(asked, sweep, checkpoint) for checkpoint in checkpoints]
    devices = ", ".join(dict.fromkeys(part.device for part in parts if part.device)) or "none"
    total = sweep.seconds["load"] + time.perf_counter() - began
    found = sweep.geometry
    seconds = {**sweep.seconds, **found.seconds, "total": total}
    return RunRecord(
        asked=asked,
        checkpoints=tuple(part.checkpoint for part in parts),
        tasks=tuple(sweep.entries[task.name] for task in sweep.tasks),
        cells=tuple(cell for part in parts for cell in part.cells),
        spread=tuple(found.spread),
        ann=tuple(found.ann),
        ann_missing=tuple(found.ann_missing),
        provenance=provenance(
            asked,
            command or _call(asked),
            devices,
            sweep.engine.describe(),
            seconds,
            [part.encoding for part in parts],
        ),
    )


@dataclass(frozen=True)
class _Part:
    """What one checkpoint contributes to the record.

    Attributes:
        checkpoint: What it is.
        cells: Its results.
        encoding: How its texts were encoded.
        device: What encoded them; empty if every vector came from the store.
    """

    checkpoint: CheckpointEntry
    cells: Sequence[CellRecord]
    encoding: Encoding
    device: str


def _answer_one(asked: SweepSpec, sweep: Sweep, opened: Checkpoint) -> _Part:
    """Evaluate one checkpoint on the road asked for."""
    dims = asked.dims or plan.default_dims(opened.dim, opened.matryoshka_dims)
    ways = plan.variants(opened.dim, dims, asked.precisions, asked.projections, opened.weights)
    with on_road(opened, asked, sweep) as (checkpoint, road):
        cells, encoding = sweep.run(checkpoint, ways)
        device = str(getattr(checkpoint.encoder(), "device", "unknown")) if encoding.encoded else ""
        entry = _checkpoint_entry(checkpoint, weight_report(checkpoint, sweep.store))
    return _Part(entry, cells, encoding.model_copy(update={"road": road}), device)


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


def _checkpoint_entry(checkpoint: Checkpoint, report: WeightReport | None) -> CheckpointEntry:
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
        weights=checkpoint.weights,
        weights_label=checkpoint.weights_label,
        weight_report=report,
    )


def _mteb_spec(options: MtebOptions) -> MtebSpec:
    """Write options down for the record."""
    values = dataclasses.asdict(options)
    return MtebSpec(**{**values, "data": None if options.data is None else str(options.data)})


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
