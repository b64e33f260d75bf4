"""Packed linear layers: the same products, on the layers that can be packed and no others."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import Linear, Sequential

from evalsuite.models.opening import open_checkpoint
from evalsuite.models.packed import pack_linear_layers

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")


@pytest.mark.parametrize("shape", [(1, 64), (33, 64), (2, 7, 64)])
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_those_of_the_plain_layer(shape, bias):
    """Whatever the shape of the input, with and without a bias; the parameters stay where they were."""
    torch.manual_seed(0)
    layer = Linear(64, 96, bias=bias)
    inputs, before = torch.randn(shape), dict(layer.named_parameters())
    with torch.inference_mode():
        plain = layer(inputs)
        assert pack_linear_layers(Sequential(layer), 256) == 1
        torch.testing.assert_close(layer(inputs), plain, rtol=1e-5, atol=1e-5)
    assert all(dict(layer.named_parameters())[name] is weight for name, weight in before.items())


def test_other_kinds_of_layers_stay_plain():
    """A number format without packed products, and a layer with a forward pass of its own."""

    class Doubled(Linear):
        def forward(self, inputs):
            return 2 * super().forward(inputs)

    model = Sequential(Linear(8, 8).double(), Doubled(8, 8), torch.nn.Embedding(8, 8))
    assert pack_linear_layers(model, 256) == 0


def test_a_layer_that_would_change_stays_plain():
    """NaN weights never compare equal, so they are left to the plain layer."""
    layer = Linear(8, 8)
    torch.nn.init.constant_(layer.weight, float("nan"))
    assert pack_linear_layers(layer, 256) == 0
    assert layer(torch.ones(1, 8)).isnan().all()


@pytest.mark.parametrize(("dtype", "least"), [("float32", 0.9999999), ("bfloat16", 0.999)])
def test_a_road_with_packed_layers_gives_the_model_s_vectors(gemma, dtype, least):
    """A pipeline with a token budget has packed layers; its vectors point where the default's do."""
    checkpoint = open_checkpoint(gemma, device="cpu")
    texts = ["a harbour", "the quick brown fox jumps over the lazy dog", "heat flows"]
    plain = checkpoint.encoder().encode(texts, "p: ")
    road = dataclasses.replace(checkpoint.blueprint, dtype=dtype, tokens=64).encoder()
    found = road.encode(texts, "p: ")
    cosines = (plain * found).sum(1) / np.linalg.norm(plain, axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.min() > least
    if dtype == "float32":
        layers = [part for part in road.model.modules() if type(part) is Linear]
        assert layers
        assert all("forward" in vars(layer) for layer in layers)
