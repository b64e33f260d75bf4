"""Models that mteb loads: its registry's code behind evalsuite's seam, known by name and not by content."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import CheckpointError, UsageError
from evalsuite.models.mteb_tasks import prompt_type, task_metadata
from evalsuite.models.prompts import PromptBook, Role
from evalsuite.models.registry import mteb_version, registered, unknown_model

MTEB_SCHEME = "mteb:"
"""What a source starts with that mteb is to load."""

TITLE_END = "\x1f"
"""Ends the title of a document handed to mteb's code, which puts title and text together in its own way."""

_ADDRESS_END = "\n"
_UNKNOWN_DTYPE = "as mteb loads it"


@dataclass(frozen=True)
class MtebPrompts:
    """Leaves the choice to mteb: the prompt only says which side of which task a text belongs to."""

    def render(self, role: Role, task_type: str, task_name: str, text: str, title: str) -> tuple[str, str]:
        """Return an address that `MtebEncoder` reads, and the text with its title set apart."""
        address = json.dumps([role, task_type, task_name], ensure_ascii=False) + _ADDRESS_END
        return address, f"{title}{TITLE_END}{text}" if role == "document" else text


@dataclass(frozen=True)
class MtebModel:
    """A model of mteb's registry, not loaded yet.

    Attributes:
        meta: mteb's `ModelMeta`.
    """

    meta: Any

    @classmethod
    def find(cls, source: str, revision: str | None, *, trust_remote_code: bool) -> MtebModel:
        """Look a model up in mteb's registry.

        Args:
            source: `mteb:ORG/NAME` or `mteb:ORG/NAME@REVISION`.
            revision: The revision again, for those who give it apart.
            trust_remote_code: Whether code that comes with the checkpoint may run.

        Raises:
            UsageError: If mteb is missing, or does not have the model at this revision.
            CheckpointError: If it is no dense text model, or needs code of the checkpoint's own.
        """
        name, _, given = source.removeprefix(MTEB_SCHEME).partition("@")
        mteb_version()
        meta = registered(name)
        if meta is None:
            raise UsageError(unknown_model(f"{source}: asks for {name!r}", name))
        asked = given or revision
        if asked and asked != meta.revision:
            message = (
                f"{source}: mteb has {name} at revision {meta.revision}, not {asked}; leave the revision out"
            )
            raise UsageError(message)
        if "dense" not in meta.model_type or "text" not in meta.modalities or meta.loader is None:
            kind = ", ".join(meta.model_type) if meta.loader is not None else "a model without code"
            message = f"{source}: is {kind} in mteb; evalsuite judges dense text models"
            raise CheckpointError(message)
        if meta.loader_kwargs.get("trust_remote_code") and not trust_remote_code:
            message = (
                f"{source}: mteb loads it with code that comes with the checkpoint; read that code, and if "
                "you trust it, pass --trust-remote-code (in Python: trust_remote_code=True)"
            )
            raise CheckpointError(message)
        return cls(meta)

    @property
    def name(self) -> str:
        """Name in the registry."""
        return str(self.meta.name)

    @property
    def revision(self) -> str | None:
        """Revision the registry pins."""
        return self.meta.revision and str(self.meta.revision)

    @property
    def fingerprint(self) -> str:
        """sha256 over name, revision, loader settings and mteb's version: no file is looked at."""
        settings = json.dumps(self.meta.loader_kwargs, sort_keys=True, default=_by_name)
        parts = ["mteb", self.name, self.revision, settings, mteb_version()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def dtype(self) -> str:
        """Number format the registry asks for; a note that it is unknown where it asks for none."""
        asked = self.meta.loader_kwargs.get("model_kwargs") or {}
        dtype = asked.get("dtype") or asked.get("torch_dtype")
        return str(getattr(dtype, "value", dtype)).removeprefix("torch.") if dtype else _UNKNOWN_DTYPE

    @property
    def dim(self) -> int | None:
        """Full width by the registry; None if it does not say."""
        return max(self._dims, default=None)

    @property
    def matryoshka_dims(self) -> tuple[int, ...]:
        """Declared dimensions, descending; empty if the registry names one width only."""
        return tuple(sorted(self._dims, reverse=True)) if len(self._dims) > 1 else ()

    @property
    def _dims(self) -> list[int]:
        width = self.meta.embed_dim
        return [] if width is None else [width] if isinstance(width, int) else [int(each) for each in width]

    @property
    def max_seq_length(self) -> int | None:
        """Longest input in tokens by the registry; None if it does not say or there is no limit."""
        limit = self.meta.max_tokens
        return None if limit is None or not np.isfinite(limit) else int(limit)

    @property
    def prompts(self) -> PromptBook:
        """A book that leaves every choice to mteb."""
        return PromptBook({}, f"mteb's loader: {self.name}, mteb {mteb_version()}", None, MtebPrompts())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not checked about such a model."""
        return (
            f"loaded by the code of mteb {mteb_version()}: known by name and revision, its files are neither "
            "hashed nor checked",
        )

    def load(self, device: str | None, batch_size: int) -> MtebEncoder:
        """Load the model with mteb's code.

        Raises:
            CheckpointError: If mteb cannot load it, or it does not encode texts.
        """
        try:
            model = self.meta.load_model(device=device)
        except (ImportError, OSError, ValueError, TypeError, RuntimeError, NotImplementedError) as error:
            message = f"{MTEB_SCHEME}{self.name}: mteb cannot load it: {error}"
            raise CheckpointError(message) from error
        if not hasattr(model, "encode"):
            message = f"{MTEB_SCHEME}{self.name}: {type(model).__name__} does not encode texts"
            raise CheckpointError(message)
        return MtebEncoder(model, batch_size=batch_size)


class MtebEncoder:
    """A model of mteb behind the seam; see `evalsuite.models.encoder.Encoder`.

    Args:
        model: Anything with the `encode` of mteb's `EncoderProtocol`.
        batch_size: Texts per forward pass.
    """

    def __init__(self, model: Any, *, batch_size: int) -> None:
        self.model = model
        self.batch_size = batch_size

    def encode(self, texts: Sequence[str], prompt: str) -> npt.NDArray[np.float32]:
        """Encode texts of one side of one task.

        Args:
            texts: Texts as `MtebPrompts` renders them.
            prompt: The address it renders; empty text stands for a comparison of no particular task.

        Returns:
            float32 array (len(texts), full width), row i for text i.
        """
        from mteb._create_dataloaders import create_dataloader

        address: tuple[Role, str, str] = json.loads(prompt) if prompt else ("symmetric", "STS", "")
        metadata, side = task_metadata(*address), prompt_type(address[0])
        with _no_bars():
            loader = create_dataloader(
                _dataset(texts, address[0]),
                task_metadata=metadata,
                prompt_type=side,
                input_column=None if side else "text",
                batch_size=self.batch_size,
            )
        vectors = self.model.encode(
            loader,
            task_metadata=metadata,
            hf_split="test",
            hf_subset="default",
            prompt_type=side,
            batch_size=self.batch_size,
            show_progress_bar=False,
        )
        return _as_array(vectors)


def _dataset(texts: Sequence[str], role: Role) -> Any:
    """Lay texts out as mteb's datasets are; documents have their titles apart, if any has one."""
    from datasets import Dataset

    if role != "document":
        return Dataset.from_dict({"text": list(texts)})
    titles, _, bodies = zip(*(text.partition(TITLE_END) for text in texts), strict=True)
    columns = {"id": [str(row) for row in range(len(texts))], "text": list(bodies)}
    if any(titles):
        columns["title"] = list(titles)
    return Dataset.from_dict(columns)


@contextlib.contextmanager
def _no_bars() -> Iterator[None]:
    """Keep the progress bars of datasets off the terminal."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            enable_progress_bars()


def _as_array(vectors: Any) -> npt.NDArray[np.float32]:
    """Take vectors off the device, whatever library they are in."""
    if hasattr(vectors, "detach"):
        vectors = vectors.detach().cpu().float().numpy()
    return np.asarray(vectors, dtype=np.float32)


def _by_name(value: Any) -> str:
    """Write a setting that is no JSON so that it reads the same in every process."""
    return str(getattr(value, "__qualname__", value))
