"""Reading answers: any order, both encodings, unit length; whatever cannot be scored is an error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evalsuite.core.errors import EncodingError
from evalsuite.models.served.response import preview, read_vectors
from tests.models.served.server import as_base64


def items(rows):
    return [{"index": i, "embedding": row} for i, row in enumerate(rows)]


def read(data, count=2, width=None):
    return read_vectors({"data": data}, [f"text {i}" for i in range(count)], width, "m")


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(1, 99, width=32)
    ),
    st.randoms(),
    st.booleans(),
)
def test_any_order_and_encoding_gives_the_same_unit_vectors(rows, random, packed):
    """Row i belongs to index i, whatever the order and the encoding."""
    data = items(rows.tolist())
    random.shuffle(data)
    found = read(as_base64(data) if packed else data, len(rows))
    unit = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, unit, rtol=1e-6)


def test_lengths_by_hand():
    """(3, 4) becomes (0.6, 0.8), and whole numbers are numbers."""
    np.testing.assert_array_equal(read(items([[3, 4], [0, 2]])), np.float32([[0.6, 0.8], [0, 1]]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "without a list `data`"),
        (["x", "y"], "without a list `data`"),
        (items([[1.0]]), "1 vectors for 2 texts"),
        (items([[1.0]] * 3), "3 vectors for 2 texts"),
        ([{"index": 0, "embedding": [1.0]}] * 2, "index 0, 0"),
        ([{"embedding": [1.0]}] * 2, r"index \?, \?"),
        ([{"index": i + 1, "embedding": [1.0]} for i in range(2)], "index 1, 2"),
        (items([[1.0, 2.0], [1.0]]), "width 1 where 2"),
        (items([[], []]), "more than 0"),
        (items([[1.0], [float("nan")]]), "NaN or infinity for 1 of 2 texts.*text 1"),
        (items([[1e300], [1.0]]), "NaN or infinity for 1 of 2 texts.*text 0"),
        (items([[1.0], [0.0]]), "all-zero vector.*text 1"),
        (items([[1.0], [None]]), "no list of numbers"),
        (items([[1.0], ["1"]]), "no list of numbers"),
        (items([[1.0], [True]]), "no list of numbers"),
        (items([[1.0], [[1.0]]]), "no list of numbers"),
        (items([[1.0], [[1.0], [1.0, 2.0]]]), "cannot be read"),
        (items([[1.0], 3]), "no list of numbers"),
        (items([[1.0], "?"]), "cannot be read"),
        (items([[1.0], "AAA="]), "cannot be read"),
    ],
)
def test_what_cannot_be_scored_is_an_error(data, message):
    """Count, index, width, finiteness and type are all looked at."""
    with pytest.raises(EncodingError, match=message):
        read(data)


@pytest.mark.parametrize("content", [[], "x", 1, None, {"error": "no"}])
def test_json_of_another_kind_is_an_error(content):
    """An answer that is no object with `data` points to the URL."""
    with pytest.raises(EncodingError, match="is the URL"):
        read_vectors(content, ["a"], None, "m")


def test_the_width_of_the_model_is_kept():
    """A server that changes its model between requests is noticed at once."""
    with pytest.raises(EncodingError, match="width 2 where 3"):
        read(items([[1.0, 2.0]] * 2), width=3)


def test_a_long_text_is_shown_by_its_start_and_length():
    """An error message stays one line."""
    assert preview("x" * 5000) == f"{'x' * 80!r}... (5,000 characters)"
    assert preview("short") == "'short'"
