"""Opening: a folder, hub id, loaded pipeline, name of mteb's or server's address becomes a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.core.errors import CheckpointError, UsageError, known_names
from evalsuite.models.blueprint import Blueprint
from evalsuite.models.devices import check_device, same_device
from evalsuite.models.encoder import Encoder, SentenceTransformerEncoder
from evalsuite.models.fingerprint import folder_fingerprint, module_fingerprint
from evalsuite.models.folder import (
    ModelFolder,
    declared_in_config,
    is_embeddinggemma_shape,
    read_model_folder,
)
from evalsuite.models.gemma import EMBEDDINGGEMMA_DIMS, is_gemma, is_gemma_encoder
from evalsuite.models.hub import Found, find_model, folder_label
from evalsuite.models.mteb_model import MTEB_SCHEME, MtebModel
from evalsuite.models.once import Once
from evalsuite.models.prompts import PromptBook
from evalsuite.models.registry import AUTO, choose_prompts
from evalsuite.models.safety import check_safety
from evalsuite.models.served.address import SERVED_SCHEME

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

from evalsuite.models.checkpoint import DTYPES, Checkpoint


@dataclass(frozen=True)
class _Options:
    """How a model is to be loaded."""

    dtype: str
    device: str | None
    trust_remote_code: bool
    batch_size: int
    prompts: str


def open_checkpoint(
    model: str | os.PathLike[str] | SentenceTransformer | Checkpoint,
    *,
    revision: str | None = None,
    dtype: str = "float32",
    device: str | None = None,
    trust_remote_code: bool = False,
    batch_size: int = 32,
    prompts: str = AUTO,
) -> Checkpoint:
    """Open a model: read its files, check that they are safe, and fingerprint them. Nothing is loaded yet.

    Args:
        model: A folder, a hub id `ORG/NAME`, `all-MiniLM-L6-v2` (needs the extra `demo`), `mteb:ORG/NAME` or
            `mteb:ORG/NAME@REVISION` (loaded by mteb's own code), `openai:MODEL@URL` (a server is asked), a
            loaded pipeline (taken as it is: another dtype or device asked for is a warning), or a checkpoint,
            returned unchanged.
        revision: Branch, tag or commit of a hub model; the commit it resolves to is recorded.
        dtype: Number format to run in, one of `DTYPES`.
        device: Device to run on, such as `cpu` or `cuda:0`; None lets sentence-transformers choose.
        trust_remote_code: Run code that comes with the checkpoint. Only for code you have read.
        batch_size: Texts per forward pass.
        prompts: `auto` takes the prompts of mteb's registry for a hub id it has, else the checkpoint's own;
            `own` always takes these; a name of the registry, such as `google/embeddinggemma-300m`, takes its
            prompts, for a fine-tune of that model.

    Raises:
        UsageError: If the dtype, device, batch size or prompts are not possible, a folder is given a
            revision, or `model` is something else.
        CheckpointError: If the model cannot be found, is malformed or unsafe, or cannot run in this dtype.
    """
    if isinstance(model, Checkpoint):
        return model
    if dtype not in DTYPES:
        message = f"unknown dtype {dtype!r}; known dtypes: {known_names(DTYPES)}"
        raise UsageError(message)
    if batch_size < 1:
        message = f"batch size is {batch_size}; it must be at least 1"
        raise UsageError(message)
    if device is not None:
        check_device(device)
    options = _Options(dtype, device, trust_remote_code, batch_size, prompts)
    if isinstance(model, str | os.PathLike):
        source = os.fspath(model)
        if source.startswith(MTEB_SCHEME):
            return _open_mteb(source, revision, options)
        if source.startswith(SERVED_SCHEME):
            from evalsuite.models.served.open import open_served

            return open_served(
                source, revision=revision, dtype=dtype, device=device, batch_size=batch_size, prompts=prompts
            )
        return _open_folder(source, find_model(source, revision=revision), options)
    if not hasattr(model, "truncate_embeddings"):
        message = f"{type(model).__name__} is not a model; give a folder, a hub id or a SentenceTransformer"
        raise UsageError(message)
    return _open_loaded(model, options)


def _open_folder(source: str, found: Found, options: _Options) -> Checkpoint:
    """Open a folder from its files alone, unless only the loaded model knows its own width."""
    layout = read_model_folder(found.folder)
    check_safety(layout, trust_remote_code=options.trust_remote_code)
    _check_dtype(source, options.dtype, layout.backbone)
    settings = found.folder / "config_sentence_transformers.json"
    own = PromptBook.from_config(
        layout.settings, gemma_encoder=is_gemma_encoder(layout.backbone), where=str(settings)
    )
    book, notes = choose_prompts(options.prompts, found.hub_id, own)
    limit = layout.max_seq_length()
    blueprint = Blueprint(
        found.folder,
        options.dtype,
        options.device,
        options.trust_remote_code,
        options.batch_size,
        layout.dim(),
    )
    load = Once(blueprint.encoder)
    dim = layout.dim() or _loaded_dim(load())
    dims, warnings = _matryoshka_dims(layout.declared_dims(), dim)
    return Checkpoint(
        label=found.label,
        source=source,
        fingerprint=folder_fingerprint(layout, prompts=book, max_seq_length=limit, dtype=options.dtype),
        dtype=options.dtype,
        dim=dim,
        prompts=book,
        load=load,
        revision=found.revision,
        matryoshka_dims=dims,
        max_seq_length=limit,
        device=options.device,
        folder=found.folder,
        blueprint=blueprint,
        warnings=(*_layout_warnings(layout), *warnings, *notes),
    )


def _open_loaded(model: SentenceTransformer, options: _Options) -> Checkpoint:
    """Open a pipeline that is in memory, as it is: its dtype and device are its own."""
    backbone = _loaded_config(model)
    name = _loaded_name(model, backbone)
    dtype = _loaded_dtype(model, name)
    _check_dtype(name, dtype, backbone)
    with model.truncate_embeddings(None):
        dim = model.get_embedding_dimension()
    if dim is None:
        message = f"{name}: the loaded model does not tell its output width; save it and give the folder"
        raise CheckpointError(message)
    declared = declared_in_config(backbone)
    if not declared and is_embeddinggemma_shape(backbone, dim):
        declared = list(EMBEDDINGGEMMA_DIMS)
    dims, warnings = _matryoshka_dims(declared, dim)
    settings = {"prompts": model.prompts, "default_prompt_name": model.default_prompt_name}
    own = PromptBook.from_config(settings, gemma_encoder=is_gemma_encoder(backbone), where=name)
    book, notes = choose_prompts(options.prompts, "", own)
    limit = model.max_seq_length
    return Checkpoint(
        label=name,
        source=f"in memory: {name}",
        fingerprint=module_fingerprint(model, prompts=book, max_seq_length=limit, dtype=dtype),
        dtype=dtype,
        dim=dim,
        prompts=book,
        load=lambda: SentenceTransformerEncoder(model, batch_size=options.batch_size, dim=dim),
        matryoshka_dims=dims,
        max_seq_length=limit,
        device=str(model.device),
        warnings=(*_not_applied(options, dtype, str(model.device)), *warnings, *notes),
    )


def _open_mteb(source: str, revision: str | None, options: _Options) -> Checkpoint:
    """Open a model that mteb loads; it is loaded now only if nothing else tells its width.

    Raises:
        UsageError: If prompts or a dtype are asked for, which are mteb's to choose.
    """
    if options.prompts != AUTO or options.dtype != DTYPES[0]:
        message = f"{source}: mteb chooses prompts and dtype of the models it loads; leave both options out"
        raise UsageError(message)
    model = MtebModel.find(source, revision, trust_remote_code=options.trust_remote_code)
    load = Once(lambda: model.load(options.device, options.batch_size))
    return Checkpoint(
        label=model.name,
        source=source,
        fingerprint=model.fingerprint,
        dtype=model.dtype,
        dim=model.dim or _loaded_dim(load()),
        prompts=model.prompts,
        load=load,
        revision=model.revision,
        matryoshka_dims=model.matryoshka_dims,
        max_seq_length=model.max_seq_length,
        device=options.device,
        warnings=model.warnings,
    )


def _loaded_dim(encoder: Encoder) -> int:
    """Return the width of what an encoder puts out, by encoding one word."""
    return int(encoder.encode(["width"], "").shape[1])


def _check_dtype(name: str, dtype: str, backbone: Mapping[str, Any]) -> None:
    """Refuse float16 for Gemma encoders.

    Raises:
        CheckpointError: If the backbone is a Gemma and the dtype float16.
    """
    if dtype == "float16" and is_gemma(backbone):
        message = (
            f"{name}: float16 overflows in Gemma encoders (activations exceed 65504, vectors become NaN or "
            "wrong); use bfloat16 or float32"
        )
        raise CheckpointError(message)


def _matryoshka_dims(declared: Sequence[int], dim: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Order declared dims and drop impossible ones; returns the dims with the full width, and warnings."""
    if not declared:
        return (), ()
    too_wide = sorted({width for width in declared if width > dim})
    warnings = tuple(
        f"declared Matryoshka dimension {width} exceeds the model's width {dim}; ignored"
        for width in too_wide
    )
    return tuple(sorted({dim, *(width for width in declared if width <= dim)}, reverse=True)), warnings


def _layout_warnings(layout: ModelFolder) -> tuple[str, ...]:
    """Say what sentence-transformers will add to a folder that is not its own."""
    if not layout.plain:
        return ()
    return ("no modules.json: sentence-transformers adds mean pooling, and vectors are not normalised",)


def _not_applied(options: _Options, dtype: str, device: str) -> Iterator[str]:
    """Say what was asked for that a loaded model, taken as it is, does not follow."""
    if options.dtype != dtype:
        yield f"the loaded model runs in {dtype}; dtype {options.dtype} is not applied"
    if options.device is not None and not same_device(options.device, device):
        yield f"the loaded model is on {device}; device {options.device} is not applied"


def _loaded_dtype(model: SentenceTransformer, name: str) -> str:
    """Return the number format of a loaded pipeline.

    Raises:
        CheckpointError: If it is none of `DTYPES`, or there are no weights.
    """
    first = next(model.parameters(), None)
    if first is None:
        message = (
            f"{name}: the loaded model has no weights, so nothing would tell it from another; register what "
            "its vectors are made of as torch parameters"
        )
        raise CheckpointError(message)
    dtype = str(first.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        message = f"{name}: the loaded model is {dtype}; convert it to one of {known_names(DTYPES)}"
        raise CheckpointError(message)
    return dtype


def _loaded_config(model: SentenceTransformer) -> dict[str, Any]:
    """Return the configuration of a loaded pipeline's backbone; empty if it has none."""
    config: Any = getattr(model[0], "config", None)
    return dict(config.to_dict()) if hasattr(config, "to_dict") else {}


def _loaded_name(model: SentenceTransformer, backbone: Mapping[str, Any]) -> str:
    """Name a loaded pipeline after what it was loaded from, or after its class."""
    origin = getattr(getattr(model[0], "config", None), "_name_or_path", "") or backbone.get("_name_or_path")
    if not origin:
        return type(model).__name__
    folder = Path(str(origin))
    return folder_label(folder) if folder.is_dir() else str(origin)
