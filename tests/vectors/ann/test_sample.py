"""What is probed: disjoint, bounded, and the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import EncodingError, UsageError
from evalsuite.vectors.ann import ProbeSettings, Sample


def numbered(n, width=2, start=0):
    """Rows that say which row they are."""
    return np.repeat(np.arange(start, start + n, dtype=np.float32)[:, None], width, axis=1)


@given(st.integers(2, 60), st.integers(1, 20), st.integers(1, 30), st.integers(1, 8), st.integers(0, 99))
def test_parts_are_disjoint_and_bounded(documents, queries, most, asking, seed):
    """No document is both in the index and held out; caps hold; rows ascend."""
    settings = ProbeSettings(max_documents=most, max_queries=asking)
    sample = Sample.draw(numbered(documents), numbered(queries), seed, settings)
    indexed, held, asked = (part[:, 0] for part in (sample.indexed, sample.held_out, sample.queries))
    assert len(held) == min(asking, max(1, documents // 10))
    assert len(indexed) == min(most, documents - len(held))
    assert len(asked) == min(asking, queries)
    assert not set(indexed) & set(held)
    assert all((np.diff(part) > 0).all() for part in (indexed, held, asked))


def test_the_seed_decides():
    """The same seed draws the same rows; another seed others."""
    first, again, other = (Sample.draw(numbered(500), numbered(9), seed) for seed in (1, 1, 2))
    assert np.array_equal(first.held_out, again.held_out)
    assert np.array_equal(first.indexed, again.indexed)
    assert not np.array_equal(first.held_out, other.held_out)


def test_only_what_is_drawn_is_read():
    """A large memory map is not converted as a whole: other dtypes come out as float32 rows."""
    sample = Sample.draw(numbered(50).astype(np.float16), numbered(3), 0)
    assert sample.indexed.dtype == np.float32
    assert sample.indexed.shape == (45, 2)


def test_every_mistake_is_named():
    """Too few documents, no queries and different widths come in one message."""
    with pytest.raises(UsageError) as caught:
        Sample.draw(numbered(1, 2), numbered(0, 3), 0)
    for words in ("1 documents", "no queries", "2 dimensions, queries 3"):
        assert words in str(caught.value)


def test_flat_vectors_are_refused():
    """A single vector is not a matrix."""
    with pytest.raises(UsageError, match="two-dimensional"):
        Sample.draw(np.zeros(3, dtype=np.float32), numbered(1), 0)


@pytest.mark.parametrize("side", ["documents", "queries"])
def test_broken_vectors_are_refused(side):
    """NaN is named with its side instead of being indexed."""
    vectors = {"documents": numbered(4), "queries": numbered(4)}
    vectors[side] = np.full((4, 2), np.nan, dtype=np.float32)
    with pytest.raises(EncodingError, match=f"drawn {side} hold NaN"):
        Sample.draw(vectors["documents"], vectors["queries"], 0)


def test_settings_name_every_mistake():
    """Impossible settings are refused together."""
    with pytest.raises(UsageError) as caught:
        ProbeSettings(k=20, m=1, max_ef=10, max_queries=0, lists=0)
    for words in ("max_queries is 0", "lists is 0", "m is 1, at least 2", "max_ef is 10, at least 20"):
        assert words in str(caught.value)
