"""Small random-weight models of EmbeddingGemma's two shapes, made without any download.

Their vectors mean nothing, but every part is real: tokenizer, bidirectional backbone, pooling, head and
files. Tests, docs and examples use them where a trained model would only be slow.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from evalsuite.core.errors import UsageError
from evalsuite.core.files import storage_errors
from evalsuite.models.loading import quiet_libraries
from evalsuite.models.prompts import EMBEDDINGGEMMA_PROMPTS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_VOCABULARY = 1024
_MAX_LENGTH = 2048
_SPECIAL_TOKENS = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>", "unk_token": "<unk>"}
"""In the order of Gemma's ids, 0 to 3."""

_SENTENCES = (
    "the quick brown fox jumps over the lazy dog",
    "a small model answers a small question",
    "which river is the longest in the world",
    "heat flows from the warm body to the cold one",
)


class Sizes(TypedDict, total=False):
    """Sizes of a small model; what is left out takes the default of the builder.

    Attributes:
        hidden: Width of the backbone; for `build_embeddinggemma` also of the output. Default 64.
        dense: Width between the two Dense layers of `build_embeddinggemma`. Default 256.
        embedding: Width of the output of `build_embeddinggemma2`. Default 96.
        layers: Number of layers; the last attends fully, the others through the window. Default 2.
        heads: Attention heads. Default 2.
        head_dim: Width of a head. Default 32.
        window: The configuration's `sliding_window`, even for `build_embeddinggemma`. Default 8.
    """

    hidden: int
    dense: int
    embedding: int
    layers: int
    heads: int
    head_dim: int
    window: int


_DEFAULTS: Sizes = {
    "hidden": 64,
    "dense": 256,
    "embedding": 96,
    "layers": 2,
    "heads": 2,
    "head_dim": 32,
    "window": 8,
}


def build_embeddinggemma(
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    corpus: Iterable[str] = (),
    bidirectional: bool = True,
    **sizes: Unpack[Sizes],
) -> Path:
    """Write a small EmbeddingGemma: Transformer, mean Pooling, Dense, Dense, Normalize.

    Args:
        folder: Where to write the sentence-transformers model; must not exist or be empty.
        seed: Seed of the random weights; the global generator is left alone.
        corpus: Texts the tokenizer is trained on, beside built-in sentences and the prompts.
        bidirectional: False builds the mistake `inspect` warns about: a backbone that only looks back.
        sizes: See `Sizes`.

    Returns:
        The folder.

    Raises:
        UsageError: If the folder holds something already.
        StorageError: If it cannot be written.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling
    from transformers import Gemma3TextConfig, Gemma3TextModel

    size = _DEFAULTS | sizes
    tokenizer = _train_tokenizer(corpus)
    config = Gemma3TextConfig(
        **_backbone_sizes(size, tokenizer),
        query_pre_attn_scalar=size["head_dim"],
        use_bidirectional_attention=bidirectional,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = Gemma3TextModel(config).eval()
        identity = torch.nn.Identity
        head = [
            Pooling(size["hidden"], pooling_mode="mean"),
            Dense(size["hidden"], size["dense"], bias=False, activation_function=identity()),
            Dense(size["dense"], size["hidden"], bias=False, activation_function=identity()),
            Normalize(),
        ]
    return _save(Path(folder), backbone, tokenizer, head)


def build_embeddinggemma2(
    folder: str | os.PathLike[str], *, seed: int = 0, corpus: Iterable[str] = (), **sizes: Unpack[Sizes]
) -> Path:
    """Write a small EmbeddingGemma 2: Transformer with the projection inside, mean Pooling, Normalize.

    Args:
        folder: Where to write the sentence-transformers model; must not exist or be empty.
        seed: Seed of the random weights; the global generator is left alone.
        corpus: Texts the tokenizer is trained on, beside built-in sentences and the prompts.
        sizes: See `Sizes`.

    Returns:
        The folder.

    Raises:
        UsageError: If the folder holds something already.
        StorageError: If it cannot be written.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
    from transformers.models.embedding_gemma2 import EmbeddingGemma2TextConfig, EmbeddingGemma2TextModel

    size = _DEFAULTS | sizes
    tokenizer = _train_tokenizer(corpus)
    config = EmbeddingGemma2TextConfig(
        **_backbone_sizes(size, tokenizer),
        global_head_dim=size["head_dim"],
        num_global_key_value_heads=1,
        hidden_size_per_layer_input=size["hidden"],
        embedding_dim=size["embedding"],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = EmbeddingGemma2TextModel(config).eval()
    return _save(
        Path(folder), backbone, tokenizer, [Pooling(size["embedding"], pooling_mode="mean"), Normalize()]
    )


def _backbone_sizes(size: Sizes, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Return the configuration both backbones share."""
    return {
        "vocab_size": max(len(tokenizer), _VOCABULARY),
        "hidden_size": size["hidden"],
        "intermediate_size": 2 * size["hidden"],
        "num_hidden_layers": size["layers"],
        "num_attention_heads": size["heads"],
        "num_key_value_heads": 1,
        "head_dim": size["head_dim"],
        "sliding_window": size["window"],
        "layer_types": ["sliding_attention"] * (size["layers"] - 1) + ["full_attention"],
        "max_position_embeddings": _MAX_LENGTH,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": 2,
    }


def _train_tokenizer(corpus: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train a small byte-fallback BPE with Gemma's special tokens: pad 0, eos 1, bos 2, unk 3."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(
        models.BPE(unk_token=_SPECIAL_TOKENS["unk_token"], byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    special = [*_SPECIAL_TOKENS.values(), *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=_VOCABULARY, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(_training_texts(corpus), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>",
        pair="<bos> $A <eos> <bos> $B <eos>",
        special_tokens=[("<bos>", 2), ("<eos>", 1)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **_SPECIAL_TOKENS,
        padding_side="right",
        model_max_length=_MAX_LENGTH,
    )


def _training_texts(corpus: Iterable[str]) -> Iterator[str]:
    """Yield the corpus and, often enough to become whole tokens, the built-in texts."""
    yield from corpus
    for _ in range(20):
        yield from _SENTENCES
        yield from EMBEDDINGGEMMA_PROMPTS.values()


def _save(folder: Path, backbone: Any, tokenizer: PreTrainedTokenizerFast, head: Sequence[Any]) -> Path:
    """Assemble the pipeline and write it; the folder appears at once, complete.

    Raises:
        UsageError: If the folder holds something already.
        StorageError: If it cannot be written.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Transformer

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = f"{folder}: holds something already; give a new or empty folder"
        raise UsageError(message)
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, quiet_libraries():
            raw, whole = Path(scratch) / "backbone", Path(scratch) / "model"
            backbone.save_pretrained(raw)
            tokenizer.save_pretrained(raw)
            model = SentenceTransformer(
                modules=[Transformer(str(raw), max_seq_length=_MAX_LENGTH), *head],
                device="cpu",
                prompts=dict(EMBEDDINGGEMMA_PROMPTS),
                similarity_fn_name="cosine",
            )
            model.save_pretrained(str(whole))
            whole.replace(folder)
    return folder
