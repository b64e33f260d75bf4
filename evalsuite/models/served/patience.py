"""Patience: how often a server is asked again, and how long is waited in between."""

from __future__ import annotations

import datetime
import email.utils
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Patience:
    """Exponential back-off with jitter, as in AWS's "Exponential Backoff And Jitter" (equal jitter).

    Attributes:
        retries: How often a request is sent again before it counts as failed.
        first_wait: Seconds before the first retry; each further one doubles it.
        longest_wait: Bound of the doubling, in seconds.
        longest_asked: A server that asks for a longer wait than so many seconds is given up at once.
    """

    retries: int = 7
    first_wait: float = 0.5
    longest_wait: float = 60.0
    longest_asked: float = 600.0

    def wait(self, attempt: int, asked: float | None, generator: np.random.Generator) -> float:
        """Return the seconds to wait after a failed attempt.

        Args:
            attempt: Number of attempts that failed before this one, from 0.
            asked: Seconds the server asks for; the wait is never shorter.
            generator: Source of the jitter.

        Returns:
            Between half and all of `first_wait * 2**attempt`, bounded; at least `asked`.
        """
        bound = min(self.longest_wait, self.first_wait * 2.0 ** min(attempt, 60))
        jittered = bound * (0.5 + 0.5 * generator.random())
        return max(jittered, asked or 0.0)


def asked_seconds(header: str | None, now: datetime.datetime) -> float | None:
    """Read a `Retry-After` header: seconds or an HTTP date (RFC 9110, 10.2.3).

    Args:
        header: Its value; None if there is none.
        now: The time to count from, with its zone.

    Returns:
        Seconds from now, not negative; None if the header is missing or malformed.
    """
    if header is None:
        return None
    text = header.strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, (moment - now).total_seconds())
