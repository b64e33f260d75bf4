"""ServedEncoder: texts to vectors over HTTP, in batches, several at a time, asking again what went wrong."""

from __future__ import annotations

import concurrent.futures
import datetime
import http.client
import itertools
import json
import logging
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from evalsuite.core.errors import EncodingError
from evalsuite.models.served.address import Address
from evalsuite.models.served.key import KEY_VARIABLE, api_key, repeats_key
from evalsuite.models.served.patience import Patience, asked_seconds
from evalsuite.models.served.response import Floats, preview, read_vectors
from evalsuite.models.served.transport import Answer, Transport

EXCERPT_CHARACTERS = 200
_TRANSIENT = (408, 425, 429)
_MAYBE_ONE_TEXT = (400, 413, 422)
"""Answers to a batch that is too large, or holds one text the server cannot take."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedOptions:
    """How a server is asked.

    Attributes:
        batch_size: Texts a request, at most.
        characters: A request is closed when the next text would take it beyond so many; one text always fits.
        concurrency: Requests under way at the same time.
        timeout: Seconds to wait for a connection, and for each piece of an answer.
        patience: How often and after which waits a request is sent again.
        seed: Seed of the waits' jitter.
    """

    batch_size: int = 32
    characters: int = 64 * 1024
    concurrency: int = 4
    timeout: float = 120.0
    patience: Patience = field(default_factory=Patience)
    seed: int = 0


class _Setback(Exception):  # noqa: N818 - it is no error until patience ends
    """A failure that may pass, and how many seconds the server asks to wait."""

    def __init__(self, reason: str, asked: float | None = None) -> None:
        super().__init__(reason)
        self.asked = asked


class _RefusedError(EncodingError):
    """The server refuses a request whose parts it may take."""


class ServedEncoder:
    """A served model behind the seam; see `evalsuite.models.encoder.Encoder`.

    Vectors come back normalised, whether the server does so or not. The key is read from the environment
    for every request and kept nowhere.

    Args:
        address: The model.
        width: Width its vectors must have; None accepts that of each answer.
        options: How the server is asked.
    """

    device = "served"

    def __init__(self, address: Address, width: int | None, options: ServedOptions) -> None:
        self.address = address
        self.width = width
        self.options = options
        self._transport = Transport(address.url, options.timeout)
        self._who = f"{address.model} at {address.url}"

    @property
    def batch_size(self) -> int:
        """Texts under way at the same time: whole numbers of these keep every connection busy."""
        return self.options.batch_size * self.options.concurrency

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def encode(self, texts: Sequence[str], prompt: str) -> Floats:
        """Encode texts; see `Encoder.encode`. Rows have unit length.

        Raises:
            EncodingError: If the server refuses, answers what cannot be scored, or fails again and again.
            UsageError: If the key in the environment cannot be sent.
        """
        batches = list(split([prompt + text for text in texts], self.options))
        if not batches:
            return np.empty((0, self.width or 0), dtype=np.float32)
        given_up = threading.Event()
        pool = concurrent.futures.ThreadPoolExecutor(min(self.options.concurrency, len(batches)))
        try:
            futures = [
                pool.submit(
                    self._encode_batch, batch, np.random.default_rng([self.options.seed, n]), given_up
                )
                for n, batch in enumerate(batches)
            ]
            done, _ = concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
            for future in (each for each in futures if each in done):
                # Raises what the first failed batch raised, while others may still be waiting.
                future.result()
            return np.concatenate([future.result() for future in futures])
        finally:
            given_up.set()
            pool.shutdown(cancel_futures=True)

    def _encode_batch(
        self, texts: Sequence[str], generator: np.random.Generator, given_up: threading.Event
    ) -> Floats:
        """Encode one batch; one that the server refuses is halved, down to the text that is at fault."""
        try:
            return self._ask(texts, generator, given_up)
        except _RefusedError:
            if len(texts) == 1:
                raise
        middle = len(texts) // 2
        halves = [self._encode_batch(part, generator, given_up) for part in (texts[:middle], texts[middle:])]
        return np.concatenate(halves)

    def _ask(self, texts: Sequence[str], generator: np.random.Generator, given_up: threading.Event) -> Floats:
        """Send one request until it succeeds or patience ends.

        Raises:
            EncodingError: If it does not succeed.
        """
        patience = self.options.patience
        for attempt in itertools.count():
            try:
                return self._attempt(texts)
            except _Setback as error:
                setback = error
            pause = patience.wait(attempt, setback.asked, generator)
            if attempt == patience.retries or pause > patience.longest_asked:
                break
            logger.info("%s: %s; asking again in %.1f s", self._who, setback, pause)
            if given_up.wait(pause):
                break
        wish = f", and asks to wait {setback.asked:.0f} s" if setback.asked else ""
        message = (
            f"{self._who}: {setback}{wish} (attempt {attempt + 1} of {patience.retries + 1}); "
            "run the same again once the server answers, finished shards are kept"
        )
        raise EncodingError(message) from setback

    def _attempt(self, texts: Sequence[str]) -> Floats:
        """Send one request once.

        Raises:
            _Setback: If asking again may help.
            EncodingError: If asking again would not help.
        """
        body = {"model": self.address.model, "input": list(texts), "encoding_format": "float"}
        try:
            answer = self._transport.post(json.dumps(body).encode(), self._headers())
        except ssl.SSLCertVerificationError as error:
            message = (
                f"{self._who}: the server's certificate is not trusted ({error.verify_message}); "
                "install its authority or set SSL_CERT_FILE"
            )
            raise EncodingError(message) from error
        except TimeoutError as error:
            message = f"no answer within {self.options.timeout:g} s"
            raise _Setback(message) from error
        except (OSError, http.client.HTTPException) as error:
            message = f"the connection failed ({type(error).__name__})"
            raise _Setback(message) from error
        if answer.status != http.client.OK:
            self._complain(answer, texts)
        try:
            content = json.loads(answer.body)
        except ValueError as error:
            message = "the answer is no complete JSON"
            raise _Setback(message) from error
        return read_vectors(content, texts, self.width, self._who)

    def _headers(self) -> dict[str, str]:
        """Return what goes with a request, the key among it."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "evalsuite",
        }
        key = api_key(self.address.host, encrypted=self.address.encrypted)
        return headers if key is None else {**headers, "Authorization": f"Bearer {key}"}

    def _complain(self, answer: Answer, texts: Sequence[str]) -> NoReturn:
        """Tell a failure that may pass from one that will not.

        Raises:
            _Setback: If it may pass.
            EncodingError: If it will not.
        """
        status, said = answer.status, f"HTTP {answer.status}{_excerpt(answer.body)}"
        if status in _TRANSIENT or status >= 500:
            raise _Setback(said, asked_seconds(answer.retry_after, datetime.datetime.now(datetime.UTC)))
        if status in _MAYBE_ONE_TEXT:
            longest = max(texts, key=len)
            message = (
                f"{self._who} refuses the text {preview(longest)}: {said}; shorten it, or start the server "
                "so that it truncates"
            )
            raise _RefusedError(message)
        message = f"{self._who}: {said}; {_next_step(status)}"
        raise EncodingError(message)


def split(inputs: Sequence[str], options: ServedOptions) -> Iterator[list[str]]:
    """Split inputs into requests, in order, bounded by texts and by characters."""
    batch: list[str] = []
    characters = 0
    for text in inputs:
        if batch and (len(batch) == options.batch_size or characters + len(text) > options.characters):
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _excerpt(body: bytes) -> str:
    """Quote the start of a server's words, unless they repeat a part of the key."""
    # Blanks are made single and what cannot be printed visible: the words go to terminals and pages.
    words = " ".join(body[:4096].decode("utf-8", "replace").split())
    if not words:
        return ""
    if repeats_key(words):
        return ", with words that repeat a part of the API key and are not shown"
    return f", saying {words[:EXCERPT_CHARACTERS]!r}"


def _next_step(status: int) -> str:
    """Say what a person can do about a refusal."""
    if status in (401, 403):
        return f"set {KEY_VARIABLE} to a key that this server takes"
    if status in (404, 405):
        return "check the URL and the model's name"
    if 300 <= status < 400:
        return "redirects are not followed, the key would travel along; give the final URL"
    return "look at the server's log"
