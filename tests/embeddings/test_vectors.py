"""Stored vectors: selected and joined without being read."""

import numpy as np
import pytest

from evalsuite.embeddings.vectors import StoredVectors


def stored(folder, name, rows):
    """Write one shard and point at all of its rows."""
    path = folder / f"{name}.npy"
    np.save(path, rows)
    return StoredVectors([path], np.array([[0, row] for row in range(len(rows))]), rows.shape[1])


def test_joined_and_selected_rows_are_the_rows(tmp_path):
    """Joining keeps order across shards, also where parts share one; selecting takes rows as asked."""
    a, b = (np.random.default_rng(seed).normal(size=(5, 3)).astype(np.float32) for seed in (0, 1))
    left, right = stored(tmp_path, "a", a), stored(tmp_path, "b", b)
    both = StoredVectors.join([left.slice(1, 4), right, left])
    expected = np.concatenate([a[1:4], b, a])
    np.testing.assert_array_equal(both.all(), expected)
    assert len(both.paths) == 2
    rows = np.array([12, 0, 5])
    np.testing.assert_array_equal(both.select(rows).all(), expected[rows])
    np.testing.assert_array_equal(left.all(), a)


def test_widths_must_agree(tmp_path):
    """Vectors of two widths, or none at all, cannot be joined."""
    parts = [stored(tmp_path, str(width), np.ones((2, width), dtype=np.float32)) for width in (2, 3)]
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        StoredVectors.join(parts)
    with pytest.raises(ValueError, match="none"):
        StoredVectors.join([])
