"""Non-inferiority: the burden of proof turned round."""

import numpy as np
import pytest
from scipy import stats

from evalsuite.stats.noninferiority import equivalence_p, noninferiority_p
from evalsuite.stats.paired import spread_of_mean
from evalsuite.stats.strata import Strata


def made(n=50, seed=0):
    d = np.random.default_rng(seed).normal(-0.002, 0.05, (n, 1))
    return d, d.mean(axis=0), spread_of_mean(d, Strata.whole(n))


def test_equals_a_shifted_t_test():
    """The p-value is that of scipy's one-sided t-test against minus the margin."""
    d, estimate, spread = made()
    reference = stats.ttest_1samp(d[:, 0], -0.01, alternative="greater").pvalue
    assert noninferiority_p(estimate, spread, np.array([0.01]))[0] == pytest.approx(reference, abs=1e-12)


def test_a_wider_margin_is_easier_to_show():
    """p falls as the margin grows."""
    _, estimate, spread = made()
    p = [noninferiority_p(estimate, spread, np.array([margin]))[0] for margin in (0, 0.01, 0.02, 0.05)]
    assert p == sorted(p, reverse=True)
    assert p[-1] < 0.001


def test_equivalence_needs_both_sides():
    """TOST takes the worse of the two one-sided tests; a clear gain is not equivalent."""
    _, estimate, spread = made()
    margin = np.array([0.02])
    both = noninferiority_p(estimate, spread, margin)[0], noninferiority_p(-estimate, spread, margin)[0]
    assert equivalence_p(estimate, spread, margin)[0] == max(both)
    assert equivalence_p(estimate + 0.5, spread, margin)[0] > 0.99


def test_without_variation_the_margin_decides():
    """A certain drop of exactly the margin is not excluded; a smaller one is."""
    spread = spread_of_mean(np.full((5, 2), [-0.01, -0.0099]), Strata.whole(5))
    spread = type(spread)(np.zeros(2), spread.freedom)
    p = noninferiority_p(np.array([-0.01, -0.0099]), spread, np.array([0.01, 0.01]))
    assert list(p) == [1.0, 0.0]
