"""A real HTTP server of embeddings that misbehaves on purpose; as a module it takes a port."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from evalsuite.models.fake import FakeEncoder

DIM = 16
LONG = 3.0
"""Vectors are served so long: a client that does not normalise is found out."""


def status(code, words="the server is tired", **headers):
    """Answer with a status; an underscore in a header's name is a hyphen."""

    def behave(handler, texts):
        handler.answer(code, words.encode(), {name.replace("_", "-"): v for name, v in headers.items()})

    return behave


def drop(handler, texts):
    """Close the connection without a word."""
    handler.close_connection = True


def drop_in_the_body(handler, texts):
    """Announce a whole answer and send half of it."""
    body = handler.good(texts)
    handler.head(200, len(body), {})
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def half_json(handler, texts):
    """Send half an answer as if it were all."""
    body = handler.good(texts)
    handler.answer(200, body[: len(body) // 2], {})


def slow(seconds):
    """Answer well, but late."""

    def behave(handler, texts):
        time.sleep(seconds)
        handler.answer(200, handler.good(texts), {})

    return behave


def changed(change):
    """Answer with what `change` makes of the list of items."""

    def behave(handler, texts):
        items = handler.items(texts)
        handler.answer(200, json.dumps({"data": change(items)}).encode(), {})

    return behave


def as_base64(items):
    """The items with their embeddings as little-endian float32 in base64."""
    return [
        {**item, "embedding": base64.b64encode(np.array(item["embedding"], "<f4").tobytes()).decode()}
        for item in items
    ]


class Server:
    """The server, with its log.

    Args:
        script: What to do with each request in turn; None, and whatever comes after the script, is well done.
        always: What to do with a request once the script is over: a function of its texts.
        seed: Another seed is another model.
    """

    def __init__(self, script=(), *, always=None, seed=0, port=0):
        self.script = list(script)
        self.always = always or (lambda _: None)
        self.encoder = FakeEncoder(DIM, seed=seed)
        self.requests, self.headers, self.times = [], [], []
        self.connections = set()
        self.lock = threading.Lock()
        self.http = _Http(("127.0.0.1", port), _Handler)
        self.http.owner = self
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.source = f"openai:fake@{self.url}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.http.shutdown()
        self.http.server_close()

    @property
    def texts(self):
        """Every text received, in the order of the requests."""
        return [text for texts in self.requests for text in texts]

    def forget(self):
        """Empty the log."""
        self.requests.clear()
        self.headers.clear()
        self.times.clear()
        self.connections.clear()


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hung up is no news here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm = True

    def do_POST(self):
        """Log a request and answer as the script says."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        owner, texts = self.server.owner, asked["input"]
        with owner.lock:
            owner.requests.append(texts)
            owner.headers.append({**self.headers, "path": self.path, "model": asked["model"]})
            owner.times.append(time.monotonic())
            owner.connections.add(self.client_address)
            behave = owner.script.pop(0) if owner.script else owner.always(texts)
        if behave is None:
            self.answer(200, self.good(texts), {})
        else:
            behave(self, texts)

    def items(self, texts):
        """What a well-behaved server puts into `data`."""
        with self.server.owner.lock:
            vectors = self.server.owner.encoder.encode(texts, "") * LONG
        return [{"object": "embedding", "index": i, "embedding": v.tolist()} for i, v in enumerate(vectors)]

    def good(self, texts):
        """The body of a good answer."""
        return json.dumps({"object": "list", "data": self.items(texts), "model": "fake"}).encode()

    def answer(self, code, body, headers):
        """Send a whole answer."""
        self.head(code, len(body), headers)
        self.wfile.write(body)

    def head(self, code, length, headers):
        """Send status and headers."""
        self.send_response(code)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *words):
        """Keep quiet."""


if __name__ == "__main__":
    with Server(port=int(sys.argv[1])) as served:
        print(served.port, flush=True)  # noqa: T201 - tells the test that it is up
        threading.Event().wait()
