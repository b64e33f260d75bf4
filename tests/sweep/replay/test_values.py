"""The values behind mteb's metrics: their means are the numbers that mteb reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from evalsuite.sweep.replay.values import read_values

MATCHED = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's, of translations that nothing was matched with
@given(MATCHED)
def test_values_of_matched_sentences_have_mtebs_means(matched):
    """Accuracy, and precision, recall and F1 weighted by class as mteb asks for them."""
    right, found = (list(each) for each in zip(*matched, strict=True))
    rows = {"gold": list(enumerate(right))}
    neighbours = {"sentence1-sentence2": [{"corpus_id": each, "score": 1.0} for each in found]}
    table = read_values({}, neighbours, rows, abstask=None)
    assert table["accuracy"].mean() == pytest.approx(accuracy_score(right, found))
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        expected = score(right, found, zero_division=0, average="weighted")
        assert table[name].mean() == pytest.approx(expected), name
