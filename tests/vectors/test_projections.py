"""Projections: prefix and the controls that tell it from any other choice of dimensions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from evalsuite.core.errors import UsageError
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.projections import fit_projection, known_projections


def sample(n=200, width=24, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, width)) * np.linspace(2, 0.2, width) + 0.3).astype(np.float32)


@given(st.sampled_from(known_projections()), st.integers(1, 24))
def test_every_projection_gives_unit_vectors(name, dim):
    """Whatever is kept, vectors have the asked dimension and length 1."""
    cut = fit_projection(name, sample(), np.random.default_rng(1)).cut(sample(20, seed=2), dim)
    assert cut.shape == (20, dim)
    assert cut.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-5)


def test_prefix_is_the_matryoshka_prefix():
    """`prefix` slices and renormalises, nothing else."""
    x = sample()
    prefix = fit_projection("prefix", x, np.random.default_rng())
    np.testing.assert_array_equal(prefix.cut(x, 7), unit_prefix(x, 7))


def test_pca_equals_scikit_learn():
    """Up to the sign of each component, `pca` is scikit-learn's PCA of the unit vectors, renormalised."""
    x, new = sample(), sample(30, seed=3)
    ours = fit_projection("pca", x, np.random.default_rng()).cut(new, 5)
    reference = PCA(5).fit(unit_prefix(x, 24)).transform(unit_prefix(new, 24))
    reference /= np.linalg.norm(reference, axis=1, keepdims=True)
    signs = np.sign((ours * reference).sum(axis=0))
    np.testing.assert_allclose(ours * signs, reference, atol=1e-4)


def test_random_subsets_are_nested_seeded_and_mixed():
    """The same seed keeps the same dims; a smaller subset is part of a larger; it is not the prefix."""
    basis = np.eye(24, dtype=np.float32)
    one, same, other = (fit_projection("random", basis, np.random.default_rng(s)) for s in (5, 5, 6))
    kept = [set(np.flatnonzero(one.cut(basis, dim).any(axis=1))) for dim in (4, 12)]
    assert [len(k) for k in kept] == [4, 12]
    assert kept[0] < kept[1]
    assert kept[0] != {0, 1, 2, 3}
    np.testing.assert_array_equal(one.cut(basis, 9), same.cut(basis, 9))
    assert not np.array_equal(one.cut(basis, 9), other.cut(basis, 9))


def test_unknown_projection_lists_the_known():
    """A misspelt projection is answered with the names that would work."""
    with pytest.raises(UsageError, match="prefix, pca, random"):
        fit_projection("umap", sample(), np.random.default_rng())
