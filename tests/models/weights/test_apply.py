"""Weight levels on whole models: the right tensors are touched, all are listed, mistakes change nothing."""

import gguf
import numpy as np
import pytest
import torch

from evalsuite.core.errors import CheckpointError, UsageError
from evalsuite.core.weights import WeightReport
from evalsuite.models.loading import quiet_libraries
from evalsuite.models.weights import apply_weights, known_weights
from evalsuite.models.weights.grids import INT4_CHANNEL, INT8_CHANNEL
from evalsuite.models.weights.kernels import kernel_levels

GRIDS = [level for level in known_weights() if level not in kernel_levels()]
"""Levels that round; torchao's are tested where they are made."""


class Block(torch.nn.Module):
    """One layer, with the names that transformers gives."""

    def __init__(self):
        super().__init__()
        self.self_attn = torch.nn.ModuleDict({"q_proj": torch.nn.Linear(64, 64)})
        self.mlp = torch.nn.ModuleDict(
            {"up_proj": torch.nn.Linear(64, 128), "narrow": torch.nn.Linear(20, 8)}
        )
        self.norm = torch.nn.LayerNorm(64)


class Model(torch.nn.Module):
    """A token table, positions, one layer and a tied output."""

    def __init__(self):
        super().__init__()
        self.tokens = torch.nn.Embedding(100, 64)
        self.positions = torch.nn.Embedding(16, 64)
        self.layers = torch.nn.ModuleList([Block()])
        self.pooler = torch.nn.Linear(64, 64, bias=False)
        self.out = torch.nn.Linear(64, 100, bias=False)
        self.out.weight = self.tokens.weight


@pytest.fixture
def model():
    """The same small model every time."""
    torch.manual_seed(0)
    return Model()


def values_of(model):
    """Copies of all parameters."""
    return {name: weights.detach().clone() for name, weights in model.named_parameters()}


def by_name(report):
    """Tensors of a report by name."""
    return {tensor.name: tensor for tensor in report.tensors}


@pytest.mark.parametrize("level", GRIDS)
def test_every_tensor_is_listed_and_what_is_kept_is_untouched(model, level):
    """Tensors without a grid keep their bits; the others say how far they moved."""
    before = values_of(model)
    report = apply_weights(model, level)
    tensors = by_name(report)
    assert list(tensors) == list(before)
    for name, weights in model.named_parameters():
        same = torch.equal(weights, before[name])
        assert same == (tensors[name].kept is not None)
        assert (tensors[name].sqnr_db is None) == same
        assert weights.requires_grad
    assert all(tensor.kept for tensor in report.tensors if len(tensor.shape) != 2)


@pytest.mark.parametrize("level", GRIDS)
def test_a_second_time_changes_nothing(model, level):
    """Applying a level to its own result moves no value."""
    apply_weights(model, level)
    before = values_of(model)
    again = apply_weights(model, level)
    assert all(torch.equal(weights, before[name]) for name, weights in model.named_parameters())
    assert all(tensor.sqnr_db is None for tensor in again.tensors)


def test_native_is_the_model_as_it_was(model):
    """Nothing is touched, and bytes are those of the parameters."""
    report = apply_weights(model, "native")
    assert {tensor.kept for tensor in report.tensors} == {"kept as loaded", "not a matrix"}
    assert report.bytes == report.native_bytes == sum(4 * p.numel() for p in model.parameters())
    assert report.bits_per_weight == 32


def test_groups_are_told_apart(model):
    """Token table, positions, attention, feed-forward and the rest, each by name or by kind."""
    groups = {tensor.name: tensor.group for tensor in apply_weights(model, "q8_0").tensors}
    assert groups["tokens.weight"] == "token_embedding"
    assert groups["positions.weight"] == "other_embedding"
    assert groups["layers.0.self_attn.q_proj.weight"] == "attention"
    assert groups["layers.0.mlp.up_proj.weight"] == "feed_forward"
    assert groups["pooler.weight"] == "other"
    assert groups["layers.0.norm.weight"] == groups["layers.0.mlp.up_proj.bias"] == "vectors"
    assert "out.weight" not in groups


