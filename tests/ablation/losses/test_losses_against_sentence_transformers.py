"""Outside oracle: every loss that sentence-transformers has gives the same number there."""

import pytest
import torch
from sentence_transformers.sentence_transformer import losses as theirs

from evalsuite.ablation.losses.distillation import distillation
from evalsuite.ablation.losses.gor import gor, gor_original
from evalsuite.ablation.losses.matryoshka import matryoshka, unit
from evalsuite.ablation.losses.nce import nce

DIM = 24


class Columns(torch.nn.Module):
    """Stands for a pipeline: the features it is given are the embeddings already."""

    device = torch.device("cpu")

    def forward(self, features):
        return {"sentence_embedding": features["sentence_embedding"]}

    def get_embedding_dimension(self):
        return DIM


@pytest.fixture
def columns():
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(16, DIM, generator=generator, dtype=torch.float64) + 0.3 for _ in range(3)]


def close(ours, expected):
    torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-9)


def test_nce_is_multiple_negatives_ranking(columns):
    """Without hard negatives the contrastive loss is MultipleNegativesRankingLoss."""
    queries, positives = map(unit, columns[:2])
    expected = theirs.MultipleNegativesRankingLoss(Columns(), scale=20.0).compute_loss_from_embeddings(
        [queries, positives], None
    )
    close(nce(queries, positives, temperature=0.05), expected)


def test_a_single_query_with_a_hard_negative_agrees(columns):
    """For one query, where no other query lends its negatives, hardness weighting agrees too."""
    single = [unit(column[:1]) for column in columns]
    loss = theirs.MultipleNegativesRankingLoss(
        Columns(), scale=20.0, hardness_mode="hard_negatives", hardness_strength=5.0
    )
    expected = loss.compute_loss_from_embeddings(single, None)
    close(nce(*single, temperature=0.05, hardness=5.0), expected)


def test_gor_is_their_second_moment_without_the_hinge(columns):
    """EmbeddingGemma's term is theirs plus the 1/d that their hinge takes off each side."""
    sides = [unit(column) for column in columns[:2]]
    loss = theirs.GlobalOrthogonalRegularizationLoss(Columns(), mean_weight=0, aggregation="sum")
    expected = loss.compute_loss_from_embeddings(sides)["gor_second_moment"]
    close(gor(sides), expected + 2 / DIM)


def test_original_gor_is_theirs(columns):
    """Mean term and hinged second moment add up to theirs."""
    sides = [unit(column) for column in columns[:2]]
    parts = theirs.GlobalOrthogonalRegularizationLoss(Columns(), aggregation="sum")
    close(gor_original(sides), sum(parts.compute_loss_from_embeddings(sides).values()))


def test_distillation_is_theirs_summed_over_columns(columns):
    """They average over columns, the paper sums."""
    students, teachers = [unit(c) for c in columns], [unit(c.flip(0)) for c in columns]
    loss = theirs.EmbedDistillLoss(Columns(), distance_metric="l2")
    close(distillation(students, teachers), 3 * loss.compute_loss_from_embeddings(students, teachers))


def test_distillation_with_a_projection_is_theirs(columns):
    """The learned map into a wider teacher's space is a linear layer."""
    students, teachers = [unit(c.float()) for c in columns], [torch.ones(16, 40) / 40**0.5] * 3
    loss = theirs.EmbedDistillLoss(Columns(), distance_metric="l2", projection_dim=40)
    torch.nn.init.zeros_(loss.projection.bias)
    expected = loss.compute_loss_from_embeddings(students, teachers)
    close(distillation(students, teachers, loss.projection.weight), 3 * expected)


def test_matryoshka_is_theirs(columns):
    """Slicing, renormalising and summing over prefixes is MatryoshkaLoss."""
    inner = theirs.MultipleNegativesRankingLoss(Columns(), scale=20.0)
    model = inner.model
    outer = theirs.MatryoshkaLoss(model, inner, [24, 12, 6])
    features = [{"sentence_embedding": column} for column in columns[:2]]
    expected = outer(features, None)
    close(matryoshka(lambda cut: nce(*cut, temperature=0.05), columns[:2], [24, 12, 6]), expected)
