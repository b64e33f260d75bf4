"""Drift in runs: encoding holds a served model to what it answered before."""

import numpy as np
import pytest

from evalsuite.core.errors import CheckpointError
from evalsuite.core.progress import Silent
from evalsuite.embeddings.encode import Prompted, encode_once
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.fake import FakeEncoder
from evalsuite.models.served.open import open_served
from tests.models.served.server import DIM


def test_drift_between_runs_is_an_error(serve, tmp_path):
    """A model swapped behind the same name is found before its vectors meet the stored ones."""
    server, store = serve(), EmbeddingStore(tmp_path)
    inputs = [Prompted("", f"text {i}") for i in range(5)]
    first = open_served(server.source)
    stored = encode_once(first, inputs, store, Silent()).vectors.all()
    again = encode_once(open_served(server.source), inputs, store, Silent())
    assert again.encoded == 0
    np.testing.assert_array_equal(again.vectors.all(), stored)
    server.encoder = FakeEncoder(DIM, seed=1)
    swapped = open_served(server.source)
    with pytest.raises(CheckpointError, match=r"fake at .* drifted") as caught:
        encode_once(swapped, [*inputs, Prompted("", "new")], store, Silent())
    assert first.probe.digest in str(caught.value)
    assert swapped.probe.digest in str(caught.value)
    assert "new" not in server.texts
