"""Questions put to a loaded pipeline: does it do what its configuration claims?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evalsuite.models.encoder import Encoder
from evalsuite.models.folder import pooling_modes, read_json
from evalsuite.models.gemma import is_embeddinggemma_2, is_gemma, text_config

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import nn

UNIT_TOLERANCE = 1e-3
"""How far a vector's length may be from 1."""

_PROBE_TEXTS = (
    "The ferry leaves at noon.",
    "How does a heat pump warm a house?",
    "def area(width, height): return width * height",
    "Copper conducts electricity better than iron does.",
)
_PROBE_TOKENS = 4
"""Short enough for the first token to see the last through any sliding window."""

_CHANGED = 1e-6

_TOKENS, _SENTENCE = "token_embeddings", "sentence_embedding"
"""What modules call their outputs, unless told otherwise."""

_KEEPS_WIDTH = ("Normalize", "Dropout", "LayerNorm")


@dataclass(frozen=True)
class AttentionWindow:
    """How far the sliding layers of a backbone look.

    Attributes:
        tokens_each_side: Tokens seen before (and, in bidirectional models, after) a token, besides itself.
        sliding_layers: Layers that look through the window.
        layers: All layers.
        stored: `sliding_window` as `config.json` has it; None if the model did not come from a folder.
    """

    tokens_each_side: int
    sliding_layers: int
    layers: int
    stored: int | None

    def __str__(self) -> str:
        return f"{self.tokens_each_side} tokens each side in {self.sliding_layers} of {self.layers} layers"


@dataclass(frozen=True)
class WidthMisfit:
    """A Dense module that cannot take what reaches it.

    Attributes:
        index: Its position in the pipeline.
        takes: The width it takes.
        gets: The width of what reaches it.
    """

    index: int
    takes: int
    gets: int


def backbone_of(model: SentenceTransformer) -> nn.Module | None:
    """Return the pipeline's transformer, or None if it has none (static embeddings, routers)."""
    return getattr(model[0], "auto_model", None)


def config_of(model: SentenceTransformer) -> dict[str, Any]:
    """Return the configuration of the pipeline's transformer; empty if it has none."""
    config = getattr(backbone_of(model), "config", None)
    return dict(config.to_dict()) if config is not None else {}


def config_of_module(module: Any) -> dict[str, Any]:
    """Return a module's own configuration; empty if its class keeps none."""
    return dict(module.get_config_dict()) if hasattr(module, "get_config_dict") else {}


def module_name(model: SentenceTransformer, index: int) -> str:
    """Return the class name of one of a pipeline's modules."""
    return type(model[index]).__name__


@contextlib.contextmanager
def running_module(model: SentenceTransformer) -> Iterator[list[int]]:
    """Note which modules of a pipeline run.

    Yields:
        A list that receives the position of each module as it starts; the last one is where a failure is.
    """
    started: list[int] = []
    hooks = [
        module.register_forward_pre_hook(lambda *_, index=index: started.append(index))
        for index, module in enumerate(model)
    ]
    try:
        yield started
    finally:
        for hook in hooks:
            hook.remove()


def weights_not_finite(model: SentenceTransformer) -> list[tuple[int, list[str]]]:
    """Return the modules with NaN or infinity among their weights: position and names of those weights."""
    import torch

    found = []
    for index, module in enumerate(model):
        weights = module.named_parameters()
        if names := [name for name, weight in weights if not bool(torch.isfinite(weight).all())]:
            found.append((index, names))
    return found


def width_misfits(model: SentenceTransformer) -> list[WidthMisfit]:
    """Return the Dense modules that cannot take what reaches them, from shapes alone: nothing is run.

    Followed are transformer, pooling and Dense; behind any other module that may change widths, nothing is
    known until the next one that sets them.
    """
    found = []
    widths: dict[str, int | None] = {}
    dense = dense_layers(model)
    for index, module in enumerate(model):
        config = config_of_module(module)
        if module in dense:
            gets = widths.get(module.module_input_name)
            if gets is not None and gets != module.in_features:
                found.append(WidthMisfit(index, module.in_features, gets))
            widths[module.module_output_name] = module.out_features
        elif "pooling_mode" in config:
            tokens = widths.get(_TOKENS)
            widths[_SENTENCE] = tokens and tokens * len(pooling_modes(config))
        elif type(module).__name__ not in _KEEPS_WIDTH:
            widths = {_TOKENS: _token_width(module)}
    return found


def _token_width(module: Any) -> int | None:
    """Return the width of a transformer's token states; None for other modules and other outputs."""
    if not hasattr(module, "auto_model") or getattr(module, "module_output_name", _TOKENS) != _TOKENS:
        return None
    return backbone_number(module, "embedding_dim", "hidden_size")


def backbone_number(module: Any, *names: str) -> int | None:
    """Return the first number that a transformer's configuration has under one of some names.

    The loaded configuration knows what each family calls it: `hidden_size` is `dim` in DistilBERT's files.
    """
    config = module.auto_model.config
    text = getattr(config, "text_config", None) or config
    found = (getattr(text, name, None) for name in names)
    return next((number for number in found if isinstance(number, int)), None)


