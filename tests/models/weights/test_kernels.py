"""torchao's kernels as a second road: linear layers only, own labels, clear words where it is missing."""

import importlib.util

import numpy as np
import pytest
import torch

from evalsuite.core.errors import UsageError
from evalsuite.models.derived import check_weights, with_weights
from evalsuite.models.opening import open_checkpoint
from evalsuite.models.packed import pack_linear_layers
from evalsuite.models.weights import apply_weights
from evalsuite.models.weights.kernels import kernel_levels

TEXTS = ["a gull on the mast", "heat flows from the warm body to the cold one"]


class Model(torch.nn.Module):
    """A token table, a layer that falls into groups, one that does not, and a norm."""

    def __init__(self):
        super().__init__()
        self.tokens = torch.nn.Embedding(100, 64)
        self.self_attn = torch.nn.Linear(64, 96)
        self.mlp = torch.nn.Linear(20, 8, bias=False)
        self.norm = torch.nn.LayerNorm(64)


@pytest.fixture
def model():
    pytest.importorskip("torchao", reason="torchao is not installed: pip install 'evalsuite[weights]'")
    torch.manual_seed(0)
    return Model()


def test_without_torchao_the_message_says_what_to_install(monkeypatch):
    """Before anything is opened."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"int8_torchao need torchao; .* 'evalsuite\[weights\]'"):
        check_weights(["native", "int8_torchao"], None)


@pytest.mark.parametrize(
    ("level", "touched", "least"),
    [("int8_torchao", {"self_attn.weight", "mlp.weight"}, 38), ("int4_torchao", {"self_attn.weight"}, 15)],
)
def test_linear_layers_alone_are_quantized(model, level, touched, least):
    """The report lists every parameter, with bytes as the runtime holds them and the noise of its values."""
    before = model.self_attn.weight.detach().clone()
    report = apply_weights(model, level)
    tensors = {tensor.name: tensor for tensor in report.tensors}
    assert {name for name, tensor in tensors.items() if tensor.kept is None} == touched
    assert len(tensors) == 6
    attention = tensors["self_attn.weight"]
    error = model.self_attn.weight.dequantize() - before
    decibel = 10 * torch.log10(before.square().sum() / error.square().sum())
    assert attention.sqnr_db == pytest.approx(float(decibel), abs=1e-3)
    assert attention.sqnr_db > least
    assert attention.grid == level
    assert 8 < attention.bits_per_weight < 10
    assert report.bytes == sum(tensor.bytes for tensor in tensors.values()) < report.native_bytes


def test_int8_values_are_those_of_a_scale_a_row(model):
    """torchao's int8 is a grid of a scale a row, as `int8_channel` is: no value is a step and a half away."""
    before = model.self_attn.weight.detach().clone()
    apply_weights(model, "int8_torchao")
    steps = before.abs().amax(1, keepdim=True) / 127
    assert ((model.self_attn.weight.dequantize() - before).abs() <= 0.51 * steps).all()


@pytest.mark.usefixtures("model")
def test_the_token_table_is_no_choice_there():
    """The kernels keep it."""
    with pytest.raises(UsageError, match="keep the token table; leave --quantize-embeddings q4_0 out"):
        check_weights(["int8_torchao"], "q4_0")


@pytest.mark.usefixtures("model")
def test_a_checkpoint_runs_on_the_kernels(gemma):
    """With its own fingerprint, label and vectors; quantized layers are not packed for another library."""
    native = open_checkpoint(gemma, device="cpu")
    made = {level: with_weights(native, level) for level in ("int8_channel", *kernel_levels())}
    assert len({each.fingerprint for each in made.values()}) == 3
    assert made["int8_torchao"].weights_label == "int8_torchao (PTQ)"
    vectors = {level: each.encoder().encode(TEXTS, "") for level, each in made.items()}
    np.testing.assert_allclose(vectors["int8_torchao"], vectors["int8_channel"], atol=0.02)
    assert np.abs(vectors["int4_torchao"] - vectors["int8_torchao"]).max() > 1e-3
    model = made["int8_torchao"].encoder().model
    quantized = [part for part in model.modules() if type(part) is torch.nn.Linear]
    assert quantized
    assert pack_linear_layers(model, 64) == 0
