"""Transport: POST requests over kept connections, from several threads, without following redirects."""

from __future__ import annotations

import http.client
import logging
import ssl
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        status: HTTP status.
        body: The whole body.
        retry_after: The header `Retry-After`; None if there is none.
    """

    status: int
    body: bytes
    retry_after: str | None = None


class Transport:
    """Connections to one URL; any number of threads may post at the same time.

    Redirects are not followed: the key would travel along to a server nobody named. Proxies of the
    environment are not used.

    Args:
        url: Where to post to.
        timeout: Seconds to wait for a connection, and for each piece of an answer.
    """

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._timeout = timeout
        self._host, self._port = parts.hostname or "", parts.port
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request and read the whole answer.

        Raises:
            OSError: If there is no connection, it breaks, or an answer takes too long.
            http.client.HTTPException: If the answer breaks off or is no HTTP.
        """
        try:
            kept = self._idle.pop()
        except IndexError:
            return self._exchange(self._connection(), body, headers)
        try:
            return self._exchange(kept, body, headers)
        except (ConnectionError, http.client.BadStatusLine):
            # A server may close a kept connection at any time; that says nothing about this request.
            logger.debug("a kept connection was closed by the server; opening another")
        return self._exchange(self._connection(), body, headers)

    def close(self) -> None:
        """Close the connections that are kept."""
        _close_all(self._idle)

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout, context=self._context
        )

    def _exchange(
        self, connection: http.client.HTTPConnection, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        """Post over one connection; keep it for the next request if the server does."""
        keep = False
        try:
            connection.request("POST", self._path, body, dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.read(), response.getheader("Retry-After"))
            keep = not response.will_close
        finally:
            if keep:
                self._idle.append(connection)
            else:
                connection.close()
        return answer


def _close_all(connections: deque[http.client.HTTPConnection]) -> None:
    while connections:
        connections.pop().close()