def test_rows_that_are_no_whole_blocks_stay(model):
    """20 columns are not a multiple of 32: the block formats keep the tensor and say so; rows do not care."""
    name = "layers.0.mlp.narrow.weight"
    assert by_name(apply_weights(model, "q4_0"))[name].kept == "20 columns are not a multiple of 32"
    assert by_name(apply_weights(model, "int8_channel"))[name].kept is None


def test_the_mixed_recipe(model):
    """int4 rows for tables, feed-forward and projections, int8 rows for attention and the rest."""
    before = values_of(model)
    grids = {tensor.name: tensor.grid for tensor in apply_weights(model, "e4_a8_f4_p4").tensors}
    expected = {"tokens.weight": INT4_CHANNEL, "layers.0.mlp.up_proj.weight": INT4_CHANNEL,
                "layers.0.self_attn.q_proj.weight": INT8_CHANNEL, "pooler.weight": INT8_CHANNEL}  # fmt: skip
    after = dict(model.named_parameters())
    for name, grid in expected.items():
        assert grids[name] == grid.name
        assert np.array_equal(after[name].detach().numpy(), grid.round_trip(before[name].numpy()))


@pytest.mark.parametrize(("embeddings", "grid"), [(None, "q4_0"), ("q8_0", "q8_0"), ("keep", "float32")])
def test_the_token_table_apart(model, embeddings, grid):
    """The table follows its own choice; positions follow the level."""
    tensors = by_name(apply_weights(model, "q4_0", embeddings))
    assert tensors["tokens.weight"].grid == grid
    assert tensors["tokens.weight"].kept == ("token table kept" if embeddings == "keep" else None)
    assert tensors["positions.weight"].grid == "q4_0"


def test_the_table_alone(model):
    """With native weights the choice for the table still counts."""
    touched = [tensor.name for tensor in apply_weights(model, "native", "q4_0").tensors if not tensor.kept]
    assert touched == ["tokens.weight"]


def test_sums_are_those_of_the_tensors(model):
    """Groups add up to tensors, tensors to the model; q4_0 stores 4.5 bits and 32 for what it keeps."""
    report = apply_weights(model, "q4_0")
    assert report.bytes == sum(t.bytes for t in report.tensors) == sum(g.bytes for g in report.groups)
    assert sum(group.tensors for group in report.groups) == len(report.tensors)
    assert sum(group.values for group in report.groups) == sum(p.numel() for p in model.parameters())
    table = next(group for group in report.groups if group.group == "token_embedding")
    assert (table.bytes, table.bits_per_weight, table.values) == (100 * 64 * 4.5 / 8, 4.5, 6400)
    assert table.sqnr_db == by_name(report)["tokens.weight"].sqnr_db
    kept = 64 + 128 + 8 + 64 + 64 + 8 * 20
    assert report.bytes == 4.5 / 8 * (6400 + 1024 + 4096 + 8192 + 4096) + 4 * kept


def test_noise_is_that_of_the_weights(model):
    """A group's decibel is signal over noise of all its values together."""
    before = values_of(model)
    report = apply_weights(model, "int8_channel")
    names = ["layers.0.mlp.up_proj.weight", "layers.0.mlp.narrow.weight"]
    after = dict(model.named_parameters())
    signal = sum(float(before[name].double().square().sum()) for name in names)
    noise = sum(float((after[name].detach() - before[name]).double().square().sum()) for name in names)
    group = next(group for group in report.groups if group.group == "feed_forward")
    assert group.sqnr_db == pytest.approx(10 * np.log10(signal / noise))


def test_large_tables_are_rounded_in_pieces():
    """More values than are rounded at once come out as if they had been."""
    table = torch.nn.Embedding(40_000, 32)
    expected = table.weight.detach().numpy().copy()
    apply_weights(table, "q4_0")
    kind = gguf.GGMLQuantizationType.Q4_0
    expected = gguf.quants.dequantize(gguf.quants.quantize(expected, kind), kind)
    assert np.array_equal(table.weight.detach().numpy(), expected)


def test_report_survives_json(model):
    """What is written is read back equal."""
    report = apply_weights(model, "e4_a8_f4_p4", "keep")
    assert WeightReport.model_validate_json(report.model_dump_json()) == report


