"""A worker process: makes an encoder from a blueprint, then turns texts into vectors until told to stop.

It ends when the driver does: reading from or writing to a pipe whose other end is gone stops it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from evalsuite.core.errors import UserError
from evalsuite.embeddings.frames import receive, send

if TYPE_CHECKING:
    from evalsuite.models.encoder import Encoder


def main() -> None:
    """Serve one driver over stdin and stdout. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _serve(sys.stdin.buffer, answers)
    except (BrokenPipeError, KeyboardInterrupt):
        # The driver is gone, or the user stopped the whole group; there is nobody to tell.
        os._exit(1)


def _serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer every message until there are no more."""
    encoder: Encoder | None = None
    while (message := receive(questions)) is not None:
        head, _ = message
        try:
            if head["kind"] == "open":
                encoder = open_encoder(head)
                send(answers, {"kind": "ready", **described(encoder)})
            elif encoder is not None:
                _encode(encoder, head, answers)
        except (UserError, RuntimeError, ValueError, IndexError, TypeError, MemoryError) as error:
            known = isinstance(error, UserError)
            text = str(error) if known else f"{type(error).__name__}: {error}"
            send(answers, {"kind": "error", "message": text})


def open_encoder(head: Mapping[str, Any]) -> Encoder:
    """Make an encoder from what `make`, `blueprint` and `threads` of a head say."""
    if head["make"] == "fake":
        from evalsuite.models.fake import FakeBlueprint

        return FakeBlueprint(**head["blueprint"]).encoder()
    import torch

    from evalsuite.models.blueprint import Blueprint

    if head["threads"]:
        torch.set_num_threads(head["threads"])
    return Blueprint.from_dict(head["blueprint"]).encoder()


def described(encoder: Encoder) -> dict[str, Any]:
    """Say where the encoder runs and what became of its weights."""
    report = getattr(encoder, "weight_report", None)
    return {
        "device": str(getattr(encoder, "device", "unknown")),
        "weight_report": None if report is None else report.model_dump(mode="json"),
    }


def _encode(encoder: Encoder, head: Mapping[str, Any], answers: BinaryIO) -> None:
    """Encode the texts of one job, group by group, and tell of each group."""
    import numpy as np

    texts: Sequence[str] = head["texts"]
    vectors = []
    for start in range(0, len(texts), head["group"]):
        group = texts[start : start + head["group"]]
        vectors.append(np.asarray(encoder.encode(group, head["prompt"]), dtype="<f4"))
        send(answers, {"kind": "progress", "texts": len(group)})
    whole = np.concatenate(vectors)
    send(answers, {"kind": "done", "shape": list(whole.shape)}, whole.tobytes())


if __name__ == "__main__":
    main()
