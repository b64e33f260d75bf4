"""Transport: kept connections that the server closed, and certificates."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from evalsuite.models.served.transport import Transport


class _ClosesQuietly(BaseHTTPRequestHandler):
    """Promises to keep the connection and closes it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = True

    def log_message(self, *words):
        """Keep quiet."""


@pytest.fixture
def quiet_server():
    server = HTTPServer(("127.0.0.1", 0), _ClosesQuietly)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_kept_connection_that_was_closed_is_opened_anew(quiet_server):
    """A server may close between requests; the next request succeeds all the same."""
    transport = Transport(f"http://127.0.0.1:{quiet_server.server_address[1]}/x", 5.0)
    for _ in range(3):
        answer = transport.post(b"{}", {})
        assert (answer.status, answer.body, answer.retry_after) == (200, b"ok", None)
    transport.close()


def test_https_checks_certificates(quiet_server):
    """A server that speaks no TLS, or with an unknown certificate, is an SSL error and no answer."""
    transport = Transport(f"https://127.0.0.1:{quiet_server.server_address[1]}/x", 5.0)
    assert transport._context.verify_mode == ssl.CERT_REQUIRED
    assert transport._context.check_hostname
    with pytest.raises(OSError, match=r"(?i)ssl"):
        transport.post(b"{}", {})
