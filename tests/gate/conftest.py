"""A baseline of two tasks that tests of the judge share."""

import pytest

from evalsuite.gate.policy import Policy
from tests.gate.made_up import make_run, retrieval, similarity

FAST = Policy(resamples=1000)


def by_status(verdict, status):
    """List (task, variant) of what has a status."""
    return [(f.task, f.variant) for f in verdict.findings if f.status == status]


@pytest.fixture(scope="module")
def tasks():
    return retrieval(n=600), similarity()


@pytest.fixture(scope="module")
def baseline(tmp_path_factory, tasks):
    return make_run(tmp_path_factory.mktemp("baseline"), *tasks, label="before")
