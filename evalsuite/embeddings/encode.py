"""Encode every text once: unique texts, longest first, shard by shard, resuming after a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evalsuite.core.errors import EncodingError
from evalsuite.core.progress import Progress
from evalsuite.embeddings.drift import hold_to_probe
from evalsuite.embeddings.process import Job
from evalsuite.embeddings.site import Team
from evalsuite.embeddings.space import Floats, Space, text_key
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.encoder import Encoder

SHARD_TEXTS = 1024
SHARD_CHARACTERS = 256 * 1024
"""A shard closes at either bound: a kill costs at most one shard's work, and files stay few."""

GROUP_TEXTS = 256
GROUP_CHARACTERS = 64 * 1024
"""A call to the model is bounded by either: progress is told after each."""

BATCH = 32
"""Parts hold whole batches; this is assumed of an encoder that does not tell its `batch_size`."""

JOBS_A_WORKER = 8
LEAST_CHARACTERS = 16 * 1024
"""Workers share small work in about so many shards each, none smaller than this."""

CHARACTERS_PER_TOKEN = 4
OVERHEAD_CHARACTERS = 16
PREVIEW_CHARACTERS = 80


@dataclass(frozen=True)
class Prompted:
    """One input of the model.

    Attributes:
        prompt: What goes before the text; may be empty.
        text: The text, with a title already woven in.
    """

    prompt: str
    text: str


@dataclass(frozen=True)
class Encoded:
    """Vectors of some inputs, and what it took to get them.

    Attributes:
        vectors: One a given input, in the given order.
        unique: Distinct inputs.
        encoded: Distinct inputs that were encoded now; the others were in the store.
        seconds: Wall time, model loading included.
    """

    vectors: StoredVectors
    unique: int
    encoded: int
    seconds: float


def encode_once(
    checkpoint: Checkpoint, inputs: Sequence[Prompted], store: EmbeddingStore, progress: Progress
) -> Encoded:
    """Return the full-width vector of every input, encoding only those that the store lacks.

    Args:
        checkpoint: The model; it is loaded only if something must be encoded.
        inputs: Prompted texts; duplicates are encoded once.
        store: Where vectors are kept.
        progress: Told about texts and characters as they are encoded.

    Raises:
        EncodingError: If the model returns NaN, infinite or zero vectors, or the wrong shape; names the text.
        CheckpointError: If a served model is no longer the one whose vectors are stored.
        StorageError: If the store cannot be written to. Finished shards are kept.
    """
    began = time.perf_counter()
    space = store.space(checkpoint.fingerprint, checkpoint.label)
    hold_to_probe(checkpoint, space, progress)
    by_key = {text_key(each.prompt, each.text): each for each in inputs}
    space.refresh()
    missing = space.missing(list(by_key))
    if missing:
        with space.locked(progress):
            space.refresh()
            missing = space.missing(list(by_key))
            _encode_missing(checkpoint, {key: by_key[key] for key in missing}, space, progress)
    keys = [text_key(each.prompt, each.text) for each in inputs]
    return Encoded(space.vectors(keys), len(by_key), len(missing), time.perf_counter() - began)


def _encode_missing(
    checkpoint: Checkpoint, missing: dict[str, Prompted], space: Space, progress: Progress
) -> None:
    """Encode and commit shard after shard."""
    if not missing:
        return
    costs = {key: _cost(each.text, checkpoint) for key, each in missing.items()}
    progress.start(f"encoding with {checkpoint.label}", len(missing), sum(costs.values()))
    try:
        encoder = checkpoint.encoder()
        if isinstance(encoder, Team):
            _encode_together(checkpoint, encoder, missing, space, _Told(progress, costs))
            return
        batch = int(getattr(encoder, "batch_size", BATCH))
        for keys in _parts(missing, SHARD_TEXTS, SHARD_CHARACTERS, batch):
            vectors = []
            for group in _parts({key: missing[key] for key in keys}, GROUP_TEXTS, GROUP_CHARACTERS, batch):
                vectors.append(_run(encoder, [missing[key] for key in group], checkpoint))
                progress.advance(len(group), sum(costs[key] for key in group))
            space.add(keys, np.concatenate(vectors))
    finally:
        progress.finish()


@dataclass(frozen=True)
class _Told:
    """Progress of jobs, counted in texts and their costs.

    Attributes:
        progress: Who is told.
        costs: Cost of each text by key.
    """

    progress: Progress
    costs: dict[str, float]

    def __call__(self, job: Job, start: int, stop: int) -> None:
        """Tell of texts done, or of texts that are not done after all if `stop` is below `start`."""
        low, high = sorted((start, stop))
        work = sum(self.costs[key] for key in job.keys[low:high])
        self.progress.advance(stop - start, work if stop >= start else -work)


