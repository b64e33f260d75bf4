"""Roads: how texts are encoded. The default is one process in float32; faster ones are timed and held to it.

Every road encodes the same shards into the same kind of space, and a road in another number format has a
space of its own. A choice made by measurement is remembered in the store, so that a second run with the same
machine takes the same road and finds its vectors.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from evalsuite.core.progress import Progress
from evalsuite.core.road import RoadEntry, RoadFidelity, Trial
from evalsuite.core.variant import NATIVE
from evalsuite.embeddings.encode import Prompted
from evalsuite.embeddings.process import Job
from evalsuite.embeddings.site import AUTO, HERE, Site, Team, usable_cores
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.blueprint import Blueprint
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.derived import EXACT, in_dtype

Floats = npt.NDArray[np.float32]

FAST_DTYPE = "bfloat16"
TRUE_ENOUGH = 0.999
"""Least mean cosine with the default road for another number format to be chosen."""
WORTH_IT = 1.1
"""Least gain in speed for another number format to be chosen."""

WARM_UP_TEXTS = 4
LEAST_SAMPLE, MOST_SAMPLE = 16, 256
SAMPLE_SECONDS = 3.0
"""The sample is as large as the default road encodes in about this time."""


@dataclass(frozen=True)
class RoadAsk:
    """What was asked for.

    Attributes:
        workers: Processes; 1 with `auto_dtype` off is the default road, `auto` measures.
        auto_dtype: Whether the number format may be changed to a faster one.
    """

    workers: int | Literal["auto"] = 1
    auto_dtype: bool = False

    @property
    def default(self) -> bool:
        """Whether it is the default road."""
        return self.workers == 1 and not self.auto_dtype


@dataclass(frozen=True)
class _Plan:
    """A road that could be taken."""

    dtype: str
    threads: int
    devices: tuple[str | None, ...]
    tokens: int
    site: Site

    def crew(self, checkpoint: Checkpoint, blueprint: Blueprint) -> Team:
        """Gather the workers; none is started."""
        changed = dataclasses.replace(blueprint, dtype=self.dtype, tokens=self.tokens)
        own = [dataclasses.replace(changed, device=device) for device in self.devices]
        return self.site.gather(own, threads=self.threads, dim=checkpoint.dim, label=checkpoint.label)


@dataclass(frozen=True)
class _Timed:
    """What one road made of the sample."""

    vectors: Floats
    seconds: float


def choose_road(
    checkpoint: Checkpoint,
    ask: RoadAsk,
    sample: Callable[[int], Sequence[Prompted]],
    store: EmbeddingStore,
    progress: Progress,
    site: Site = HERE,
) -> tuple[Checkpoint, RoadEntry | None]:
    """Put a checkpoint on the road asked for, measuring what was left open and how true the road is.

    Args:
        checkpoint: The model; not loaded unless something must be measured.
        ask: What was asked for.
        sample: Returns so many inputs of the run, or fewer.
        store: Remembers what was measured.
        progress: Told what was chosen.
        site: Where texts are encoded.

    Returns:
        The checkpoint, whose encoder is a `Team` unless the default road is taken here, and the record's
        entry; None for the default road.

    Raises:
        CheckpointError: If the model cannot be loaded.
        EncodingError: If it cannot encode.
    """
    blueprint = checkpoint.blueprint
    if ask.default and (blueprint is not None or site is HERE):
        return site.alone(checkpoint), None
    if blueprint is None:
        progress.note(f"{checkpoint.label}: not a model folder, so this process alone encodes, as by default")
        return checkpoint, None
    plans = list(_plans(checkpoint, ask, site))
    space = store.space(checkpoint.fingerprint, checkpoint.label)
    name = _conditions(ask, plans, site)
    entry = _remembered(space.recall(name))
    if entry is None:
        entry = _measured(checkpoint, blueprint, plans, list(sample(MOST_SAMPLE)), progress)
        space.remember(name, entry.model_dump(mode="json"))
    if ask.workers != AUTO and not ask.auto_dtype:
        entry = entry.model_copy(update={"chosen": "asked"})
    progress.note(describe(checkpoint.label, entry))
    return _on(checkpoint, blueprint, entry, site), entry


def describe(label: str, entry: RoadEntry) -> str:
    """Say in one line which road was taken and how true it is."""
    way = "one process, as by default"
    if entry.workers:
        count = f"{entry.workers} worker{'s' if entry.workers > 1 else ''}"
        way = f"{count} of {entry.threads or 'all'} thread(s), {entry.dtype}"
    text = f"{label}: {way} ({entry.chosen})"
    if entry.trials:
        first = entry.trials[0].texts_per_second
        taken = next(
            (t for t in entry.trials if (t.workers, t.dtype) == (entry.workers, entry.dtype)), entry.trials[0]
        )
        text += f"; {taken.texts_per_second / first:.2f} x the default on a sample"
    if entry.fidelity is not None:
        text += (
            f"; mean cosine with it {entry.fidelity.mean_cosine:.6f}, "
            f"cosine similarities differ by {100 * entry.fidelity.score_difference:.4f} points"
        )
    return text


def _plans(checkpoint: Checkpoint, ask: RoadAsk, site: Site) -> Iterator[_Plan]:
    """List the roads that answer what was asked: float32 before others, more workers first."""
    open_dtype = ask.auto_dtype and checkpoint.weights == NATIVE
    for dtype in (EXACT, FAST_DTYPE) if open_dtype else (checkpoint.dtype,):
        for way in site.ways(checkpoint.device, ask.workers):
            yield _Plan(dtype, way.threads, way.devices, way.tokens, site)


def _measured(
    checkpoint: Checkpoint,
    blueprint: Blueprint,
    plans: Sequence[_Plan],
    sample: Sequence[Prompted],
    progress: Progress,
) -> RoadEntry:
    """Time the default road and every plan on a sample, and choose; without a sample, the first plan."""
    if not sample:
        return _entry(plans[0], (), None)
    progress.note(f"{checkpoint.label}: timing {len(plans) + 1} ways to encode on texts of the run")
    default, sample = _time_default(checkpoint, sample)
    cores = usable_cores()
    trials = [_trial(0, cores, EXACT, sample, default)]
    timed = []
    for plan in plans:
        crew = plan.crew(checkpoint, blueprint)
        try:
            timed.append(_time_crew(crew.start(), sample))
        finally:
            crew.close()
        trials.append(_trial(len(plan.devices), plan.threads, plan.dtype, sample, timed[-1]))
    best = _best(plans, timed, default)
    if best is None:
        return _entry(None, trials, None)
    return _entry(plans[best], trials, fidelity(default.vectors, timed[best].vectors))


def _time_default(checkpoint: Checkpoint, sample: Sequence[Prompted]) -> tuple[_Timed, list[Prompted]]:
    """Encode as by default, as many texts as fit the time; returns them longest first."""
    exact = in_dtype(checkpoint, EXACT)
    encoder = exact.encoder()
    began = time.perf_counter()
    for each in sample[:WARM_UP_TEXTS]:
        encoder.encode([each.text], each.prompt)
    pace = (time.perf_counter() - began) / min(WARM_UP_TEXTS, len(sample))
    count = int(np.clip(SAMPLE_SECONDS / pace, LEAST_SAMPLE, MOST_SAMPLE))
    kept = sorted(sample[:count], key=lambda each: (each.prompt, -len(each.text)))
    began = time.perf_counter()
    vectors = [encoder.encode(job.texts, job.prompt) for job in _jobs(kept, len(kept))]
    timed = _Timed(np.concatenate(vectors), time.perf_counter() - began)
    exact.release()
    return timed, kept


def _time_crew(crew: Team, sample: Sequence[Prompted]) -> _Timed:
    """Encode with workers that have started; every worker is warmed up first."""
    shortest = min(sample, key=lambda each: len(each.text))
    for _ in crew.stream([Job(shortest.prompt, [shortest.text])] * len(crew)):
        continue
    jobs = _jobs(sample, max(1, len(sample) // (2 * len(crew))))
    began = time.perf_counter()
    done = {job.keys[0]: vectors for job, vectors in crew.stream(jobs)}
    seconds = time.perf_counter() - began
    return _Timed(np.concatenate([done[job.keys[0]] for job in jobs]), seconds)


def _jobs(sample: Sequence[Prompted], size: int) -> list[Job]:
    """Split inputs into jobs of one prompt and at most so many texts, in order, keyed by their place."""
    jobs: list[Job] = []
    start = 0
    for stop in range(1, len(sample) + 1):
        full = stop - start == size or stop == len(sample)
        if full or sample[stop].prompt != sample[start].prompt:
            part = sample[start:stop]
            jobs.append(Job(part[0].prompt, [each.text for each in part], [str(start)]))
            start = stop
    return jobs


def _best(plans: Sequence[_Plan], timed: Sequence[_Timed], default: _Timed) -> int | None:
    """Choose the fastest; another format only if true and much faster; None if the default is fastest."""
    if len(plans) == 1:
        return 0
    chosen, seconds = None, default.seconds
    for place, plan in enumerate(plans):
        found = timed[place]
        changes = plan.dtype != (EXACT if chosen is None else plans[chosen].dtype)
        allowed = plan.dtype == EXACT or (fidelity(default.vectors, found.vectors).mean_cosine >= TRUE_ENOUGH)
        if allowed and found.seconds * (WORTH_IT if changes else 1.0) < seconds:
            chosen, seconds = place, found.seconds
    return chosen


def fidelity(default: Floats, fast: Floats) -> RoadFidelity:
    """Compare two roads' vectors of the same texts, float32 (texts, width) each."""
    left, right = (_unit(side.astype(np.float64)) for side in (default, fast))
    cosines = np.minimum(np.einsum("ij,ij->i", left, right), 1.0)
    upper = np.triu_indices(len(left), k=1)
    differences = np.abs(left @ left.T - right @ right.T)[upper]
    return RoadFidelity(
        texts=len(left),
        mean_cosine=float(cosines.mean()),
        min_cosine=float(cosines.min()),
        score_difference=float(differences.mean()) if len(differences) else 0.0,
    )


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Bring rows to unit length."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _trial(workers: int, threads: int, dtype: str, sample: Sequence[Prompted], timed: _Timed) -> Trial:
    """Write one timing down."""
    return Trial(
        workers=workers, threads=threads, dtype=dtype, texts_per_second=len(sample) / max(timed.seconds, 1e-9)
    )


