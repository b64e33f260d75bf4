"""Session: a connection to Ray, and how a cluster's processors are shared out among workers."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from evalsuite.core.errors import UsageError
from evalsuite.embeddings.site import AUTO, usable_cores

ADDRESS = "RAY_ADDRESS"
TIMEOUT = 5.0
"""Seconds after which an address that does not answer is given up."""

_HOW = "see docs/cluster.md, or use --engine local"


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes:
        cpus: Processor cores that Ray may use.
        gpus: Accelerators.
    """

    cpus: int
    gpus: int


@dataclass(frozen=True)
class Shares:
    """How a cluster is shared out.

    Attributes:
        workers: Workers, each an actor.
        threads: Threads of each; Ray reserves as many cores for it.
        gpus: Accelerators of each, 0 or 1.
    """

    workers: int
    threads: int
    gpus: int

    @classmethod
    def of(cls, nodes: Sequence[Node], workers: int | Literal["auto"], device: str | None) -> Shares:
        """Give every worker the same share, as large as fits.

        Args:
            nodes: The machines.
            workers: How many; `auto` is one an accelerator, else one a core.
            device: Device asked for; None takes accelerators where there are any.

        Raises:
            UsageError: If so many workers do not fit.
        """
        wants_gpu = device is None or device.startswith("cuda")
        gpus = sum(node.gpus for node in nodes) if wants_gpu else 0
        cores = sum(node.cpus for node in nodes)
        most = gpus or cores
        count = most if workers == AUTO else workers
        threads = cores // count if count else 0
        while threads and not _fits(nodes, count, threads, 1 if gpus else 0):
            threads -= 1
        if not threads:
            has = f"{len(nodes)} node(s) with {cores} core(s) and {gpus} accelerator(s) to use"
            message = f"{count} workers do not fit the cluster, {has}; use --workers {most or 1} or fewer"
            raise UsageError(message)
        return cls(count, threads, 1 if gpus else 0)


def _fits(nodes: Sequence[Node], workers: int, threads: int, gpus: int) -> bool:
    """Tell whether so many workers of so many threads find room."""
    room = sum(min(node.cpus // threads, node.gpus) if gpus else node.cpus // threads for node in nodes)
    return room >= workers


def load_ray() -> ModuleType:
    """Import Ray.

    Raises:
        UsageError: If it is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        message = f'--engine ray needs Ray ({error}): pip install "evalsuite[cluster]"'
        raise UsageError(message) from error


@contextlib.contextmanager
def connected() -> Iterator[Any]:
    """Connect to the cluster that `RAY_ADDRESS` names, or start one on this machine, and leave it at the end.

    A connection that is already open is used, and stays open.

    Yields:
        The module `ray`.

    Raises:
        UsageError: If Ray is not installed or the cluster cannot be reached.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    _connect(ray, os.environ.get(ADDRESS, ""))
    try:
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    """Connect, or start a cluster of this machine's cores.

    Raises:
        UsageError: If the cluster cannot be reached.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if not address or address == "local":
        # Nothing about a run leaves the machine.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(address="local", num_cpus=usable_cores(), include_dashboard=False, **quiet)
        return
    try:
        _check_address(address)
        ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        message = (
            f"no Ray cluster at {ADDRESS}={address} ({error}); start one with `ray start --head`, {_HOW}"
        )
        raise UsageError(message) from error


def _check_address(address: str) -> None:
    """Knock at an address of the form HOST:PORT, since Ray itself waits for minutes.

    Raises:
        OSError: If nobody answers.
        ValueError: If it is no address of a cluster's head.
    """
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdigit():
        message = "give `auto` on a node of the cluster, or HOST:PORT of its head"
        raise ValueError(message)
    socket.create_connection((host.strip("[]"), int(port)), timeout=TIMEOUT).close()


def nodes_of(ray: Any) -> list[Node]:
    """List the machines of the cluster that are alive."""
    found = [each["Resources"] for each in ray.nodes() if each["Alive"]]
    return [Node(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in found]
