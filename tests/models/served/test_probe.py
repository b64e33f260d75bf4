"""The probe: small noise passes, another model does not, and the error names both."""

import numpy as np
import pytest

from evalsuite.core.errors import CheckpointError
from evalsuite.models.served.probe import PROBE_TEXTS, Probe, probe_digest


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def vectors():
    return unit(np.random.default_rng(0).standard_normal((len(PROBE_TEXTS), 64)))


def turned(vectors, row, cosine):
    """The vectors with one of them turned so that its cosine with the old one is as given."""
    other = np.random.default_rng(1).standard_normal(vectors.shape[1])
    old = vectors[row].astype(np.float64)
    aside = other - old * (other @ old)
    aside /= np.linalg.norm(aside)
    changed = vectors.copy()
    changed[row] = cosine * old + np.sqrt(1 - cosine**2) * aside
    return changed


@pytest.mark.parametrize("cosine", [1.0, 1 - 1e-6, 1 - 0.9e-4])
def test_noise_is_no_drift(vectors, cosine):
    """What batching and float16 do to a vector passes."""
    Probe("m", vectors).check(turned(vectors, 3, cosine))


@pytest.mark.parametrize("cosine", [1 - 1.1e-4, 0.9, -1.0])
def test_one_turned_vector_is_drift(vectors, cosine):
    """A single probe text beyond the bound is an error with both digests, the cosine and the text."""
    stored = turned(vectors, 3, cosine)
    with pytest.raises(CheckpointError, match=r"m at url drifted.*cache prune") as caught:
        Probe("m at url", vectors).check(stored)
    told = str(caught.value)
    assert probe_digest(vectors) in told
    assert probe_digest(stored) in told
    assert f"{cosine:.6f}" in told
    assert PROBE_TEXTS[3] in told


def test_the_digest_is_rounded_and_knows_no_negative_zero():
    """A last bit does not change a digest, nor the sign of zero; another vector does."""
    rows = np.float32([[0.6, 0.8, 0.0]])
    assert probe_digest(rows) == probe_digest(rows + np.float32(1e-6)) == probe_digest(rows * [1, 1, -1])
    assert probe_digest(rows) != probe_digest(rows[:, ::-1])
