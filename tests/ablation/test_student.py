"""The head over frozen features is the two layers it is saved as."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.ablation.features import Features
from evalsuite.ablation.student import HeadStudent, identity_layers
from evalsuite.ablation.trainer import learning_rate


@given(width=st.integers(1, 12), factor=st.integers(1, 4), seed=st.integers(0, 9))
def test_an_untrained_head_changes_nothing(width, factor, seed):
    """Both layers undo each other, whatever the seed."""
    first, second = identity_layers(width, width * factor, seed)
    torch.testing.assert_close(second @ first, torch.eye(width), atol=1e-5, rtol=0)


def test_a_narrow_head_projects():
    """With fewer hidden units than dimensions the start is a projection of that rank."""
    first, second = identity_layers(8, 3, 0)
    product = second @ first
    torch.testing.assert_close(product @ product, product, atol=1e-5, rtol=0)
    assert torch.linalg.matrix_rank(product) == 3


def test_one_product_gives_the_vectors_and_gradients_of_two_layers():
    """Multiplying the layers first is only faster."""
    generator = torch.Generator().manual_seed(0)
    features = Features(torch.randn(6, 4, generator=generator), np.array([[0, 1], [2, 3], [4, 5]]))
    layers = (torch.randn(8, 4, generator=generator), torch.randn(4, 8, generator=generator))
    student = HeadStudent(features, Path(), layers, [4])
    quick = student.columns(np.array([2, 0]))
    apart = [(features.vectors[rows] @ student.first.T) @ student.second.T for rows in ([4, 0], [5, 1])]
    for one, two in zip(quick, apart, strict=True):
        torch.testing.assert_close(one, two)
    gradients = [
        torch.autograd.grad(sum(column.square().sum() for column in columns), [student.first, student.second])
        for columns in (quick, apart)
    ]
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.1), (9, 1.0), (10, 1.0), (55, 0.5), (99, 0.5 * (1 + np.cos(np.pi * 89 / 90)))],
)
def test_the_learning_rate_rises_and_falls(step, expected):
    """100 steps: up over 10, then half a cosine down."""
    assert learning_rate(step, 100, 1.0) == pytest.approx(expected)
