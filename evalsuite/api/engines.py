"""Engines by name: where the heavy work of a run is done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

from evalsuite.core.errors import UsageError, known_names
from evalsuite.sweep.engine import LOCAL, Engine

EngineName = Literal["local", "ray"]
ENGINES: tuple[EngineName, ...] = ("local", "ray")


def check_engine(engine: str) -> EngineName:
    """Make sure that an engine exists and is installed, and return its name.

    Raises:
        UsageError: If it does not, or is not; says what to install.
    """
    for name in ENGINES:
        if name == engine:
            break
    else:
        message = f"no engine {engine!r}; choose one of {known_names(ENGINES)}"
        raise UsageError(message)
    if name == "ray":
        from evalsuite.cluster.session import load_ray

        load_ray()
    return name


@contextlib.contextmanager
def open_engine(engine: str, workers: int | Literal["auto"], device: str | None) -> Iterator[Engine]:
    """Open an engine for the length of a run.

    Args:
        engine: One of `ENGINES`.
        workers: Workers asked for.
        device: Device asked for.

    Raises:
        UsageError: If the cluster cannot be reached, or so many workers do not fit it.
    """
    if engine == "local":
        yield LOCAL
        return
    from evalsuite.cluster.engine import ray_engine

    with ray_engine(workers, device) as opened:
        yield opened
