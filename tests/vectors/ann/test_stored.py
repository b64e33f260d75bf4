"""What an index holds, and who the exact neighbours are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.vectors.ann.stored import Stored, kth_best, recall, stored
from evalsuite.vectors.fidelity import neighbour_overlap
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import quantizer


def units(n, dim, seed):
    """Uniform unit vectors."""
    return unit_prefix(np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32), dim)


def best_rows(queries, documents, k):
    """Exact neighbours by inner product."""
    return np.argsort(-(queries @ documents.T), axis=1, kind="stable")[:, :k]


@given(
    st.integers(1, 30), st.integers(1, 30), st.sampled_from(["float32", "int8", "binary"]), st.integers(0, 99)
)
def test_exact_neighbours_have_recall_one(documents, k, level, seed):
    """Whatever order settles ties, the k best documents are all neighbours."""
    k = min(k, documents)
    held, asking = (stored(units(n, 16, seed + n), quantizer(level)) for n in (documents, 5))
    signs = [
        np.unpackbits(part.values, axis=1) * 2.0 - 1 if part.packed else part.values
        for part in (asking, held)
    ]
    found = best_rows(*signs, k)
    assert recall(found, asking, held, kth_best(asking, held, k)) == 1.0


def test_a_tie_with_the_last_neighbour_counts():
    """Of three documents at Hamming distances 0, 1 and 1 either of the last two is the second neighbour."""
    held = Stored(np.array([[0], [1], [2], [7]], dtype=np.uint8), "binary")
    asking = Stored(np.zeros((1, 1), dtype=np.uint8), "binary")
    threshold = kth_best(asking, held, 2)
    assert threshold.tolist() == [-1.0]
    assert recall(np.array([[0, 1]]), asking, held, threshold) == 1.0
    assert recall(np.array([[0, 2]]), asking, held, threshold) == 1.0
    assert recall(np.array([[0, 3]]), asking, held, threshold) == 0.5


def test_what_was_not_found_is_missed():
    """Row -1 is no document, not the last one."""
    held, asking = Stored(units(4, 3, 0), "float32"), Stored(units(2, 3, 1), "float32")
    threshold = kth_best(asking, held, 4)
    assert recall(np.array([[0, 1, 2, 3], [0, 1, 2, -1]]), asking, held, threshold) == 7 / 8


def test_queries_are_taken_in_blocks():
    """More queries than one block holds have each its own threshold."""
    held, asking = Stored(units(40, 8, 0), "float32"), Stored(units(600, 8, 1), "float32")
    expected = np.sort(asking.values @ held.values.T, axis=1)[:, -3]
    np.testing.assert_allclose(kth_best(asking, held, 3), expected, atol=3e-6)


def test_neighbours_of_float32_found_by_codes_are_the_overlap():
    """Recall of the codes' neighbours against float32 is the suite's neighbour overlap."""
    held, asking = units(300, 32, 0), units(50, 32, 1)
    level = quantizer("int4")
    by_codes = best_rows(level.decode(level.encode(asking)), level.decode(level.encode(held)), 10)
    exact = [Stored(asking, "float32"), Stored(held, "float32")]
    overlap = neighbour_overlap(best_rows(asking, held, 10), by_codes, 10).mean()
    assert recall(by_codes, *exact, kth_best(*exact, 10)) == pytest.approx(overlap)
    assert 0.5 < overlap < 1


@pytest.mark.parametrize(
    ("level", "packed", "words"),
    [
        ("float32", False, "inner product of float32 vectors"),
        ("int8", False, "decoded from int8 codes"),
        ("binary", True, "Hamming distance of packed binary codes"),
        ("binary_centred", True, "Hamming distance of packed binary_centred codes"),
    ],
)
def test_every_level_says_what_its_distances_are(level, packed, words):
    """Sign codes are compared by Hamming distance, everything else by inner product."""
    vectors = units(20, 12, 0)
    held = stored(vectors, quantizer(level).fit(vectors, np.random.default_rng(0)))
    assert held.packed == packed
    assert words in held.distance
    assert len(held) == 20
