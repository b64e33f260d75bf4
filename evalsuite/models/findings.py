"""Findings: the probes put to a pipeline, and in words what they found wrong.

The pipelines worth inspecting are the broken ones, so a probe that fails is a finding like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.encoder import SentenceTransformerEncoder
from evalsuite.models.folder import pooling_modes, read_model_folder
from evalsuite.models.gemma import is_embeddinggemma_2, is_gemma_encoder, model_type
from evalsuite.models.probes import (
    UNIT_TOLERANCE,
    AttentionWindow,
    WidthMisfit,
    activation_of,
    attends_both_ways,
    attention_window,
    backbone_of,
    config_of,
    config_of_module,
    dense_layers,
    encode_probe,
    head_rank,
    module_name,
    needs_both_ways,
    running_module,
    unlisted_dense_folders,
    weights_not_finite,
    width_misfits,
)

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_Answer = TypeVar("_Answer")


@dataclass
class Findings:
    """What the probes found.

    Attributes:
        bidirectional: Whether attention goes both ways; None if that could not be probed.
        window: The sliding attention window; None if every layer attends fully.
        rank: Rank of the linear head and width of its output; None without such a head.
        vectors: What a few sentences were encoded to, float32 (sentences, width); None if nothing was.
        unlisted: Dense folders that `modules.json` leaves out.
        problems: Modules that do not fit or hold no numbers, and probes that failed, one sentence each.
    """

    bidirectional: bool | None = None
    window: AttentionWindow | None = None
    rank: tuple[int, int] | None = None
    vectors: npt.NDArray[np.float32] | None = None
    unlisted: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def probe_pipeline(checkpoint: Checkpoint, encoder: SentenceTransformerEncoder) -> Findings:
    """Put every question to a loaded pipeline; one that cannot be answered is a problem, never an error."""
    model = encoder.model
    found = Findings()
    folder = checkpoint.folder
    listed = [module.folder for module in read_model_folder(folder).modules] if folder is not None else []

    def ask(question: str, answer: Callable[[], _Answer], *, of: int | None = None) -> _Answer | None:
        with running_module(model) as running:
            try:
                return answer()
            # Anything can be wrong with a broken pipeline; why it fails is what the user wants to know.
            except Exception as error:  # noqa: BLE001
                where = running[-1] if running else of
                found.problems.append(_describe_failure(model, question, where, error))
                return None

    not_finite = ask("the weights", lambda: weights_not_finite(model)) or []
    found.problems += [_describe_not_finite(model, index, names) for index, names in not_finite]
    found.bidirectional = ask("the direction of attention", lambda: attends_both_ways(model), of=0)
    backbone = listed[0] if listed else None
    found.window = ask("the attention window", lambda: attention_window(model, backbone), of=0)
    if folder is not None:
        found.unlisted = ask("the Dense folders", lambda: unlisted_dense_folders(folder, listed)) or []
    if misfits := ask("the widths", lambda: width_misfits(model)):
        found.problems += _describe_misfits(model, misfits)
        return found
    found.rank = ask("the head's rank", lambda: head_rank(model))
    found.vectors = ask("encoding", lambda: encode_probe(encoder))
    return found


def warnings_of(encoder: SentenceTransformerEncoder, findings: Findings) -> tuple[str, ...]:
    """Say in words where a pipeline is not what it claims to be, one sentence each."""
    model = encoder.model
    return (
        *findings.problems,
        *_attention_warnings(model, findings),
        *_head_warnings(model, findings),
        *_vector_warnings(model, findings.vectors, encoder.dim),
    )


def _describe_failure(model: SentenceTransformer, question: str, where: int | None, error: Exception) -> str:
    """Say which probe failed, in which module if that is known, and why."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    module = f"module {where} ({module_name(model, where)}): " if where is not None else ""
    return f"{question} could not be probed: {module}{reason}"


def _describe_not_finite(model: SentenceTransformer, index: int, names: list[str]) -> str:
    """Say which module's weights are no numbers; a whole backbone's are not listed."""
    listed = f"{', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"
    return f"weights of module {index} hold NaN or infinity ({module_name(model, index)}: {listed})"


def _describe_misfits(model: SentenceTransformer, misfits: list[WidthMisfit]) -> Iterator[str]:
    """Say which modules cannot take what reaches them, and what was not probed for it."""
    for misfit in misfits:
        yield (
            f"module {misfit.index} ({module_name(model, misfit.index)}) takes vectors of width "
            f"{misfit.takes}, but gets {misfit.gets}: a Dense layer before it is missing, or modules.json "
            "lists them in another order"
        )
    yield f"encoding and the head's rank were not probed: module {misfits[0].index} cannot take its input"


def _attention_warnings(model: SentenceTransformer, findings: Findings) -> Iterator[str]:
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


def _head_warnings(model: SentenceTransformer, findings: Findings) -> Iterator[str]:
    """Warn of a head that is not linear, not there, or of lower rank than its output is wide."""
    dense = dense_layers(model)
    for index, module in enumerate(model):
        if module in dense and activation_of(module) != "Identity":
            yield (
                f"module {index} (Dense) applies {activation_of(module)}; EmbeddingGemma's Dense layers are "
                "linear, and sentence-transformers falls back to Tanh when a configuration names no "
                "activation or an untrusted one"
            )
    if model_type(config_of(model)) == "gemma3_text" and len(dense) < 2:
        yield (
            "only one Dense layer: EmbeddingGemma has two behind the pooling"
            if dense
            else "no Dense layers: EmbeddingGemma has two behind the pooling; vectors are raw pooled states"
        )
    if findings.unlisted:
        yield (
            "Dense folders not listed in modules.json and therefore never applied: "
            f"{', '.join(findings.unlisted)}"
        )
    if findings.rank is not None and findings.rank[0] < findings.rank[1]:
        rank, width = findings.rank
        by_design = " (by design in EmbeddingGemma 2)" if is_embeddinggemma_2(config_of(model)) else ""
        yield f"the linear head has rank {rank} for {width} output dimensions{by_design}"


def _vector_warnings(
    model: SentenceTransformer, vectors: npt.NDArray[np.float32] | None, dim: int
) -> Iterator[str]:
    """Warn of vectors that hold no numbers, have another width than claimed, or another length than 1."""
    if vectors is None:
        return
    if vectors.shape[1] != dim:
        yield f"vectors are {vectors.shape[1]} wide, though the configuration says {dim}"
    broken = int((~np.isfinite(vectors)).any(axis=1).sum())
    if broken:
        yield f"output not finite: {broken} of {len(vectors)} probe sentences give NaN or infinity"
    else:
        yield from _length_warnings(model, np.linalg.norm(vectors.astype(np.float64), axis=1))


def _length_warnings(model: SentenceTransformer, lengths: npt.NDArray[np.float64]) -> Iterator[str]:
    """Warn of vectors that are not of unit length, or are so without a Normalize module."""
    shortest, longest = lengths.min(), lengths.max()
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
    config = config_of_module(module)
    return pooling_modes(config) if "pooling_mode" in config else ()
