"""Planning: default dimensions, the grid, and what cannot be asked for."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import UsageError
from evalsuite.core.variant import Variant
from evalsuite.sweep import plan


@pytest.mark.parametrize(
    ("width", "declared", "expected"),
    [
        (768, (768, 512, 256, 128), (768, 512, 256, 128)),
        (768, (512, 256), (768, 512, 256)),
        (384, (), (384, 192, 96, 48)),
        (1024, (), (1024, 512, 256, 128, 64, 32)),
        (100, (), (100, 50)),
        (7, (), (7,)),
    ],
)
def test_default_dims(width, declared, expected):
    """Declared Matryoshka dims with the full width; else the width and its halves down to 32."""
    assert expected == plan.default_dims(width, declared)


@given(st.integers(1, 5000))
def test_halvings_end_at_32_or_odd(width):
    """Each default dim is half the one before, and no dim below 32 is added."""
    dims = plan.default_dims(width, ())
    assert dims[0] == width
    assert all(a == 2 * b for a, b in itertools.pairwise(dims))
    assert min(dims) >= min(32, width)


def test_every_dim_that_is_too_large_is_named():
    """All mistakes are in one message: the dimension, the model and its width."""
    with pytest.raises(UsageError) as caught:
        plan.check_dims([512, 0, 384], {"small": 384, "tiny": 32})
    message = str(caught.value)
    for part in ("512 is larger than small's 384", "512 is larger than tiny's 32", "0 is not positive"):
        assert part in message
    assert "384 is larger than small" not in message


def test_variants_are_a_grid_without_duplicates():
    """Dims descend, precisions keep their order, nothing is listed twice."""
    ways = plan.variants(256, [64, 128, 64], ["binary", "float32", "binary"])
    assert [str(way) for way in ways] == ["128/binary", "128/float32", "64/binary", "64/float32"]


def test_cells_account_for_every_combination():
    """One cell for each task and variant."""
    ways = plan.variants(64, [64, 32], ["float32", "int8"])
    listed = plan.cells("model", ["a", "b"], ways)
    assert len(listed) == 8
    assert {(cell.task, cell.variant) for cell in listed} == {(t, w) for t in "ab" for w in ways}
    assert str(listed[0]) == "model · a · 64/float32"


@given(st.integers(1, 4096), st.sampled_from(["float32", "int8", "binary"]))
def test_variant_text_parses_back(dim, precision):
    """The canonical text is a name: it round-trips."""
    variant = Variant(dim, precision)
    assert variant == Variant.parse(str(variant))


@pytest.mark.parametrize(
    "text", ["256", "256/", "/int8", "0/int8", "-1/int8", "256/INT8", "256 / int8", "a/int8"]
)
def test_other_texts_are_refused(text):
    """What is not DIM/PRECISION is an error with an example."""
    with pytest.raises(UsageError, match="256/int8"):
        Variant.parse(text)


def test_every_wrong_level_is_named():
    """Two mistakes among four levels are told at once."""
    with pytest.raises(UsageError) as caught:
        plan.check_levels(["int8", "float33", "int8+rescore4", "binary+rescore0"])
    first, second = str(caught.value).splitlines()
    assert "float33" in first
    assert "binary+rescore0" in second
