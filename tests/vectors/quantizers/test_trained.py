"""faiss's trained codes: parity with its indexes, refusals, silence, threads."""

import faiss
import numpy as np
import pytest

from evalsuite.core.errors import UsageError
from evalsuite.vectors.quantizers import quantizer
from tests.vectors.quantizers.samples import decibel, fitted, offset, uniform

CODEBOOKS = ["pq_1bit", "pq_2bit", "opq_1bit"]


def faiss_scores(index, queries):
    """All scores an index gives, in document order."""
    scores, found = index.search(queries, index.ntotal)
    ordered = np.empty_like(scores)
    np.put_along_axis(ordered, found, scores, axis=1)
    return ordered


@pytest.mark.parametrize("name", ["pq_1bit", "pq_2bit"])
def test_product_codes_equal_faiss(name):
    """An IndexPQ with the same codebooks stores the same codes and returns the same inner products."""
    level, q, d = fitted(name, 32), uniform(5, 32, 1), offset(60, 32, 2)
    index = faiss.IndexPQ(32, 32 // level.group, 8, faiss.METRIC_INNER_PRODUCT)
    index.pq, index.is_trained = level.codebook, True
    np.testing.assert_array_equal(index.sa_encode(d), level.encode(d).values)
    index.add(d)
    np.testing.assert_allclose(level.asymmetric_scores(q, level.encode(d)), faiss_scores(index, q), atol=1e-6)


@pytest.mark.parametrize("name", ["pq_1bit", "pq_2bit"])
def test_each_group_gets_its_nearest_centroid(name):
    """No other centroid of a group is nearer."""
    level, x = fitted(name, 32), offset(50, 32, 3)
    count = 32 // level.group
    centroids = faiss.vector_to_array(level.codebook.centroids).reshape(count, 256, level.group)
    pieces = x.reshape(50, count, 1, level.group)
    distances = ((pieces - centroids[None]) ** 2).sum(axis=3)
    chosen = np.take_along_axis(distances, level.encode(x).values[:, :, None].astype(np.int64), axis=2)
    np.testing.assert_allclose(chosen[:, :, 0], distances.min(axis=2), atol=1e-6)


@pytest.mark.parametrize(("name", "kind"), [("sq8", "QT_8bit"), ("sq4", "QT_4bit")])
def test_scalar_codes_equal_faiss(name, kind):
    """An IndexScalarQuantizer trained on the same sample stores the same codes and scores the same."""
    level, q, d = fitted(name, 32), uniform(5, 32, 1), offset(60, 32, 2)
    index = faiss.IndexScalarQuantizer(32, getattr(faiss.ScalarQuantizer, kind), faiss.METRIC_INNER_PRODUCT)
    index.train(offset(300, 32, 99))
    np.testing.assert_array_equal(index.sa_encode(d), level.encode(d).values)
    index.add(d)
    np.testing.assert_allclose(level.asymmetric_scores(q, level.encode(d)), faiss_scores(index, q), atol=1e-6)


@pytest.mark.parametrize("name", ["sq8", "sq4"])
def test_scalar_error_is_half_a_step_inside_the_range(name):
    """Inside the fitted range the error is at most half a step; shares count what lies outside."""
    sample = offset(300, 32, 99)
    level, x = fitted(name, 32), np.concatenate([sample, np.ones((1, 32), dtype=np.float32)])
    step = (sample.max(axis=0) - sample.min(axis=0)) / (255 if name == "sq8" else 15)
    error = np.abs(level.decode(level.encode(sample)) - sample)
    assert (error <= step / 2 * (1 + 1e-3) + 1e-6).all()
    assert level.clip_share(sample) == pytest.approx(0, abs=1e-3)
    assert level.clip_share(x) == pytest.approx(1 / 301, abs=1e-3)
    assert 2 / 300 < level.saturation(level.encode(x)) < 0.2


def test_learnt_rotation_lowers_the_error():
    """Where groups are correlated unevenly OPQ beats PQ on unseen vectors."""
    rng = np.random.default_rng(0)
    spectrum = np.repeat([1.0, 0.05], [8, 24])
    x = (rng.standard_normal((3000, 32)) * spectrum).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = {}
    for name in ("pq_1bit", "opq_1bit"):
        level = quantizer(name).fit(x[:2000], np.random.default_rng(1))
        found[name] = decibel(x[2000:], level.decode(level.encode(x[2000:])))
    assert found["opq_1bit"] > found["pq_1bit"] + 1
    np.testing.assert_allclose(level.rotation.matrix @ level.rotation.matrix.T, np.eye(32), atol=1e-6)


@pytest.mark.parametrize("name", CODEBOOKS)
def test_too_few_vectors_are_refused(name):
    """256 centroids need 256 vectors; the message says so and what else would work."""
    with pytest.raises(UsageError, match=rf"{name} needs at least 256 .* got 255; .*turboquant_1bit"):
        quantizer(name).fit(uniform(255, 16), np.random.default_rng(0))
    assert quantizer(name).fit(uniform(256, 16), np.random.default_rng(0)).encode(uniform(3, 16))


@pytest.mark.parametrize(("name", "use"), [("pq_1bit", 96), ("pq_2bit", 100), ("opq_1bit", 96)])
def test_widths_that_do_not_divide_are_refused(name, use):
    """The message names level and width, and a width that would work; planning finds out before the fit."""
    with pytest.raises(UsageError, match=rf"{name} .* 102 is not a multiple .* use {use} dimensions"):
        quantizer(name).bytes_per_vector(102)
    with pytest.raises(UsageError, match=rf"{name} .* 102 is not a multiple"):
        quantizer(name).fit(uniform(300, 102), np.random.default_rng(0))


def test_fewer_vectors_than_dimensions_train_a_rotation():
    """256 vectors of 264 dimensions are enough for OPQ to run, though not to be judged by."""
    level = quantizer("opq_1bit").fit(uniform(256, 264), np.random.default_rng(0))
    assert level.encode(uniform(3, 264)).values.shape == (3, 33)


@pytest.mark.parametrize("name", CODEBOOKS)
def test_training_is_silent_and_restores_the_threads(name, capfd):
    """Nothing is printed, and faiss's thread count is as it was."""
    before = faiss.omp_get_max_threads()
    quantizer(name).fit(uniform(300, 16), np.random.default_rng(0))
    assert faiss.omp_get_max_threads() == before
    assert capfd.readouterr() == ("", "")


def test_large_samples_are_cut():
    """More than 9,984 rows are drawn from with the generator: another seed, other codebooks."""
    x = uniform(12000, 8)
    first, again, other = (quantizer("pq_1bit").fit(x, np.random.default_rng(seed)) for seed in (0, 0, 1))
    codes = [level.encode(x[:500]).values for level in (first, again, other)]
    np.testing.assert_array_equal(codes[0], codes[1])
    assert (codes[0] != codes[2]).any()
