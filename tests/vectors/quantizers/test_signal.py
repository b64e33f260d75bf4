"""Golden signal-to-noise ratios on uniform unit vectors, and what they mean for neighbours."""

from functools import cache

import numpy as np
import pytest

from evalsuite.vectors.quantizers import quantizer
from tests.vectors.quantizers.samples import decibel, uniform

DIMS = (768, 512, 256, 128)
GOLDEN = {
    "float16": (73.65, 73.68, 73.65, 73.68),
    "bfloat16": (55.58, 55.62, 55.59, 55.61),
    "float8_e4m3": (31.52, 31.52, 31.52, 31.52),
    "float8_e5m2": (25.53, 25.57, 25.54, 25.58),
    "int8_affine": (40.36, 40.35, 40.36, 40.54),
    "int8": (42.29, 42.60, 43.15, 43.77),
    "int4_affine": (16.24, 16.26, 16.25, 16.38),
    "int4": (17.12, 17.43, 17.98, 18.60),
    "ternary": (7.22, 7.23, 7.24, 7.26),
    "binary": (4.40, 4.41, 4.42, 4.43),
    "turboquant_1bit": (4.40, 4.40, 4.40, 4.40),
    "turboquant_2bit": (9.30, 9.30, 9.30, 9.30),
    "turboquant_3bit": (14.62, 14.62, 14.62, 14.62),
    "turboquant_4bit": (20.22, 20.22, 20.22, 20.22),
}
"""Decibels at 768, 512, 256 and 128 dimensions; affine ranges fitted on 20,000 other vectors."""
ROWS = {768: 4000, 512: 6000, 256: 12000, 128: 20000}


@cache
def calibration(dim):
    """Vectors to fit on."""
    return uniform(20000, dim, 1)


@cache
def measured(dim):
    """Vectors to measure on."""
    return uniform(ROWS[dim], dim, 2)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_signal_to_noise_on_uniform_vectors(name, dim):
    """The ratio is the known value within 0.2 dB; sign and ternary codes at the scale of least error."""
    level = quantizer(name).fit(calibration(dim), np.random.default_rng(0))
    x = measured(dim)
    found = decibel(x, level.decode(level.encode(x)), best_scale=name in ("ternary", "binary"))
    assert found == pytest.approx(GOLDEN[name][DIMS.index(dim)], abs=0.2)


def neighbours(scores):
    """The ten best documents of each query."""
    return np.argsort(-np.asarray(scores), axis=1, kind="stable")[:, :10]


def overlap(first, second):
    """Mean share of the ten best that agree."""
    return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(first, second, strict=True)])


@pytest.fixture(scope="module")
def power_law():
    """Documents and queries whose covariance spectrum falls as i**-0.5, 768 dimensions."""
    spectrum = np.arange(1, 769) ** -0.25
    x = np.random.default_rng(3).standard_normal((5200, 768)) * spectrum
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return x[:200], x[200:]


def test_decoded_int8_keeps_the_neighbours(power_law):
    """Float query x decoded int8 keeps more than 97 % of the ten nearest, codes both sides too."""
    queries, documents = power_law
    expected = neighbours(queries @ documents.T)
    level = quantizer("int8_affine").fit(documents, np.random.default_rng(0))
    codes = level.encode(documents)
    assert overlap(neighbours(level.asymmetric_scores(queries, codes)), expected) > 0.97
    assert overlap(neighbours(level.scores(level.encode(queries), codes)), expected) > 0.95


def test_raw_affine_codes_lose_them(power_law):
    """Scoring the affine codes themselves, as some tools do, is another metric: most neighbours are lost."""
    queries, documents = power_law
    level = quantizer("int8_affine").fit(documents, np.random.default_rng(0))
    raw = [level.encode(x).values.astype(np.float32) - 128 for x in (queries, documents)]
    found = overlap(neighbours(raw[0] @ raw[1].T), neighbours(queries @ documents.T))
    assert 0.15 < found < 0.45


def test_asymmetric_signs_keep_more_neighbours_than_symmetric(power_law):
    """A float32 query finds more of the float neighbours in sign codes than its own signs do."""
    queries, documents = power_law
    expected = neighbours(queries @ documents.T)
    level = quantizer("binary")
    codes = level.encode(documents)
    symmetric = overlap(neighbours(level.scores(level.encode(queries), codes)), expected)
    assert overlap(neighbours(level.asymmetric_scores(queries, codes)), expected) > 1.3 * symmetric
