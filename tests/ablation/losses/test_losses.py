"""The losses by their properties and by numbers worked by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.ablation.losses.distillation import distillation
from evalsuite.ablation.losses.gor import gor, gor_original, moments
from evalsuite.ablation.losses.matryoshka import matryoshka, unit
from evalsuite.ablation.losses.nce import duplicates, nce


def sphere(rows, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return unit(torch.randn(rows, width, generator=generator, dtype=torch.float64))


@given(rows=st.integers(2, 12), width=st.integers(1, 12), seed=st.integers(0, 99))
def test_moments_are_means_over_pairs(rows, width, seed):
    """Both products, and any shape, give the plain mean over pairs of different rows."""
    vectors = sphere(rows, width, seed)
    cosines = torch.tensor(
        [float(vectors[i] @ vectors[j]) for i in range(rows) for j in range(rows) if i != j]
    )
    first, second = moments(vectors)
    assert float(first) == pytest.approx(float(cosines.mean()), abs=1e-6)
    assert float(second) == pytest.approx(float(cosines.square().mean()), abs=1e-6)


@given(seed=st.integers(0, 99))
def test_gor_does_not_change_under_rotation(seed):
    """Spread is a property of angles, whatever the axes."""
    vectors = sphere(8, 6, seed)
    rotation, _ = torch.linalg.qr(sphere(6, 6, seed + 1))
    torch.testing.assert_close(gor([vectors]), gor([vectors @ rotation]))


@pytest.mark.parametrize(
    ("rows", "expected"), [([[1.0, 0.0], [0.0, 1.0]], 0.0), ([[1.0, 0.0], [1.0, 0.0]], 1.0)]
)
def test_gor_of_two_points(rows, expected):
    """Orthogonal points cost nothing, equal points cost 1 a side."""
    side = torch.tensor(rows)
    assert float(gor([side, side])) == pytest.approx(2 * expected)


def test_original_gor_forgives_what_the_hinge_allows():
    """Below 1/d the second moment costs nothing in the original and something in EmbeddingGemma's."""
    side = torch.tensor([[1.0, 0.0], [math.cos(1.2), math.sin(1.2)]])
    cosine = math.cos(1.2)
    assert float(gor_original([side])) == pytest.approx(cosine**2, rel=1e-5)
    assert float(gor([side])) == pytest.approx(cosine**2, rel=1e-5)
    near = torch.tensor([[1.0, 0.0], [math.cos(0.5), math.sin(0.5)]])
    assert float(gor_original([near])) == pytest.approx(
        math.cos(0.5) ** 2 + math.cos(0.5) ** 2 - 0.5, rel=1e-5
    )


def test_a_single_row_has_no_pairs():
    """One vector has nothing to be spread from."""
    assert float(gor([sphere(1, 4)])) == pytest.approx(0.0, abs=1e-12)


def test_nce_of_two_pairs_by_hand():
    """Orthogonal pairs at temperature 1: -log(e / (e + 1))."""
    eye = torch.eye(2, dtype=torch.float64)
    assert float(nce(eye, eye, temperature=1.0)) == pytest.approx(-math.log(math.e / (math.e + 1)))


def test_a_hard_negative_is_weighted_by_its_hardness():
    """One query, negative of cosine .6: the weight is exp(5 x .6)."""
    query, negative = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.6, 0.8]])
    expected = -math.log(math.e / (math.e + math.exp(0.6) * math.exp(5 * 0.6)))
    assert float(nce(query, query, negative, temperature=1.0, hardness=5.0)) == pytest.approx(expected)


def test_no_gradient_flows_through_the_hardness():
    """The weight is a constant to the optimiser: the gradient is that of weight 1 where hardness is 0."""
    query = torch.tensor([[1.0, 0.0]])
    gradients = []
    for hardness, weight in ((2.0, 1.0), (0.0, math.exp(2.0 * 0.6))):
        negative = torch.tensor([[0.6, 0.8]], requires_grad=True)
        if hardness:
            loss = nce(query, query, negative, temperature=1.0, hardness=hardness)
        else:
            similarity = (query * negative).sum()
            loss = torch.log(math.e + weight * torch.exp(similarity)) - 1
        loss.backward()
        gradients.append(negative.grad)
    torch.testing.assert_close(*gradients)


def test_duplicates_are_found_on_either_side_and_never_on_the_diagonal():
    """Pairs that share a query or a positive are no negatives of each other."""
    masked = duplicates(torch.tensor([1, 1, 2]), torch.tensor([5, 6, 6]))
    assert masked.tolist() == [[False, True, False], [True, False, True], [False, True, False]]


def test_masking_a_duplicate_is_leaving_it_out():
    """With its only negative masked, a query's loss is 0."""
    queries = sphere(2, 5)
    masked = duplicates(torch.tensor([0, 0]), torch.tensor([1, 2]))
    assert float(nce(queries, sphere(2, 5, 1), masked=masked)) == pytest.approx(0.0, abs=1e-12)


def test_distillation_by_hand():
    """Opposite unit vectors are 2 apart; columns add up."""
    vectors = sphere(3, 4)
    assert float(distillation([vectors, vectors], [-vectors, vectors])) == pytest.approx(2.0)


def test_matryoshka_sees_unit_prefixes_of_every_dim():
    """The inner loss is called once a dim, with rows of unit length."""
    seen = []

    def inner(columns):
        seen.append(columns[0].shape[1])
        torch.testing.assert_close(columns[0].norm(dim=1), torch.ones(6, dtype=torch.float64))
        return columns[0].sum() * 0 + 1

    assert float(matryoshka(inner, [5 * sphere(6, 8)], [8, 4, 2])) == 3
    assert seen == [8, 4, 2]
