"""Session: how a cluster is shared out, and what is said when there is none."""

import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalsuite
from evalsuite.cluster.session import Node, Shares, connected
from evalsuite.core.errors import UsageError

nodes = st.lists(st.builds(Node, st.integers(1, 64), st.integers(0, 8)), min_size=1, max_size=5)


@given(nodes, st.integers(1, 80))
def test_shares_fit_the_nodes_or_are_refused(found, workers):
    """Workers that are promised find room on whole nodes; with one thread more a worker they would not."""
    try:
        shares = Shares.of(found, workers, "cpu")
    except UsageError:
        assert sum(node.cpus for node in found) < workers
        return
    assert shares.gpus == 0
    assert sum(node.cpus // shares.threads for node in found) >= workers
    assert sum(node.cpus // (shares.threads + 1) for node in found) < workers


def test_auto_takes_an_accelerator_each_or_a_core_each():
    """By hand: two nodes of 8 cores and 2 accelerators make 4 workers of 4 threads, or 16 of 1 on the cpu."""
    cluster = [Node(8, 2), Node(8, 2)]
    assert Shares.of(cluster, "auto", None) == Shares(4, 4, 1)
    assert Shares.of(cluster, "auto", "cpu") == Shares(16, 1, 0)
    assert Shares.of(cluster, 3, "cpu") == Shares(3, 4, 0)


def test_too_many_workers_are_refused_with_the_number_that_fits():
    """The message says what the cluster has and how many workers it takes."""
    with pytest.raises(
        UsageError, match=r"9 workers do not fit.*1 node\(s\) with 8 core\(s\).*--workers 8 or"
    ):
        Shares.of([Node(8, 0)], 9, None)


def test_a_missing_extra_is_one_message(monkeypatch, small_tasks, tmp_path):
    """Without Ray the command to install it is named, before anything is opened."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r'pip install "evalsuite\[cluster\]"'):
        evalsuite.evaluate(tmp_path / "no-model", small_tasks, engine="ray")


def test_an_unknown_engine_is_refused(small_tasks, tmp_path):
    """The engines there are are listed."""
    with pytest.raises(UsageError, match="no engine 'spark'; choose one of local, ray"):
        evalsuite.evaluate(tmp_path / "no-model", small_tasks, engine="spark")


@pytest.mark.parametrize("address", ["ray://somewhere:10001", "nowhere", "host:port"])
def test_an_address_of_another_form_is_refused(monkeypatch, address):
    """The forms that are understood are named."""
    monkeypatch.setattr(
        pytest.importorskip("ray", reason="Ray is not installed"), "is_initialized", lambda: False
    )
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UsageError, match=r"give `auto` .* or HOST:PORT"), connected():
        pass


def test_an_address_that_does_not_answer_is_one_message(monkeypatch):
    """A port nobody listens on is named at once, with what to do; no traceback of Ray's."""
    monkeypatch.setattr(
        pytest.importorskip("ray", reason="Ray is not installed"), "is_initialized", lambda: False
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    expected = rf"no Ray cluster at RAY_ADDRESS=127.0.0.1:{port} .*ray start --head"
    with pytest.raises(UsageError, match=expected), connected():
        pass