def _entry(plan: _Plan | None, trials: Sequence[Trial], found: RoadFidelity | None) -> RoadEntry:
    """Write the choice down; no plan is the default road."""
    plan = plan or _Plan(EXACT, 0, (), 0, HERE)
    return RoadEntry(
        workers=len(plan.devices),
        threads=plan.threads,
        devices=tuple(device for device in plan.devices if device is not None),
        dtype=plan.dtype,
        tokens=plan.tokens,
        chosen="measured",
        trials=tuple(trials),
        fidelity=found,
    )


def _on(checkpoint: Checkpoint, blueprint: Blueprint, entry: RoadEntry, site: Site) -> Checkpoint:
    """Give a checkpoint the encoder of its road; workers start when something must be encoded."""
    if not entry.workers:
        return site.alone(checkpoint)
    changed = in_dtype(checkpoint, entry.dtype)
    devices = entry.devices or (blueprint.device,) * entry.workers
    plan = _Plan(entry.dtype, entry.threads, tuple(devices), entry.tokens, site)
    return dataclasses.replace(changed, load=lambda: plan.crew(changed, blueprint).start())


def _remembered(value: object) -> RoadEntry | None:
    """Read an entry of an earlier run; None if there is none, or another version wrote it."""
    try:
        return RoadEntry.model_validate(value).model_copy(update={"chosen": "remembered"})
    except ValidationError:
        return None


def _conditions(ask: RoadAsk, plans: Sequence[_Plan], site: Site) -> str:
    """Name what a measurement depends on: the question, the machine, the ways there are."""
    ways = [(plan.dtype, plan.threads, plan.devices, plan.tokens) for plan in plans]
    machine = [platform.node(), platform.machine(), *filter(None, [site.name])]
    return "road " + json.dumps([ask.workers, ask.auto_dtype, *machine, ways])
