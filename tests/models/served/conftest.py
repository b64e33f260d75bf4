"""What the tests of served models share: no key of the user's, servers that end with the test."""

import contextlib

import pytest

from evalsuite.models.served.client import ServedOptions
from evalsuite.models.served.key import KEY_VARIABLE, OPENAI_VARIABLE
from evalsuite.models.served.patience import Patience
from tests.models.served.server import Server


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    """Keep the user's keys out of the tests."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.delenv(OPENAI_VARIABLE, raising=False)


@pytest.fixture
def serve():
    """Start servers that are stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(Server(*args, **options))


@pytest.fixture
def quick():
    """Options with waits of milliseconds."""
    return ServedOptions(patience=Patience(retries=3, first_wait=0.001, longest_wait=0.002))
