"""How models encode in a run: what is refused before anything is loaded."""

import os

import pytest

from evalsuite.api.encoders import check_workers
from evalsuite.core.errors import UsageError


def test_more_workers_than_a_machine_can_start_are_refused(monkeypatch):
    """Thousands of processes that load a model would stop the machine; a cluster may have them."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    check_workers(8, "local")
    check_workers("auto", "local")
    check_workers(5000, "ray")
    with pytest.raises(UsageError, match=r"5000 workers on 2 processors.*auto or at most 8"):
        check_workers(5000, "local")


@pytest.mark.parametrize("workers", [0, -3, "many"])
def test_what_is_no_number_of_workers_is_refused(workers):
    """The message says what may be given."""
    with pytest.raises(UsageError, match=r"give auto or a whole number from 1"):
        check_workers(workers, "local")
