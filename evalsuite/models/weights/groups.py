"""The parts of a model that weight recipes tell apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.nn import Module, Parameter

TOKEN_EMBEDDING = "token_embedding"  # noqa: S105 - a part of a model, not a secret
OTHER_EMBEDDING = "other_embedding"
ATTENTION = "attention"
FEED_FORWARD = "feed_forward"
PROJECTION = "projection"
OTHER = "other"
VECTORS = "vectors"
"""Norms, biases and everything else that is not a matrix: never rounded."""

MATRICES = (TOKEN_EMBEDDING, OTHER_EMBEDDING, ATTENTION, FEED_FORWARD, PROJECTION, OTHER)
"""Groups of two-dimensional weights."""

_ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)
_FEED_FORWARD = re.compile(
    r"mlp|ffn|feed_?forward|intermediate|densereludense|\boutput\.dense\b|\b(?:fc|lin)\d", re.IGNORECASE
)
_PROJECTION = re.compile(r"embedding_projection", re.IGNORECASE)


def grouped(model: Module) -> Iterator[tuple[str, Parameter, str]]:
    """Yield every parameter once, with its name and group.

    The token table is what a transformer says its input embeddings are, or else the embedding with the most
    rows. Projections are sentence-transformers' Dense modules, and the projection inside EmbeddingGemma 2.
    Attention and feed-forward are told by the names that transformers gives them.
    """
    tables = _token_tables(model)
    embeddings, dense = _embeddings(model), _dense(model)
    for name, parameter in model.named_parameters():
        if parameter.ndim != 2:
            group = VECTORS
        elif id(parameter) in tables:
            group = TOKEN_EMBEDDING
        elif id(parameter) in embeddings:
            group = OTHER_EMBEDDING
        elif id(parameter) in dense or _PROJECTION.search(name):
            group = PROJECTION
        elif _ATTENTION.search(name):
            group = ATTENTION
        else:
            group = FEED_FORWARD if _FEED_FORWARD.search(name) else OTHER
        yield name, parameter, group


def _token_tables(model: Module) -> set[int]:
    """Find the token table of every transformer in the pipeline."""
    from transformers import PreTrainedModel

    said = [part.get_input_embeddings() for part in model.modules() if isinstance(part, PreTrainedModel)]
    tables = {id(table.weight) for table in said if table is not None and hasattr(table, "weight")}
    candidates = _embeddings(model)
    if tables or not candidates:
        return tables
    return {max(candidates, key=lambda key: candidates[key])}


def _embeddings(model: Module) -> dict[int, int]:
    """Map every embedding's weight, by identity, to its rows."""
    from torch.nn import Embedding, EmbeddingBag

    return {
        id(part.weight): len(part.weight)
        for part in model.modules()
        if isinstance(part, Embedding | EmbeddingBag)
    }


def _dense(model: Module) -> set[int]:
    """Find the weights of sentence-transformers' Dense modules, by identity."""
    from sentence_transformers.sentence_transformer.modules import Dense

    return {id(part.linear.weight) for part in model.modules() if isinstance(part, Dense)}
