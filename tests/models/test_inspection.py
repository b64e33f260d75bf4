from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, DistilBertConfig, GPT2Config

from evalsuite.core.errors import UsageError
from evalsuite.models.build import build_embeddinggemma
from evalsuite.models.fake import fake_checkpoint
from evalsuite.models.inspection import Inspection, inspect_checkpoint
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.probes import backbone_number


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


@pytest.mark.parametrize(
    "config",
    [
        BertConfig(hidden_size=48, num_hidden_layers=3, num_attention_heads=4),
        DistilBertConfig(dim=48, n_layers=3, n_heads=4),
        GPT2Config(n_embd=48, n_layer=3, n_head=4),
    ],
)
def test_every_family_tells_its_width_and_layers(config):
    """`dim`, `n_embd` and `hidden_size` are one thing; nothing is printed as `tokens x None`."""
    module = SimpleNamespace(auto_model=SimpleNamespace(config=config))
    assert backbone_number(module, "embedding_dim", "hidden_size") == 48
    assert backbone_number(module, "num_hidden_layers") == 3
    assert backbone_number(module, "no_such_setting") is None


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


def drop_module(folder: Path, name: str) -> None:
    listing = folder / "modules.json"
    modules = json.loads(listing.read_text())
    listing.write_text(json.dumps([module for module in modules if module["path"] != name]))


def spoil(folder: Path, name: str, value: float) -> None:
    weights = load_file(folder / "model.safetensors")
    weights[name].view(-1)[0] = value
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_dense_layer_left_out_is_noticed_before_anything_is_run(copy):
    """Widths that do not fit are told from the shapes; what cannot be probed is a warning with its reason."""
    drop_module(copy, "2_Dense")
    inspection = inspect(copy)
    assert has_warning(inspection, "module 2 (Dense) takes vectors of width 256, but gets 64")
    assert has_warning(inspection, "encoding and the head's rank were not probed: module 2 cannot take")
    assert has_warning(inspection, "never applied: 2_Dense")
    assert has_warning(inspection, "only one Dense layer")
    assert inspection.bidirectional is True
    assert inspection.head_rank is None


def test_the_second_dense_layer_left_out_is_noticed(copy):
    """Such a pipeline runs, only to vectors that EmbeddingGemma never had."""
    drop_module(copy, "3_Dense")
    inspection = inspect(copy)
    assert inspection.dim == 256
    assert has_warning(inspection, "only one Dense layer")
    assert not has_warning(inspection, "probed")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_noticed_in_the_head(copy, value):
    """The module is named, and the head has no rank to tell."""
    spoil(copy / "3_Dense", "linear.weight", value)
    inspection = inspect(copy)
    assert has_warning(inspection, "weights of module 3 hold NaN or infinity (Dense: linear.weight)")
    assert has_warning(inspection, "output not finite: 4 of 4 probe sentences")
    assert inspection.head_rank is None
    assert not has_warning(inspection, "unit length")


def test_weights_that_are_no_numbers_are_noticed_in_the_backbone(copy):
    """States of NaN compare with nothing: the direction of attention is not probed, never called causal."""
    spoil(copy, "norm.weight", math.nan)
    inspection = inspect(copy)
    assert has_warning(inspection, "weights of module 0 hold NaN or infinity (Transformer: ")
    assert has_warning(
        inspection, "attention could not be probed: module 0 (Transformer): its states hold NaN"
    )
    assert has_warning(inspection, "output not finite")
    assert inspection.bidirectional is None
    assert not has_warning(inspection, "causal")


def test_a_probe_that_fails_names_the_module_it_failed_in(gemma):
    """Whatever a module raises is a warning, and the other probes go on."""
    model = load(gemma)

    def fail(features):
        message = "out of order\nand a long explanation"
        raise LookupError(message)

    model[3].forward = fail
    inspection = inspect(model)
    assert inspection.warnings == ("encoding could not be probed: module 3 (Dense): out of order",)
    assert inspection.head_rank == 64


def test_an_unreadable_folder_beside_the_modules_is_noticed(copy):
    """A damaged configuration that no module needs is told with its path."""
    (copy / "notes").mkdir()
    (copy / "notes" / "config.json").write_text("{")
    model = open_checkpoint(copy)
    assert has_warning(inspect(model), "notes/config.json: is not valid JSON")


def test_vectors_of_another_width_are_noticed(copy, edit):
    """A pooling that claims another width than its input has is found out by encoding."""
    for name in ("2_Dense", "3_Dense"):
        drop_module(copy, name)
    edit(copy / "1_Pooling" / "config.json", lambda config: config.update(embedding_dimension=96))
    assert has_warning(inspect(copy), "vectors are 64 wide, though the configuration says 96")


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
