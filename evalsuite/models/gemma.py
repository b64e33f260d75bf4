"""What is particular to Gemma encoders: their configurations, widths and number ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EMBEDDINGGEMMA_DIMS = (768, 512, 256, 128)
"""Matryoshka dimensions of EmbeddingGemma 1 and 2 (arXiv 2509.20354)."""

_TEXT_BACKBONE = "gemma3_text"
_SECOND = "embedding_gemma2"


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a backbone's configuration that describes its text tower."""
    inner = config.get("text_config")
    return inner if isinstance(inner, Mapping) else config


def model_type(config: Mapping[str, Any]) -> str:
    """Return a backbone's `model_type`; empty if it has none."""
    return str(config.get("model_type") or "")


def is_gemma(config: Mapping[str, Any]) -> bool:
    """Tell whether a backbone is of the Gemma family, whose activations overflow float16."""
    return model_type(config).startswith(("gemma", "embedding_gemma"))


def is_embeddinggemma_2(config: Mapping[str, Any]) -> bool:
    """Tell whether a backbone is EmbeddingGemma 2's, which projects inside the transformer."""
    return model_type(config).startswith(_SECOND)


def has_embeddinggemma_backbone(config: Mapping[str, Any]) -> bool:
    """Tell whether a backbone is one EmbeddingGemma 1 or 2 is built on."""
    return model_type(config) == _TEXT_BACKBONE or is_embeddinggemma_2(config)


def is_gemma_encoder(config: Mapping[str, Any]) -> bool:
    """Tell whether a backbone is a Gemma configured to attend in both directions."""
    bidirectional = text_config(config).get("use_bidirectional_attention") is True
    return is_embeddinggemma_2(config) or (is_gemma(config) and bidirectional)
