"""The Pareto front and the rule that recommends."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.variant import Variant
from evalsuite.reporting.choose import VariantSummary, pareto_front, recommend

FULL = Variant(384, "float32")
# Few values, so that ties in cost, in quality and in both are common.
points = st.lists(st.tuples(st.integers(1, 6).map(float), st.integers(0, 6).map(float)), max_size=30)


def beats(one, other):
    """Whether one point is as cheap and as good as the other."""
    return one[0] <= other[0] and one[1] >= other[1]


def summary(variant, size, kept, retentions=None):
    return VariantSummary(Variant.parse(variant), size, 1536 / size, retentions or {"t": kept}, kept)


@given(points)
def test_no_member_of_the_front_is_beaten(cloud):
    """No other point, member or not, is as cheap and as good, unless it is the same point."""
    for index in pareto_front(cloud):
        assert not any(beats(other, cloud[index]) and other != cloud[index] for other in cloud)


@given(points)
def test_every_other_point_is_beaten_by_a_member(cloud):
    """What is left out is left out for a reason."""
    front = pareto_front(cloud)
    for index, point in enumerate(cloud):
        assert index in front or any(beats(cloud[member], point) for member in front)


@given(points)
def test_the_front_rises_and_holds_each_point_once(cloud):
    """Cost and quality both rise strictly along the front."""
    front = [cloud[index] for index in pareto_front(cloud)]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(front))


def test_front_by_hand():
    """Of equal points the first stays; a dearer point must be better."""
    assert pareto_front([(4, 9), (1, 5), (1, 5), (2, 5), (3, 7), (1, 4)]) == (1, 4, 0)
    assert pareto_front([]) == ()


def test_the_smallest_variant_that_keeps_enough_is_chosen():
    """96/int8 is smaller but keeps too little; of equal sizes the better one wins."""
    variants = [
        summary("384/float32", 1536, 1.0),
        summary("192/int8", 192, 0.985, {"Facts": 0.971, "Pairs": 0.999}),
        summary("96/float16", 192, 0.981),
        summary("96/int8", 96, 0.95),
    ]
    advice = recommend("m", variants, full=FULL)
    assert advice.chosen is variants[1]
    assert advice.headline == "Ship 192/int8"
    sentence = advice.sentence.replace("\N{NO-BREAK SPACE}", " ")
    assert sentence == (
        "It keeps 98.5 % of full quality (mean retention over 2 tasks; least on Facts, 97.1 %) "
        "at 192 bytes per vector (192 MB per million) instead of 1,536: 8× smaller."
    )
    assert "at least 98\N{NO-BREAK SPACE}% of full-width float32 (384/float32)" in advice.rule


def test_exactly_enough_is_enough():
    """Rounding of a mean does not cost a variant its place."""
    assert recommend("m", [summary("96/int8", 96, 0.98 - 1e-12)], full=FULL).chosen is not None


def test_keeping_everything_is_advice_too():
    """If only full-width float32 keeps enough, the advice is to keep it."""
    variants = [summary("384/float32", 1536, 1.0), summary("96/int8", 96, 0.5)]
    advice = recommend("m", variants, full=FULL)
    assert advice.headline == "Keep 384/float32"
    assert advice.sentence.startswith("No smaller variant keeps enough quality.")
    alone = recommend("m", variants[:1], full=FULL)
    assert alone.sentence.startswith("No smaller variant was evaluated.")


def test_without_a_candidate_the_closest_is_named():
    """The rule does not choose what breaks it."""
    advice = recommend("m", [summary("96/int8", 96, 0.5), summary("48/int8", 48, 0.4)], full=FULL)
    assert advice.chosen is None
    assert "the closest is 96/int8 with 50.0" in advice.sentence


def test_without_full_width_the_next_step_is_given():
    """A grid of small variants has nothing to be compared with; the advice says what to add."""
    advice = recommend("m", [VariantSummary(Variant(96, "int8"), 96, None, {"t": None}, None)], full=FULL)
    assert advice.chosen is None
    assert "384/float32 was not evaluated" in advice.sentence
    assert "add dimension 384 and precision float32" in advice.sentence


def test_without_any_mean_the_reason_is_given():
    """Failed cells leave nothing to choose from."""
    nothing = VariantSummary(FULL, None, None, {"t": None}, None)
    advice = recommend("m", [nothing], full=FULL)
    assert advice.chosen is None
    assert "cells failed" in advice.sentence
    assert nothing.worst is None
