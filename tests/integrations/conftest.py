"""A tiny model, and runs made up in code: what this room is tried on."""

import pytest

from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS
from tests.gate.made_up import make_run, retrieval, shifted, similarity


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """An EmbeddingGemma-shaped folder of width 16 with random weights. Read only."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return build_embeddinggemma(folder, corpus=WORDS, hidden=16, dense=32, layers=1, heads=1, head_dim=16)


@pytest.fixture(scope="session")
def before(tmp_path_factory):
    """A run on a retrieval and an STS task, four variants each."""
    return make_run(tmp_path_factory.mktemp("before"), retrieval(), similarity(n=60))


@pytest.fixture(scope="session")
def same(tmp_path_factory):
    """The same numbers again."""
    return make_run(tmp_path_factory.mktemp("same"), retrieval(), similarity(n=60), label="same")


@pytest.fixture(scope="session")
def worse(tmp_path_factory):
    """Five points lost at 128/binary of the retrieval task, and only there."""
    lost = shifted(retrieval(), -0.05, variants=("128/binary",))
    return make_run(tmp_path_factory.mktemp("worse"), lost, similarity(n=60), label="worse")


@pytest.fixture(scope="session")
def lacking(tmp_path_factory):
    """The retrieval task is gone."""
    return make_run(tmp_path_factory.mktemp("lacking"), similarity(n=60), label="lacking")
