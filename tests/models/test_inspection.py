from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from evalsuite.core.errors import UsageError
from evalsuite.models.build import build_embeddinggemma
from evalsuite.models.checkpoint import open_checkpoint
from evalsuite.models.fake import fake_checkpoint
from evalsuite.models.inspection import Inspection, inspect_checkpoint


def inspect(model: object) -> Inspection:
    return inspect_checkpoint(open_checkpoint(model))


def load(folder: Path):
    return open_checkpoint(folder).encoder().model


def has_warning(inspection: Inspection, text: str) -> bool:
    return any(text in warning for warning in inspection.warnings)


def test_a_sound_pipeline_has_no_warnings(gemma):
    """The companion of every warning below: nothing is wrong with the model as built."""
    inspection = inspect(gemma)
    assert inspection.warnings == ()
    assert inspection.bidirectional is True
    assert inspection.head_rank == 64


def test_modules_shapes_and_sizes_add_up(gemma):
    """Each module's output is the next one's input, and sizes are those of the loaded weights."""
    inspection = inspect(gemma)
    shapes = [(module.name, module.input, module.output) for module in inspection.modules]
    assert shapes == [
        ("Transformer", "text", "tokens x 64"),
        ("Pooling", "tokens x 64", "64"),
        ("Dense", "64", "256"),
        ("Dense", "256", "64"),
        ("Normalize", "64", "64"),
    ]
    assert inspection.modules[2].parameters == 64 * 256
    assert inspection.modules[1].detail == "mean, prompt included"
    assert inspection.parameters == sum(weight.numel() for weight in load(gemma).parameters())
    assert inspection.bytes == 4 * inspection.parameters
    assert inspect_checkpoint(open_checkpoint(gemma, dtype="bfloat16")).bytes == 2 * inspection.parameters


def test_the_window_is_the_effective_one(gemma, gemma2):
    """EmbeddingGemma halves the configured window of 8 to 4 each side; to EmbeddingGemma 2 it is a radius."""
    for folder, each_side in ((gemma, 4), (gemma2, 8)):
        window = inspect(folder).window
        assert (window.tokens_each_side, window.sliding_layers, window.layers, window.stored) == (
            each_side,
            1,
            2,
            8,
        )


def test_the_window_reads_as_a_sentence(gemma):
    """The command line prints it as it is."""
    assert str(inspect(gemma).window) == "4 tokens each side in 1 of 2 layers"


def test_it_is_ready_for_json(gemma2):
    """`to_dict` survives a round trip through JSON."""
    facts = inspect(gemma2).to_dict()
    assert json.loads(json.dumps(facts))["window"] == facts["window"]
    assert facts["prompts"]["STS"] == "task: sentence similarity | query: "


def test_causal_attention_is_noticed(tmp_path):
    """A mean-pooled Gemma that only looks back is not an encoder."""
    inspection = inspect(build_embeddinggemma(tmp_path / "causal", bidirectional=False))
    assert inspection.bidirectional is False
    assert has_warning(inspection, "attention is causal")


def test_causal_attention_is_noticed_against_the_configuration(gemma):
    """The probe believes the states, not the flag: a mask forced to be causal is found out."""
    model = load(gemma)
    forward = model[0].auto_model.forward

    def causal(input_ids, **kwargs):
        length = input_ids.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1)[None, None]
        kwargs["attention_mask"] = {"full_attention": mask, "sliding_attention": mask}
        return forward(input_ids=input_ids, **kwargs)

    model[0].auto_model.forward = causal
    assert has_warning(inspect(model), "attention is causal")


def test_last_token_pooling_may_be_causal(tmp_path):
    """An embedder that pools the last token looks back by design."""
    model = load(build_embeddinggemma(tmp_path / "causal", bidirectional=False))
    model[1].pooling_mode = "lasttoken"
    inspection = inspect(model)
    assert inspection.bidirectional is False
    assert not has_warning(inspection, "causal")


def test_a_window_halved_twice_is_noticed(copy, edit):
    """An odd stored window was written after halving, and is halved again on loading."""
    edit(copy / "config.json", lambda config: config.update(sliding_window=257))
    inspection = inspect(copy)
    assert inspection.window.tokens_each_side == 128
    assert has_warning(inspection, "see 128 tokens each side instead of 256: set `sliding_window` to 512")


def test_an_activation_in_the_head_is_noticed(copy, edit):
    """sentence-transformers' default activation, Tanh, is the classic slip."""
    activation = {"activation_function": "torch.nn.modules.activation.Tanh"}
    edit(copy / "2_Dense" / "config.json", lambda config: config.update(activation))
    inspection = inspect(copy)
    assert has_warning(inspection, "module 2 (Dense) applies Tanh")
    assert inspection.head_rank is None


def test_a_missing_head_is_noticed(copy):
    """Dense folders that modules.json forgot are never applied."""
    listing = copy / "modules.json"
    modules = json.loads(listing.read_text())
    listing.write_text(json.dumps([module for module in modules if "Dense" not in module["path"]]))
    inspection = inspect(copy)
    assert has_warning(inspection, "no Dense layers")
    assert has_warning(inspection, "never applied: 2_Dense, 3_Dense")


def test_vectors_of_other_length_are_noticed(copy):
    """Without Normalize, dot product and cosine differ."""
    listing = copy / "modules.json"
    listing.write_text(json.dumps(json.loads(listing.read_text())[:-1]))
    assert has_warning(inspect(copy), "there is no Normalize module")


def test_a_head_of_low_rank_is_noticed(gemma, gemma2):
    """Two equal output dimensions carry one dimension's worth; EmbeddingGemma 2's head is low by design."""
    model = load(gemma)
    with torch.no_grad():
        model[3].linear.weight[5] = model[3].linear.weight[6]
    inspection = inspect(model)
    assert inspection.head_rank == 63
    assert has_warning(inspection, "rank 63 for 64 output dimensions")
    assert has_warning(inspect(gemma2), "rank 64 for 96 output dimensions (by design in EmbeddingGemma 2)")


def test_bfloat16_rounding_is_not_a_warning(gemma):
    """A normalised vector in bfloat16 is as long as eight bits can make it."""
    assert inspect_checkpoint(open_checkpoint(gemma, dtype="bfloat16")).warnings == ()


def test_a_fake_has_nothing_to_inspect():
    """Only pipelines have modules."""
    with pytest.raises(UsageError, match="FakeEncoder"):
        inspect_checkpoint(fake_checkpoint())
