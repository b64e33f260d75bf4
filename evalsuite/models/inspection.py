"""Inspection: what a pipeline consists of, and where it is not what it claims to be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.core.errors import UsageError
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.encoder import SentenceTransformerEncoder
from evalsuite.models.folder import pooling_modes, read_model_folder
from evalsuite.models.gemma import is_embeddinggemma_2, is_gemma_encoder, model_type, text_config
from evalsuite.models.probes import (
    UNIT_TOLERANCE,
    AttentionWindow,
    attends_both_ways,
    attention_window,
    backbone_of,
    config_of,
    dense_layers,
    head_rank,
    needs_both_ways,
    unlisted_dense_folders,
    vector_lengths,
)

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class ModuleReport:
    """One module of a pipeline.

    Attributes:
        index: Position, from 0.
        name: Class name.
        input: What goes in: `text`, `tokens x WIDTH` or a width.
        output: What comes out, written alike.
        parameters: Number of weights.
        bytes: Their size in memory.
        detail: What else decides the result, such as the pooling mode or the activation.
    """

    index: int
    name: str
    input: str
    output: str
    parameters: int
    bytes: int
    detail: str


@dataclass(frozen=True)
class Inspection:
    """What `evalsuite inspect` shows.

    Attributes:
        label: The checkpoint's short name.
        source: What the user gave.
        revision: Commit hash of a hub model.
        fingerprint: The checkpoint's content fingerprint.
        dtype: Number format it runs in.
        device: Device it was loaded on.
        dim: Width of the full vectors.
        matryoshka_dims: Declared Matryoshka dimensions; empty if none are.
        max_seq_length: Longest input in tokens; None if unlimited.
        modules: The pipeline, first module first.
        parameters: Weights in all.
        bytes: Their size in memory.
        prompts: Prompt texts by name.
        prompts_origin: Where the prompts come from.
        bidirectional: Whether the probe found attention in both directions; None if it could not be put.
        window: The sliding attention window; None if every layer attends fully.
        head_rank: Rank of the linear head; None if there is no such head.
        warnings: Where the pipeline is not what it claims, one sentence each.
    """

    label: str
    source: str
    revision: str | None
    fingerprint: str
    dtype: str
    device: str
    dim: int
    matryoshka_dims: tuple[int, ...]
    max_seq_length: int | None
    modules: tuple[ModuleReport, ...]
    parameters: int
    bytes: int
    prompts: Mapping[str, str]
    prompts_origin: str
    bidirectional: bool | None
    window: AttentionWindow | None
    head_rank: int | None
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the inspection as JSON-ready values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class _Findings:
    """What the probes found."""

    bidirectional: bool | None
    window: AttentionWindow | None
    rank: tuple[int, int] | None
    lengths: tuple[float, float]
    unlisted: list[str]


def inspect_checkpoint(checkpoint: Checkpoint) -> Inspection:
    """Load a checkpoint, take stock of its pipeline and probe it.

    Raises:
        UsageError: If it is not a sentence-transformers pipeline (a fake, say).
        CheckpointError: If it cannot be loaded.
    """
    encoder = checkpoint.encoder()
    if not isinstance(encoder, SentenceTransformerEncoder):
        message = (
            f"{checkpoint.label}: is a {type(encoder).__name__}, not a pipeline; there is nothing to inspect"
        )
        raise UsageError(message)
    model = encoder.model
    findings = _probe(checkpoint, encoder)
    modules = tuple(_report_modules(model))
    return Inspection(
        label=checkpoint.label,
        source=checkpoint.source,
        revision=checkpoint.revision,
        fingerprint=checkpoint.fingerprint,
        dtype=checkpoint.dtype,
        device=encoder.device,
        dim=checkpoint.dim,
        matryoshka_dims=checkpoint.matryoshka_dims,
        max_seq_length=checkpoint.max_seq_length,
        modules=modules,
        parameters=sum(module.parameters for module in modules),
        bytes=sum(module.bytes for module in modules),
        prompts=dict(checkpoint.prompts.prompts),
        prompts_origin=checkpoint.prompts.origin,
        bidirectional=findings.bidirectional,
        window=findings.window,
        head_rank=findings.rank[0] if findings.rank else None,
        warnings=(
            *checkpoint.warnings,
            *_attention_warnings(model, findings),
            *_head_warnings(model, findings),
            *_length_warnings(model, findings.lengths),
        ),
    )


def _probe(checkpoint: Checkpoint, encoder: SentenceTransformerEncoder) -> _Findings:
    """Put every question to the loaded pipeline."""
    model = encoder.model
    backbone_folder: Path | None = None
    unlisted: list[str] = []
    if checkpoint.folder is not None:
        layout = read_model_folder(checkpoint.folder)
        folders = [module.folder for module in layout.modules]
        backbone_folder = folders[0]
        unlisted = unlisted_dense_folders(checkpoint.folder, folders)
    return _Findings(
        bidirectional=attends_both_ways(model),
        window=attention_window(model, backbone_folder),
        rank=head_rank(model),
        lengths=vector_lengths(encoder),
        unlisted=unlisted,
    )


def _report_modules(model: SentenceTransformer) -> Iterator[ModuleReport]:
    """Describe the modules in order, following the width of what flows through them."""
    flow = "text"
    for index, module in enumerate(model):
        config = _config_of_module(module)
        output = _output_shape(module, config, flow)
        weights = list(module.parameters())
        yield ModuleReport(
            index=index,
            name=type(module).__name__,
            input=flow,
            output=output,
            parameters=sum(weight.numel() for weight in weights),
            bytes=sum(weight.numel() * weight.element_size() for weight in weights),
            detail=_detail(module, config),
        )
        flow = output


def _config_of_module(module: Any) -> dict[str, Any]:
    """Return a module's own configuration; empty if its class keeps none."""
    return dict(module.get_config_dict()) if hasattr(module, "get_config_dict") else {}


