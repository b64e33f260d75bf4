"""A sentence-transformers model that writes down what reaches it, for the inside of mteb's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer


class RecordingModel(SentenceTransformer):
    """Chooses prompts as the real class does (its own `encode_query` runs), and encodes nothing."""

    def __init__(self, prompts: Mapping[str, str], default_prompt_name: str | None = None) -> None:
        torch.nn.Module.__init__(self)
        self.prompts: dict[str, str | None] = {"query": "", "document": "", **prompts}
        self.default_prompt_name = default_prompt_name
        self.max_seq_length = 512
        self.seen: list[tuple[str, str]] = []

    @property
    def max_seq_length(self) -> int:
        return self._longest

    @max_seq_length.setter
    def max_seq_length(self, value: int) -> None:
        self._longest = value

    def encode(  # type: ignore[override]
        self, inputs: Sequence[str], prompt_name: str | None = None, prompt: str | None = None, **_: Any
    ) -> Any:
        """Write down the prompt and the text of every input."""
        chosen = self._resolve_prompt(prompt, prompt_name) or ""
        self.seen += [(chosen, text) for text in inputs]
        return np.ones((len(inputs), 4), dtype=np.float32)

    def set_pooling_include_prompt(self, include_prompt: bool) -> None:
        """Accept the setting; there is no pooling."""

    def _first_module(self) -> Any:  # type: ignore[override]
        config = SimpleNamespace(_attn_implementation="eager")
        return SimpleNamespace(auto_model=SimpleNamespace(config=config))
