"""Labelled pairs: values whose means are mteb's metrics, and whose variance is theirs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mteb.abstasks.pair_classification import AbsTaskPairClassification
from sklearn.metrics import average_precision_score

from evalsuite.metrics.labelled_pairs import RankedPairs

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=20).filter(
    lambda pairs: any(alike for _, alike in pairs)
)


def ranked(pairs):
    similarities, labels = (np.array(each, dtype=np.float64) for each in zip(*pairs, strict=True))
    return RankedPairs.of(similarities, labels), similarities, labels


@given(PAIRS)
def test_the_mean_is_the_average_precision(pairs):
    """With ties too, it is scikit-learn's."""
    found, similarities, labels = ranked(pairs)
    assert found.average_precision().mean() == pytest.approx(average_precision_score(labels, similarities))


@given(PAIRS)
def test_means_are_mtebs_best_accuracy_and_f1(pairs):
    """At the thresholds that mteb allows; where there is none, or nothing is found, there are no values."""
    found, similarities, labels = ranked(pairs)
    task = object.__new__(AbsTaskPairClassification)
    accuracy, _ = task._find_best_acc_and_threshold(list(similarities), labels, high_score_more_similar=True)
    f1 = task._find_best_f1_and_threshold(list(similarities), labels, high_score_more_similar=True)[0]
    if len(set(similarities)) == 1:
        assert np.isnan(found.best_accuracy()).all()
        assert np.isnan(found.best_f1()).all()
        return
    assert found.best_accuracy().mean() == pytest.approx(accuracy)
    assert f1 == 0 or found.best_f1().mean() == pytest.approx(f1)


def test_by_hand():
    """Four pairs in descending order, alike, not, alike, not: AP is (1 + 2/3)/2, three are right at a cut."""
    found, _, _ = ranked([(4, True), (3, False), (2, True), (1, False)])
    assert found.average_precision().mean() == pytest.approx(5 / 6)
    assert found.best_accuracy().tolist() == [1, 1, 0, 1]
    assert found.best_f1().mean() == pytest.approx(0.8)


def test_values_stay_with_their_pairs():
    """The order in which pairs are given changes nothing but the order of the values."""
    rng = np.random.default_rng(0)
    similarities, labels = rng.integers(0, 9, 60).astype(float), rng.integers(0, 2, 60).astype(float)
    mixed = rng.permutation(60)
    for values in (RankedPairs.average_precision, RankedPairs.best_f1, RankedPairs.best_accuracy):
        there = values(RankedPairs.of(similarities, labels))
        np.testing.assert_allclose(values(RankedPairs.of(similarities[mixed], labels[mixed])), there[mixed])


def test_values_are_what_leaving_a_pair_out_shows():
    """Of many pairs, the jackknife's n AP - (n - 1) AP without the pair is nearly the value of the pair."""
    rng = np.random.default_rng(1)
    labels = (rng.random(800) < 0.3).astype(float)
    similarities = rng.standard_normal(800) + labels
    whole = average_precision_score(labels, similarities)
    values = RankedPairs.of(similarities, labels).average_precision()
    for place in range(0, 800, 40):
        kept = np.arange(800) != place
        pseudo = 800 * whole - 799 * average_precision_score(labels[kept], similarities[kept])
        assert values[place] == pytest.approx(pseudo, abs=0.03)


@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_the_spread_of_means_is_that_of_the_metric(gain):
    """Over 400 draws of 500 pairs, the standard error from one draw's values is the metric's, within 10 %."""
    rng = np.random.default_rng(2)
    metrics, errors = [], []
    for _ in range(400):
        labels = (rng.random(500) < 0.4).astype(float)
        values = RankedPairs.of(rng.standard_normal(500) + gain * labels, labels).average_precision()
        metrics.append(values.mean())
        errors.append(values.std(ddof=1) / np.sqrt(500))
    assert np.mean(errors) == pytest.approx(np.std(metrics, ddof=1), rel=0.1)
