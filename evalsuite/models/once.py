"""Loading a model once, at the first use."""

from __future__ import annotations

import threading
from collections.abc import Callable

from evalsuite.models.encoder import Encoder


class Once:
    """Calls a loader once, even from several threads, and keeps what it returned.

    Args:
        load: Makes the encoder.
    """

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None

    def __call__(self) -> Encoder:
        """Return the encoder, loading it if that has not happened."""
        with self._lock:
            if self._encoder is None:
                self._encoder = self._load()
            return self._encoder

    def forget(self) -> None:
        """Let go of the encoder; one that holds processes ends them."""
        with self._lock:
            getattr(self._encoder, "close", lambda: None)()
            self._encoder = None