def _output_shape(module: Any, config: Mapping[str, Any], flow: str) -> str:
    """Return what a module puts out, given what goes in."""
    if hasattr(module, "auto_model"):
        text = text_config(module.auto_model.config.to_dict())
        return f"tokens x {text.get('embedding_dim', text.get('hidden_size'))}"
    if "in_features" in config:
        return str(config["out_features"])
    if hasattr(module, "get_embedding_dimension"):
        return str(module.get_embedding_dimension())
    if "pooling_mode" in config:
        return str(config["embedding_dimension"] * len(pooling_modes(config)))
    return flow


def _detail(module: Any, config: Mapping[str, Any]) -> str:
    """Say in a few words what else decides a module's result."""
    if hasattr(module, "auto_model"):
        backbone = module.auto_model.config
        layers = text_config(backbone.to_dict()).get("num_hidden_layers")
        return f"{type(module.auto_model).__name__}, {layers} layers"
    if "pooling_mode" in config:
        prompt = "prompt included" if config.get("include_prompt", True) else "prompt left out"
        return f"{' + '.join(pooling_modes(config))}, {prompt}"
    if "in_features" in config:
        bias = "bias" if config.get("bias") else "no bias"
        residual = ", residual" if config.get("use_residual") else ""
        return f"{_activation(module)}, {bias}{residual}"
    return "L2" if type(module).__name__ == "Normalize" else ""


def _activation(dense: Any) -> str:
    return type(dense.activation_function).__name__


def _attention_warnings(model: SentenceTransformer, findings: _Findings) -> Iterator[str]:
    """Warn of attention that looks only back, and of a window that was halved when the model was saved."""
    pooling = [mode for module in model for mode in _pooling_of(module)]
    if findings.bidirectional is False and needs_both_ways(model, pooling):
        yield (
            "attention is causal: changing the last token does not change the first token's state; a "
            "mean-pooled Gemma encoder must attend in both directions (`use_bidirectional_attention: true` "
            "in config.json)"
        )
    window = findings.window
    gemma_1 = is_gemma_encoder(config_of(model)) and not is_embeddinggemma_2(config_of(model))
    if gemma_1 and window is not None and window.stored is not None and window.stored % 2:
        yield (
            f"config.json stores the odd sliding window {window.stored}, which an older transformers wrote "
            "after halving it; it is halved again on loading, so sliding layers see "
            f"{window.tokens_each_side} tokens each side instead of {window.stored - 1}: set "
            f"`sliding_window` to {(window.stored - 1) * 2}"
        )


def _head_warnings(model: SentenceTransformer, findings: _Findings) -> Iterator[str]:
    """Warn of a head that is not linear, not there, or of lower rank than its output is wide."""
    dense = dense_layers(model)
    for index, module in enumerate(model):
        if module in dense and _activation(module) != "Identity":
            yield (
                f"module {index} (Dense) applies {_activation(module)}; EmbeddingGemma's Dense layers are "
                "linear, and sentence-transformers falls back to Tanh when a configuration names no "
                "activation or an untrusted one"
            )
    if model_type(config_of(model)) == "gemma3_text" and not dense:
        yield "no Dense layers: EmbeddingGemma has two behind the pooling; vectors are raw pooled states"
    if findings.unlisted:
        yield (
            "Dense folders not listed in modules.json and therefore never applied: "
            f"{', '.join(findings.unlisted)}"
        )
    if findings.rank is not None and findings.rank[0] < findings.rank[1]:
        rank, width = findings.rank
        by_design = " (by design in EmbeddingGemma 2)" if is_embeddinggemma_2(config_of(model)) else ""
        yield f"the linear head has rank {rank} for {width} output dimensions{by_design}"


def _length_warnings(model: SentenceTransformer, lengths: tuple[float, float]) -> Iterator[str]:
    """Warn of vectors that are not of unit length, or are so without a Normalize module."""
    shortest, longest = lengths
    # bfloat16 keeps 8 bits: a normalised vector's length may be off by a rounding step of 2**-8.
    low_bits = backbone_of(model) is not None and next(model.parameters()).element_size() < 4
    tolerance = 2.0**-8 if low_bits else UNIT_TOLERANCE
    unit = 1 - tolerance <= shortest and longest <= 1 + tolerance
    normalized = any(type(module).__name__ == "Normalize" for module in model)
    if not unit:
        cause = "in spite of a Normalize module" if normalized else "and there is no Normalize module"
        yield f"vectors are not of unit length ({shortest:.4g} to {longest:.4g}) {cause}"
    elif not normalized:
        yield "no Normalize module, though vectors happen to have unit length"


def _pooling_of(module: Any) -> tuple[str, ...]:
    config = _config_of_module(module)
    return pooling_modes(config) if "pooling_mode" in config else ()
