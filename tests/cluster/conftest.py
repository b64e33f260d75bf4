"""One local Ray for the whole room, started before the first test that asks for it."""

import os
from pathlib import Path

import numpy as np
import pytest

from evalsuite.cluster.pool import Pool
from evalsuite.cluster.session import Shares
from evalsuite.embeddings.space import Space
from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS

# Ray keeps a token in the user's home unless told otherwise.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")


@pytest.fixture(scope="session")
def ray():
    """The module, connected to a Ray of two cores on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "evalsuite[cluster]"')
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def pool(ray):
    """Two workers of one core; they are hired when first needed, also after `close`."""
    made = Pool(ray, Shares(2, 1, 0))
    yield made
    made.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """An EmbeddingGemma-shaped folder of width 16 with random weights. Read only."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return build_embeddinggemma(folder, corpus=WORDS, hidden=16, dense=32, layers=1, heads=1, head_dim=16)


@pytest.fixture(scope="session")
def stored(tmp_path_factory):
    """Keep float32 rows as shards of 1,000 on disk, in an order of their own."""

    def keep(vectors):
        space = Space(Path(tmp_path_factory.mktemp("space")))
        keys = [f"{row:032d}" for row in range(len(vectors))]
        for start in range(0, len(vectors), 1000):
            space.add(keys[start : start + 1000], vectors[start : start + 1000])
        return space.vectors(keys)

    return keep


@pytest.fixture(scope="session")
def lumpy():
    """Make unit vectors many of which are copies of others, so that scores tie."""

    def make(count, width, seed):
        rng = np.random.default_rng(seed)
        kinds = rng.standard_normal((count // 3, width)).astype(np.float32)
        kinds /= np.linalg.norm(kinds, axis=1, keepdims=True)
        return kinds[rng.integers(len(kinds), size=count)]

    return make
