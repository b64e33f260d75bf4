"""What runs inside a cluster's worker: it encodes, scans and passes over documents, and tells how far it is.

Everything that comes in or goes out is made of plain values: numbers, texts, lists, dictionaries and arrays.
A model is opened from its blueprint, never received.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evalsuite.cluster import wire
from evalsuite.core.errors import EncodingError, EvalsuiteError, StorageError
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.embeddings.worker import described, open_encoder
from evalsuite.sweep.sides import BLOCK

if TYPE_CHECKING:
    from evalsuite.models.encoder import Encoder
    from evalsuite.sweep.scan import Scanned
    from evalsuite.sweep.spaces import Fitted

Answer = Iterator[Any]
"""Messages, `{"kind": "progress", "items": n}` until `{"kind": "done"}`, after which the result follows; or
`{"kind": "error", "error": class, "message": text}`, after which nothing does."""

_MODEL_ERRORS = (RuntimeError, ValueError, IndexError, TypeError, MemoryError)


class ClusterWorker:
    """The actor.

    Args:
        threads: Threads it may use.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._blueprint: Mapping[str, Any] | None = None
        self._encoder: Encoder | None = None
        self._fitted: tuple[Sequence[Any], Fitted] | None = None

    def hello(self) -> int:
        """Return the process id."""
        return os.getpid()

    def open(self, blueprint: Mapping[str, Any]) -> Answer:
        """Open a model; the result says where it runs and what became of its weights."""
        try:
            encoder = self._open(blueprint)
        except (EvalsuiteError, OSError, *_MODEL_ERRORS) as error:
            yield _message(error)
            return
        yield {"kind": "done"}
        yield described(encoder)

    def forget(self) -> None:
        """Let go of the model."""
        self._encoder = self._blueprint = None

    def encode(
        self, blueprint: Mapping[str, Any], prompt: str, texts: Sequence[str], groups: Sequence[int]
    ) -> Answer:
        """Encode texts, in calls of so many each; the result is float32 (texts, width)."""
        vectors, start = [], 0
        try:
            encoder = self._open(blueprint)
            for count in groups:
                group = list(texts[start : start + count])
                vectors.append(np.asarray(encoder.encode(group, prompt), dtype=np.float32))
                start += count
                yield _progress(count)
            found = np.concatenate(vectors)
        except (EvalsuiteError, OSError, *_MODEL_ERRORS) as error:
            yield _message(error)
            return
        yield {"kind": "done"}
        yield found

    def scan(self, asked: wire.Plain, corpus: wire.Plain) -> Answer:
        """Scan a part of a corpus; the result is a `Scanned` as plain values."""
        import torch

        torch.set_num_threads(self._threads)
        try:
            scan = wire.to_scan(asked, corpus, self._fit(asked))
            found = yield from _steps(scan.steps())
        except (EvalsuiteError, OSError) as error:
            yield _message(error)
            return
        yield {"kind": "done"}
        yield wire.scanned_plain(found)

    def pass_over(self, asked: wire.Plain, corpus: wire.Plain) -> Answer:
        """Pass over a run of a task's documents; the result is a `DocumentPass` as plain values."""
        found = wire.to_plan(asked).begin(corpus["first"])
        try:
            for block in _blocks(wire.to_corpus(corpus)):
                found.feed(block)
                yield _progress(len(block))
        except (EvalsuiteError, OSError) as error:
            yield _message(error)
            return
        yield {"kind": "done"}
        yield wire.pass_plain(found)

    def _open(self, blueprint: Mapping[str, Any]) -> Encoder:
        """Return the encoder of a blueprint, and keep it until another is asked for."""
        if self._encoder is None or blueprint != self._blueprint:
            self.forget()
            self._encoder = open_encoder({**blueprint, "threads": self._threads})
            self._blueprint = blueprint
        return self._encoder

    def _fit(self, asked: wire.Plain) -> Fitted:
        """Return projections and quantizers, fitted once for all scans of one name."""
        if self._fitted is None or self._fitted[0] != asked["name"]:
            self._fitted = (asked["name"], wire.to_fitted(asked))
        return self._fitted[1]


def _steps(steps: Generator[int, None, Scanned]) -> Generator[dict[str, Any], None, Scanned]:
    """Turn steps into messages; returns what they return."""
    while True:
        try:
            items = next(steps)
        except StopIteration as end:
            found: Scanned = end.value
            return found
        yield _progress(items)


def _blocks(documents: StoredVectors) -> Iterator[Any]:
    """Read documents as a pass on one machine does, so that sums are rounded at the same rows."""
    return (documents.block(start, start + BLOCK) for start in range(0, len(documents), BLOCK))


def _progress(items: int) -> dict[str, Any]:
    return {"kind": "progress", "items": items}


def _message(error: Exception) -> dict[str, Any]:
    """Write an error down; one of the disk becomes one that says what a cluster needs."""
    if isinstance(error, OSError):
        name = StorageError.__name__
        text = (
            f"worker on {platform.node()}: {error}; models and the store (--cache-dir) must be on a folder "
            "that every node sees under the same path"
        )
    elif isinstance(error, EvalsuiteError):
        name, text = type(error).__name__, str(error)
    else:
        name, text = EncodingError.__name__, f"{type(error).__name__}: {error}"
    return {"kind": "error", "error": name, "message": text}
