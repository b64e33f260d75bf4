"""Loading a pipeline into memory, quietly and without trusting it."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.core.errors import CheckpointError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_MISSING = re.compile(r"^\s*(?P<name>[\w.{}, *-]+?)\s*\|\s*(?:\x1b\[[0-9;]*m)?MISSING", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNUSED = "pooler."
"""BERT's own pooler is never used by sentence-transformers, and many checkpoints leave it out."""


def load_pipeline(
    folder: Path, *, dtype: str, device: str | None, trust_remote_code: bool
) -> SentenceTransformer:
    """Load a model folder with sentence-transformers: safetensors only, nothing from the network.

    Args:
        folder: A folder that passed `check_safety`.
        dtype: Number format of all weights: "float32", "bfloat16" or "float16".
        device: Where to put the model; None lets sentence-transformers choose.
        trust_remote_code: Whether the checkpoint's own code may run.

    Raises:
        CheckpointError: If it cannot be loaded, or weights are missing and would be random.
    """
    import torch
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    number_format = getattr(torch, dtype)
    with quiet_libraries() as messages:
        try:
            model = SentenceTransformer(
                str(folder),
                device=device,
                local_files_only=True,
                trust_remote_code=trust_remote_code,
                model_kwargs={"dtype": number_format, "use_safetensors": True},
            )
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RuntimeError,
            AssertionError,
            ImportError,
            SafetensorError,
        ) as error:
            message = f"{folder}: cannot be loaded by sentence-transformers: {error}"
            raise CheckpointError(message) from error
    _check_complete(folder, messages)
    for module in model:
        # A transformer is in its dtype already, and keeps its rotary tables in float32 on purpose.
        if not hasattr(module, "auto_model"):
            module.to(number_format)
    return model.eval()


@contextlib.contextmanager
def quiet_libraries() -> Iterator[list[str]]:
    """Keep the loading bars and log lines of transformers and sentence-transformers off the terminal.

    Yields:
        A list that receives what the libraries logged as warnings.
    """
    from transformers.utils import logging as transformers_logging

    collector = _Collector()
    loggers = [logging.getLogger(name) for name in ("transformers", "sentence_transformers")]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    bars = transformers_logging.is_progress_bar_enabled()
    for logger in loggers:
        logger.handlers, logger.propagate = [collector], False
    transformers_logging.disable_progress_bar()
    try:
        yield collector.messages
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
        if bars:
            transformers_logging.enable_progress_bar()


class _Collector(logging.Handler):
    """Keeps what is logged instead of printing it."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.messages.append(record.getMessage())


def _check_complete(folder: Path, messages: list[str]) -> None:
    """Refuse a model some of whose weights were not in the file: transformers fills them with random numbers.

    Raises:
        CheckpointError: If transformers reported missing weights.
    """
    report = _COLOUR.sub("", "\n".join(messages))
    missing = [match["name"] for match in _MISSING.finditer(report) if not match["name"].startswith(_UNUSED)]
    if missing:
        message = (
            f"{folder}: weights are missing and would be random: {', '.join(missing[:3])}"
            f"{' and others' if len(missing) > 3 else ''}; copy or export the model again"
        )
        raise CheckpointError(message)
