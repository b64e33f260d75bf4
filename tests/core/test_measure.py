"""Measures: the canonical text is the name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import UsageError
from evalsuite.core.measure import CORRELATIONS, RANKED, Measure


@given(st.sampled_from(RANKED), st.integers(1, 10_000))
def test_ranked_metrics_round_trip(name, cutoff):
    """`name@k` parses back to the same measure."""
    measure = Measure(name, cutoff)
    assert measure == Measure.parse(str(measure))


@pytest.mark.parametrize("name", CORRELATIONS)
def test_correlations_have_no_cutoff(name):
    """A correlation is written without a cut-off, and refused with one."""
    assert str(Measure.parse(name)) == name
    with pytest.raises(UsageError):
        Measure.parse(f"{name}@10")


@pytest.mark.parametrize("text", ["ndcg", "ndcg@", "ndcg@0", "ndcg@x", "NDCG@10", "bleu@1", ""])
def test_unknown_metrics_list_the_known(text):
    """What is not a metric is answered with the metrics there are."""
    with pytest.raises(UsageError, match=r"ndcg@K.*cosine_spearman"):
        Measure.parse(text)
