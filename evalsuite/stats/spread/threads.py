"""Threads of the libraries that multiply matrices, which wait for one another in small work."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController


@functools.cache
def _libraries() -> ThreadpoolController:
    """Find the libraries with threads of their own; looking for them takes milliseconds, so once."""
    return ThreadpoolController()


def one_thread_a_call() -> AbstractContextManager[object]:
    """Keep libraries to one thread each in a `with` block: for matrices too small to share."""
    limit: AbstractContextManager[object] = _libraries().limit(limits=1)
    return limit
