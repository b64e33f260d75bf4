"""Inspection: what a pipeline consists of, and where it is not what it claims to be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalsuite.core.errors import UsageError
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.encoder import SentenceTransformerEncoder
from evalsuite.models.findings import probe_pipeline, warnings_of
from evalsuite.models.folder import pooling_modes
from evalsuite.models.probes import AttentionWindow, activation_of, backbone_number, config_of_module

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
    findings = probe_pipeline(checkpoint, encoder)
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
        warnings=(*checkpoint.warnings, *warnings_of(encoder, findings)),
    )


def _report_modules(model: SentenceTransformer) -> Iterator[ModuleReport]:
    """Describe the modules in order, following the width of what flows through them."""
    flow = "text"
    for index, module in enumerate(model):
        config = config_of_module(module)
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


def _output_shape(module: Any, config: Mapping[str, Any], flow: str) -> str:
    """Return what a module puts out, given what goes in."""
    if hasattr(module, "auto_model"):
        width = backbone_number(module, "embedding_dim", "hidden_size")
        return "tokens" if width is None else f"tokens x {width}"
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
        name, layers = type(module.auto_model).__name__, backbone_number(module, "num_hidden_layers")
        return name if layers is None else f"{name}, {layers} layers"
    if "pooling_mode" in config:
        prompt = "prompt included" if config.get("include_prompt", True) else "prompt left out"
        return f"{' + '.join(pooling_modes(config))}, {prompt}"
    if "in_features" in config:
        bias = "bias" if config.get("bias") else "no bias"
        residual = ", residual" if config.get("use_residual") else ""
        return f"{activation_of(module)}, {bias}{residual}"
    return "L2" if type(module).__name__ == "Normalize" else ""