def test_every_mistake_is_named_and_nothing_is_touched(model):
    """NaN in one tensor and a half in another are both named, and the others keep their values."""
    with torch.no_grad():
        model.pooler.weight[0, 0] = float("nan")
    model.positions.half()
    before = values_of(model)
    with pytest.raises(CheckpointError) as caught:
        apply_weights(model, "q8_0")
    assert "pooler.weight holds NaN" in str(caught.value)
    assert "positions.weight is float16, which cannot hold q8_0 values; load the model in float32" in str(
        caught.value
    )
    assert torch.equal(model.tokens.weight, before["tokens.weight"])


def test_weights_beyond_the_format_are_named(model):
    """A value that would overflow the block's float16 scale is refused."""
    with torch.no_grad():
        model.pooler.weight[0, 0] = 1e6
    with pytest.raises(CheckpointError, match=r"pooler\.weight holds 1e\+06; q4_0 ends at 524032"):
        apply_weights(model, "q4_0")


def test_bfloat16_weights_are_already_on_their_grid(model):
    """A model loaded in bfloat16 may be asked for bfloat16: no value moves, and matrices take 16 bits."""
    report = apply_weights(model.bfloat16(), "bfloat16")
    assert all(tensor.sqnr_db is None for tensor in report.tensors)
    assert report.bits_per_weight == 16


def test_unknown_names_are_named_together(model):
    """A wrong level and a wrong choice for the table come in one message."""
    with pytest.raises(UsageError) as caught:
        apply_weights(model, "q5_0", "q6_k")
    assert "unknown weight precision 'q5_0'" in str(caught.value)
    assert "the token table cannot be 'q6_k'; known: q4_0, q8_0, keep" in str(caught.value)


@pytest.mark.parametrize("shape", ["gemma", "gemma2"])
def test_embeddinggemma_parts(shape, request):
    """Both generations' parts are recognised: table, attention, feed-forward, projections."""
    with quiet_libraries():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(request.getfixturevalue(shape)), device="cpu")
    before = model.encode(["a small question"])
    report = apply_weights(model, "e4_a8_f4_p4")
    groups = {group.group: group for group in report.groups}
    projections = [tensor for tensor in report.tensors if tensor.group == "projection"]
    assert groups["token_embedding"].tensors == 1
    assert groups["token_embedding"].grid == groups["feed_forward"].grid == "int4_channel"
    assert groups["attention"].grid == "int8_channel"
    assert len(projections) == {"gemma": 2, "gemma2": 1}[shape]
    after = model.encode(["a small question"])
    assert 0.5 < float((before * after).sum()) < 1 - 1e-6
    # EmbeddingGemma 2's per-layer inputs are in no recipe.
    assert all(".ple" in tensor.name for tensor in report.tensors if tensor.group == "other")
    assert ("other" in groups) == (shape == "gemma2")


def test_files_stay_as_they_are(gemma):
    """Weights are rounded in memory: the files of the checkpoint they came from do not change."""
    with quiet_libraries():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(gemma), device="cpu")
    files = {path: path.read_bytes() for path in gemma.rglob("*.safetensors")}
    assert files
    apply_weights(model, "q4_0")
    assert {path: path.read_bytes() for path in files} == files


def test_a_bert_shaped_model():
    """BERT's names are recognised: output.dense is attention inside attention, feed-forward outside."""
    with quiet_libraries():
        from transformers import BertConfig, BertModel

        config = BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                            intermediate_size=64, max_position_embeddings=64)  # fmt: skip
        groups = {tensor.name: tensor.group for tensor in apply_weights(BertModel(config), "q8_0").tensors}
    layer = "encoder.layer.0"
    assert groups["embeddings.word_embeddings.weight"] == "token_embedding"
    assert groups["embeddings.position_embeddings.weight"] == "other_embedding"
    assert groups["embeddings.token_type_embeddings.weight"] == "other_embedding"
    assert groups[f"{layer}.attention.self.query.weight"] == "attention"
    assert groups[f"{layer}.attention.output.dense.weight"] == "attention"
    assert groups[f"{layer}.intermediate.dense.weight"] == "feed_forward"
    assert groups[f"{layer}.output.dense.weight"] == "feed_forward"
    assert groups["pooler.dense.weight"] == "other"
