"""Address of a served model: `openai:MODEL@URL`, taken apart and refused where it could carry a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from evalsuite.core.errors import UsageError
from evalsuite.models.served.key import held_keys

SERVED_SCHEME = "openai:"
"""What a source starts with that an endpoint is to encode."""

# The first `@http` ends the model: names may hold an `@`, and so may the user of a URL, which is refused.
_FORM = re.compile(r"(?P<model>.+?)@(?P<url>https?://.*)", re.DOTALL | re.IGNORECASE)
_VERSION_END = re.compile(r"/v\d+\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "openai:nomic-embed-text@http://localhost:11434"


@dataclass(frozen=True)
class Address:
    """Where a served model answers.

    Attributes:
        model: Name that the server knows the model by.
        url: The complete URL of the endpoint, in one spelling: lower-case host, no default port.
    """

    model: str
    url: str

    @classmethod
    def parse(cls, source: str) -> Address:
        """Take `openai:MODEL@URL` apart.

        Args:
            source: URL is the server's base, its `/v1`, or the endpoint `/v1/embeddings` itself.

        Raises:
            UsageError: If the form is another one, or the URL holds a user, a query or a fragment, where
                secrets travel; lists every mistake and repeats no secret.
        """
        if any(key in source for key in held_keys()):
            message = (
                "the model's address contains the API key; leave it out, it is read from the environment only"
            )
            raise UsageError(message)
        match = _FORM.fullmatch(source.removeprefix(SERVED_SCHEME).strip())
        if match is None:
            start = source.partition("@")[0]
            message = f"{start}@...: a served model is given as openai:MODEL@URL, for example {_EXAMPLE}"
            raise UsageError(message)
        model, url = match["model"], match["url"]
        problems = list(_problems(model, url))
        if problems:
            message = f"{SERVED_SCHEME}{model}@...: {'; '.join(problems)}"
            raise UsageError(message)
        return cls(model, _endpoint(urlsplit(url)))

    @property
    def source(self) -> str:
        """The address in one spelling, as records show it."""
        return f"{SERVED_SCHEME}{self.model}@{self.url}"

    @property
    def host(self) -> str:
        """Name of the server, without port."""
        return urlsplit(self.url).hostname or ""

    @property
    def encrypted(self) -> bool:
        """Whether the connection is HTTPS."""
        return self.url.startswith("https:")


def _problems(model: str, url: str) -> Iterator[str]:
    """Say what is wrong, without repeating what may be secret."""
    if not model.isprintable() or model != model.strip():
        yield "the model's name holds blanks at its ends or characters that cannot be printed"
    if not url.isascii() or not url.isprintable() or " " in url:
        yield "the URL holds blanks or characters beyond ASCII; write them percent-encoded"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        yield "the URL's host or port is malformed"
        return
    if "@" in parts.netloc:
        yield "the URL names a user or password; leave them out and set EVALSUITE_API_KEY"
    elif not host or port == 0:
        yield f"the URL names no host, or port 0; give for example {_EXAMPLE}"
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        yield (
            "the URL has a query or a fragment, which would be written to records with any secret in it; "
            "leave it out and set EVALSUITE_API_KEY"
        )


def _endpoint(parts: SplitResult) -> str:
    """Complete a URL to that of the endpoint and write it in one spelling."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.port is not None and parts.port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{parts.port}"
    path = parts.path.rstrip("/")
    if not path.endswith("/embeddings"):
        path += "/embeddings" if _VERSION_END.search(path) else "/v1/embeddings"
    return f"{parts.scheme}://{host}{path}"
