"""RaBitQ and TurboQuant: faiss's own scores, unbiasedness, distortions."""

import faiss
import numpy as np
import pytest

from evalsuite.vectors.quantizers import quantizer
from evalsuite.vectors.quantizers.rotation import Rotation
from tests.vectors.quantizers.samples import decibel, fitted, offset, uniform

RABITQ = ["rabitq_1bit", "rabitq_2bit", "rabitq_4bit"]


@pytest.mark.parametrize("dim", [64, 36])
@pytest.mark.parametrize("name", RABITQ)
def test_asymmetric_scores_are_faiss_estimates(name, dim):
    """Float queries get what IndexRaBitQ returns for the same rotated vectors."""
    level, q, d = fitted(name, dim), offset(6, dim, 1), offset(80, dim, 2)
    level.index.reset()
    level.index.add(level.rotation.apply(d))
    scores, found = level.index.search(level.rotation.apply(q), 80)
    ours = level.asymmetric_scores(q, level.encode(d))
    np.testing.assert_allclose(np.take_along_axis(ours, found, axis=1), scores, atol=2e-6)
    level.index.reset()


def test_one_bit_decodes_as_faiss_decodes():
    """With one bit our decoder equals faiss's."""
    level = fitted("rabitq_1bit", 64)
    codes = level.encode(offset(20, 64, 3))
    np.testing.assert_allclose(level.decode_rotated(codes), level.index.sa_decode(codes.values), atol=1e-6)


@pytest.mark.parametrize("name", RABITQ)
def test_decoded_vectors_keep_their_projection(name):
    """<x' - m, x - m> = |x - m|^2: the identity that makes the estimate unbiased."""
    level, x = fitted(name, 64), offset(50, 64, 4)
    mean = level.rotation.undo(level.mean[None])
    centred = x - mean
    projection = ((level.decode(level.encode(x)) - mean) * centred).sum(axis=1)
    np.testing.assert_allclose(projection, (centred * centred).sum(axis=1), rtol=1e-4)


@pytest.mark.parametrize("name", RABITQ)
def test_estimates_are_unbiased(name):
    """Over drawn rotations the error averages to 0 within three standard errors, also along the score."""
    d = offset(60, 32, 5)
    q = offset(60, 32, 6)
    q[:30] = d[:30]  # some high scores
    true = q.astype(np.float64) @ d.T.astype(np.float64)
    errors, slopes = [], []
    for seed in range(80):
        level = quantizer(name).fit(d, np.random.default_rng(seed))
        error = level.asymmetric_scores(q, level.encode(d)) - true
        errors.append(error.mean())
        slopes.append((error * (true - true.mean())).mean())
    for values in (errors, slopes):
        assert abs(np.mean(values)) <= 3 * np.std(values, ddof=1) / np.sqrt(len(values))


def test_each_bit_lowers_the_error():
    """Estimates get nearer to the inner products with every bit."""
    q, d = offset(20, 64, 7), offset(200, 64, 8)
    spread = [
        (fitted(name, 64).asymmetric_scores(q, fitted(name, 64).encode(d)) - q @ d.T).std() for name in RABITQ
    ]
    assert spread[0] > 1.6 * spread[1] > 1.6 * 1.6 * spread[2]


@pytest.mark.parametrize("name", RABITQ)
def test_bytes_are_those_of_faiss(name):
    """The stored bytes are those faiss computes, at any width."""
    level = quantizer(name)
    for dim in (8, 33, 384):
        code = faiss.RaBitQuantizer(dim, faiss.METRIC_INNER_PRODUCT, level.bits)
        assert level.bytes_per_vector(dim) == code.code_size


@pytest.mark.parametrize(("bits", "distortion"), [(1, 0.363), (2, 0.1175), (3, 0.0345), (4, 0.0095)])
def test_turboquant_reaches_the_lloyd_max_distortion(bits, distortion):
    """The squared error is that of the best scalar quantizer of a Gaussian, for any vectors."""
    level, x = fitted(f"turboquant_{bits}bit", 256), offset(1000, 256, 9)
    found = decibel(x, level.decode(level.encode(x)))
    assert found == pytest.approx(-10 * np.log10(distortion), abs=0.2)


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_turboquant_equals_faiss(bits):
    """An IndexScalarQuantizer over the rotated vectors stores the same codes and returns the same scores."""
    level, q, d = fitted(f"turboquant_{bits}bit", 64), uniform(5, 64, 1), offset(60, 64, 2)
    kind = getattr(faiss.ScalarQuantizer, f"QT_{bits}bit_tqmse")
    index = faiss.IndexScalarQuantizer(64, kind, faiss.METRIC_INNER_PRODUCT)
    rotated = level.rotation.apply(d)
    index.train(rotated)
    index.add(rotated)
    scores, found = index.search(level.rotation.apply(q), 60)
    np.testing.assert_array_equal(index.sa_encode(rotated), level.encode(d).values)
    ours = level.asymmetric_scores(q, level.encode(d))
    np.testing.assert_allclose(np.take_along_axis(ours, found, axis=1), scores, atol=1e-6)


@pytest.mark.parametrize("dim", [1, 5, 64])
def test_rotations_keep_lengths_and_come_back(dim):
    """A drawn rotation is orthogonal; other seeds draw others."""
    rotation = Rotation.random(dim, np.random.default_rng(0))
    x = uniform(20, dim)
    np.testing.assert_allclose(np.linalg.norm(rotation.apply(x), axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(rotation.undo(rotation.apply(x)), x, atol=1e-6)
    if dim > 1:
        assert (rotation.matrix != Rotation.random(dim, np.random.default_rng(1)).matrix).any()