def _encode_together(
    checkpoint: Checkpoint, crew: Team, missing: dict[str, Prompted], space: Space, told: _Told
) -> None:
    """Let a team encode shards, and commit each as it comes in.

    Raises:
        EncodingError: If a model fails; the other workers' shards in flight are committed first.
    """

    def check(job: Job, vectors: Floats) -> None:
        check_vectors(vectors, job.texts, checkpoint)

    for job, vectors in crew.stream(_jobs(crew, missing), told, check):
        space.add(job.keys, vectors)


def _jobs(crew: Team, missing: dict[str, Prompted]) -> Iterator[Job]:
    """Split inputs into shards: those of one process where its batches are kept.

    Else they are small enough that all workers have some until near the end.
    """
    enough_texts, enough_characters = SHARD_TEXTS, SHARD_CHARACTERS
    if not crew.batch:
        share = JOBS_A_WORKER * len(crew)
        characters = sum(len(each.text) for each in missing.values())
        enough_texts = min(SHARD_TEXTS, max(BATCH, len(missing) // share))
        enough_characters = min(SHARD_CHARACTERS, max(LEAST_CHARACTERS, characters // share))
    for keys in _parts(missing, enough_texts, enough_characters, max(1, crew.batch)):
        own = {key: missing[key] for key in keys}
        groups = _parts(own, GROUP_TEXTS, GROUP_CHARACTERS, crew.batch) if crew.batch else ()
        texts = [each.text for each in own.values()]
        yield Job(missing[keys[0]].prompt, texts, keys, [len(group) for group in groups])


def _parts(
    inputs: dict[str, Prompted], enough_texts: int, enough_characters: int, batch: int
) -> Iterator[list[str]]:
    """Split inputs into parts of one prompt and whole batches each, longest texts first.

    A part is closed at the first whole batch that brings it to enough texts or characters.

    The split depends only on the set of inputs, and parts are done in order, so a resumed run sees the very
    shards the killed run would have come to. Splitting a part again keeps its order.
    """
    order = sorted(inputs, key=lambda key: (inputs[key].prompt, -len(inputs[key].text), key))
    part: list[str] = []
    characters = 0
    for key in order:
        full = len(part) >= enough_texts or characters >= enough_characters
        if part and ((full and len(part) % batch == 0) or inputs[key].prompt != inputs[part[0]].prompt):
            yield part
            part, characters = [], 0
        part.append(key)
        characters += len(inputs[key].text)
    yield part


def _cost(text: str, checkpoint: Checkpoint) -> float:
    """Estimate the time a text takes, in characters; what the model cuts off costs nothing."""
    longest = CHARACTERS_PER_TOKEN * (checkpoint.max_seq_length or len(text))
    return float(OVERHEAD_CHARACTERS + min(len(text), longest))


def _run(encoder: Encoder, inputs: Sequence[Prompted], checkpoint: Checkpoint) -> Floats:
    """Encode inputs that share a prompt; what the model raises becomes an error that names it.

    Raises:
        EncodingError: If the model raises, or returns vectors that cannot be scored.
    """
    texts = [each.text for each in inputs]
    try:
        vectors = encoder.encode(texts, inputs[0].prompt)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        message = f"{checkpoint.label} failed while encoding: {type(error).__name__}: {error}"
        raise EncodingError(message) from error
    check_vectors(vectors, texts, checkpoint)
    return vectors


def check_vectors(vectors: Floats, texts: Sequence[str], checkpoint: Checkpoint) -> None:
    """Make sure that vectors can be scored.

    Raises:
        EncodingError: If the shape is wrong, or a vector holds NaN or infinity or is all zeros.
    """
    label, shape = checkpoint.label, (len(texts), checkpoint.dim)
    if vectors.shape != shape:
        message = (
            f"{label} returned vectors of shape {vectors.shape} for {shape[0]} texts of width {shape[1]}"
        )
        raise EncodingError(message)
    with np.errstate(invalid="ignore", over="ignore"):
        norms = np.abs(vectors).max(axis=1)
    bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0.0))
    if len(bad):
        kind = "an all-zero vector" if norms[bad[0]] == 0.0 else "NaN or infinity"
        preview = texts[bad[0]][:PREVIEW_CHARACTERS]
        message = (
            f"{label} returned {kind} for {len(bad)} of {len(texts)} texts, the first being {preview!r}; "
            + (
                "look at that text and the weights"
                if checkpoint.dtype == "float32"
                else "try --dtype float32"
            )
        )
        raise EncodingError(message)