def activation_of(dense: Any) -> str:
    """Return the class name of a Dense module's activation."""
    return type(dense.activation_function).__name__


def attends_both_ways(model: SentenceTransformer) -> bool | None:
    """Probe whether the last token changes the first token's state, as it does in an encoder.

    Two sequences of equal length that differ only in the last token go through the backbone.

    Returns:
        True for bidirectional attention, False for causal, None if there is no backbone to probe.

    Raises:
        ArithmeticError: If the states hold NaN or infinity, which compare with nothing.
    """
    import torch

    backbone = backbone_of(model)
    vocabulary = text_config(config_of(model)).get("vocab_size")
    if backbone is None or not isinstance(vocabulary, int):
        return None
    # Ids from the middle of the vocabulary: special tokens lie at its ends.
    first = torch.arange(_PROBE_TOKENS) + vocabulary // 2 - _PROBE_TOKENS
    second = first.clone()
    second[-1] += 1
    tokens = torch.stack([first, second]).to(model.device)
    with torch.inference_mode():
        states = backbone(input_ids=tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state
    if not torch.isfinite(states).all():
        message = "its states hold NaN or infinity"
        raise ArithmeticError(message)
    return bool((states[0, 0] - states[1, 0]).abs().max() > _CHANGED)


def attention_window(model: SentenceTransformer, folder: Path | None) -> AttentionWindow | None:
    """Return the effective sliding window of the backbone, or None if every layer attends fully.

    Args:
        model: The loaded pipeline.
        folder: The folder of its backbone's `config.json`, if it came from one.
    """
    config = getattr(backbone_of(model), "config", None)
    text = getattr(config, "text_config", None) or config
    width = getattr(text, "sliding_window", None)
    kinds = getattr(text, "layer_types", None) or []
    sliding = sum(kind == "sliding_attention" for kind in kinds)
    if not isinstance(width, int) or not sliding:
        return None
    # EmbeddingGemma 2 holds an inclusive radius; the others count the token itself.
    reach = width if is_embeddinggemma_2(config_of(model)) else width - 1
    saved = text_config(read_json(folder / "config.json", required=False)) if folder is not None else {}
    stored = saved.get("sliding_window")
    return AttentionWindow(reach, sliding, len(kinds), stored if isinstance(stored, int) else None)


def encode_probe(encoder: Encoder) -> npt.NDArray[np.float32]:
    """Return what an encoder makes of a few probe sentences, float32 (sentences, width)."""
    return encoder.encode(_PROBE_TEXTS, "")


def head_rank(model: SentenceTransformer) -> tuple[int, int] | None:
    """Return the numerical rank of the pipeline's linear head and the width of its output.

    The head is the product of the Dense layers, or EmbeddingGemma 2's projection. Singular values below
    sigma_max x max(shape) x eps(float32) count as zero, as in `numpy.linalg.matrix_rank`.

    Returns:
        None if there is no head, it is not linear (an activation or a residual in between), or its weights
        hold NaN or infinity.
    """
    import torch

    weights = _head_weights(model)
    if not weights:
        return None
    product = weights[0].detach().double().cpu()
    for weight in weights[1:]:
        product = weight.detach().double().cpu() @ product
    if not torch.isfinite(product).all():
        return None
    values = torch.linalg.svdvals(product)
    floor = values.max() * max(product.shape) * torch.finfo(torch.float32).eps
    return int((values > floor).sum()), int(product.shape[0])


def dense_layers(model: SentenceTransformer) -> list[Any]:
    """Return the pipeline's Dense modules in order."""
    from sentence_transformers.sentence_transformer.modules import Dense

    return [module for module in model if isinstance(module, Dense)]


def is_linear(dense: Any) -> bool:
    """Tell whether a Dense module is a plain linear map (a bias does not matter)."""
    return activation_of(dense) == "Identity" and not getattr(dense, "use_residual", False)


def unlisted_dense_folders(folder: Path, listed: Sequence[Path]) -> list[str]:
    """Return names of Dense folders that lie in a model folder but are not in its `modules.json`."""
    found = (path.parent for path in sorted(folder.glob("*/config.json")))
    return [
        path.name for path in found if path not in listed and "in_features" in read_json(path / "config.json")
    ]


def needs_both_ways(model: SentenceTransformer, pooling: Sequence[str]) -> bool:
    """Tell whether a pipeline is meant to attend in both directions.

    It is if its configuration says so, or if it pools other than the last token of a Gemma.
    """
    config = config_of(model)
    configured = text_config(config).get("use_bidirectional_attention") is True or is_embeddinggemma_2(config)
    return configured or (is_gemma(config) and bool(set(pooling) - {"lasttoken"}))


def _head_weights(model: SentenceTransformer) -> list[Any]:
    """Return the matrices of the linear head, first applied first; empty if there is none."""
    dense = dense_layers(model)
    if dense:
        return [layer.linear.weight for layer in dense] if all(map(is_linear, dense)) else []
    backbone = backbone_of(model)
    inner = getattr(backbone, "language_model", backbone)
    projection = getattr(inner, "embedding_projection", None)
    return [projection.weight] if projection is not None else []
