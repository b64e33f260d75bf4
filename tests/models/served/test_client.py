"""The client against a real server that misbehaves on purpose."""

import dataclasses
import itertools
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import EncodingError, UsageError
from evalsuite.models.fake import FakeEncoder
from evalsuite.models.served.address import Address
from evalsuite.models.served.client import ServedEncoder, ServedOptions, split
from evalsuite.models.served.patience import Patience
from tests.models.served import server as bad
from tests.models.served.server import DIM

TEXTS = [f"text {i} " + "word " * (i % 5) for i in range(40)]


@pytest.fixture
def client(quick):
    """Make clients whose connections are closed at the end."""
    made = []

    def make(server, **changes):
        options = dataclasses.replace(quick, **changes)
        made.append(ServedEncoder(Address.parse(server.source), DIM, options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def expected(texts, prompt=""):
    return FakeEncoder(DIM).encode([prompt + text for text in texts], "")


@given(st.lists(st.text(max_size=30), max_size=30), st.integers(1, 7), st.integers(1, 60))
def test_requests_hold_every_text_once_and_keep_the_bounds(texts, size, characters):
    """Joined again, requests are the texts; none is empty or beyond a bound, but for one long text."""
    batches = list(split(texts, ServedOptions(batch_size=size, characters=characters)))
    assert [text for batch in batches for text in batch] == texts
    for batch in batches:
        assert 1 <= len(batch) <= size
        assert len(batch) == 1 or sum(map(len, batch)) <= characters


def test_vectors_come_back_in_order_and_normalised(serve, client):
    """Several requests at once, one row a text, unit length though the server gives longer ones."""
    server = serve()
    found = client(server, batch_size=7, concurrency=3).encode(TEXTS, "query: ")
    np.testing.assert_allclose(found, expected(TEXTS, "query: "), atol=1e-6)
    assert found.dtype == np.float32
    assert sorted(map(len, server.requests)) == [5, 7, 7, 7, 7, 7]
    assert server.headers[0]["path"] == "/v1/embeddings"
    assert server.headers[0]["model"] == "fake"


def test_no_text_is_no_request(serve, client):
    """Nothing to encode gives an empty array of the model's width."""
    server = serve()
    assert client(server).encode([], "").shape == (0, DIM)
    assert server.requests == []


@pytest.mark.parametrize(
    "behave",
    [
        bad.status(429),
        bad.status(429, Retry_After="0"),
        bad.status(429, Retry_After="soon"),
        bad.status(500),
        bad.status(503, words=""),
        bad.status(408),
        bad.drop,
        bad.drop_in_the_body,
        bad.half_json,
    ],
)
def test_what_may_pass_is_asked_again(behave, serve, client):
    """Two failures in a row, then a good answer: the vectors are those of a server that never failed."""
    server = serve([behave, behave])
    found = client(server, batch_size=40).encode(TEXTS, "")
    np.testing.assert_allclose(found, expected(TEXTS), atol=1e-6)
    assert 3 <= len(server.requests) <= 4
    assert all(request == TEXTS for request in server.requests)


def test_only_the_failed_request_is_sent_again(serve, client):
    """One of four requests fails: five are sent."""
    server = serve([None, bad.status(500)])
    client(server, batch_size=10).encode(TEXTS, "")
    assert len(server.requests) == 5


def test_a_slow_answer_is_asked_again(serve, client):
    """An answer that takes longer than the timeout counts as dropped."""
    server = serve([bad.slow(1.0)])
    found = client(server, timeout=0.3).encode(TEXTS[:2], "")
    np.testing.assert_allclose(found, expected(TEXTS[:2]), atol=1e-6)
    assert len(server.requests) == 2


def test_retry_after_is_honoured(serve, client):
    """No request comes before the time the server asked for, though the back-off would be milliseconds."""
    server = serve([bad.status(429, Retry_After="0.4")])
    client(server).encode(TEXTS[:1], "")
    assert server.times[1] - server.times[0] >= 0.4


def test_a_server_that_asks_for_an_hour_is_given_up_at_once(serve, client):
    """A wait beyond patience is an error that names it, not an hour of silence."""
    server = serve([bad.status(429, Retry_After="3600")])
    with pytest.raises(EncodingError, match="asks to wait 3600 s"):
        client(server).encode(TEXTS[:1], "")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("behave", "message"),
    [
        (bad.status(503, words="loading"), "HTTP 503, saying 'loading' "),
        (bad.drop, "connection failed"),
        (bad.half_json, "no complete JSON"),
    ],
)
def test_patience_ends_in_one_clear_error(behave, message, serve, client):
    """After the retries one error says who, what, how often, and that finished work is kept."""
    server = serve(always=lambda _: behave)
    with pytest.raises(EncodingError, match=message) as caught:
        client(server).encode(TEXTS[:3], "")
    told = str(caught.value)
    assert f"fake at {server.url}" in told
    assert "attempt 4 of 4" in told
    assert "shards are kept" in told
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("code", "next_step"),
    [(401, "EVALSUITE_API_KEY"), (403, "EVALSUITE_API_KEY"), (404, "model's name"), (418, "server's log")],
)
def test_what_will_not_pass_is_not_asked_again(code, next_step, serve, client):
    """A refusal is told at once, with what to do."""
    server = serve([bad.status(code, words="no")])
    with pytest.raises(EncodingError, match=f"HTTP {code}, saying 'no'.*{next_step}"):
        client(server).encode(TEXTS[:3], "")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items[:-1],
        lambda items: [*items, items[0]],
        lambda items: [{**item, "index": 0} for item in items],
        lambda items: [{**items[0], "embedding": [float("nan")] * DIM}, *items[1:]],
        lambda items: [{**item, "embedding": item["embedding"][:-1]} for item in items],
    ],
)
def test_wrong_answers_are_errors_not_vectors(change, serve, client):
    """Wrong count, doubled index, NaN, another width: an error, and no second request."""
    server = serve([bad.changed(change)])
    with pytest.raises(EncodingError, match=f"fake at {server.url}"):
        client(server).encode(TEXTS[:3], "")
    assert len(server.requests) == 1


@pytest.mark.parametrize("change", [lambda items: items[::-1], bad.as_base64])
def test_odd_but_right_answers_are_read(change, serve, client):
    """Another order and base64 give the same vectors."""
    found = client(serve([bad.changed(change)])).encode(TEXTS[:5], "")
    np.testing.assert_allclose(found, expected(TEXTS[:5]), atol=1e-6)


@pytest.mark.parametrize("code", [400, 413, 422])
def test_a_batch_that_is_too_large_is_halved(code, serve, client):
    """A server that takes three texts a request at most is served with smaller requests."""
    server = serve(always=lambda texts: bad.status(code) if len(texts) > 3 else None)
    found = client(server).encode(TEXTS, "")
    np.testing.assert_allclose(found, expected(TEXTS), atol=1e-6)


def test_one_text_that_is_refused_is_named(serve, client):
    """Of twenty texts the error names the one the server cannot take, and quotes the server."""
    server = serve(always=lambda texts: bad.status(400, "too long") if TEXTS[13] in texts else None)
    with pytest.raises(EncodingError, match=r"refuses the text 'text 13 .*too long.*truncates"):
        client(server).encode(TEXTS[:20], "")


@pytest.mark.timeout(45)  # the waits are of 50 s and more
def test_a_refusal_does_not_wait_for_the_patience_of_others(serve, client):
    """While one request waits a minute before its retry, another is refused: the error comes at once."""
    refused = threading.Event()

    def always(texts):
        if texts == [TEXTS[1]]:
            refused.set()
            return bad.status(404)
        return bad.status(503)

    server = serve(always=always)
    patience = Patience(retries=3, first_wait=100.0, longest_wait=100.0)
    with pytest.raises(EncodingError, match="HTTP 404"):
        client(server, batch_size=1, patience=patience).encode(TEXTS[:2], "")
    assert refused.is_set()


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_requests_are_under_way_than_allowed(limit, serve, client):
    """The concurrency limit holds, and is used."""
    running, most, lock = [0], [0], threading.Lock()
    together = threading.Barrier(limit)

    def behave(handler, texts):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        together.wait(timeout=10)  # breaks, and so fails the request, unless so many are under way
        with lock:
            running[0] -= 1
        handler.answer(200, handler.good(texts), {})

    encoder = client(serve(always=lambda _: behave), batch_size=1, concurrency=limit)
    encoder.encode(TEXTS[: 4 * limit], "")
    assert most[0] == limit


def test_connections_are_kept(serve, client):
    """Requests one after the other share a connection."""
    server = serve()
    encoder = client(server, batch_size=5, concurrency=1)
    encoder.encode(TEXTS, "")
    encoder.encode(TEXTS, "")
    assert (len(server.requests), len(server.connections)) == (16, 1)


def test_the_key_is_sent_and_may_change(serve, client, monkeypatch):
    """The key is read for every request; without one, no header is sent."""
    server = serve()
    encoder = client(server)
    for key in ("first-key", "second-key"):
        monkeypatch.setenv("EVALSUITE_API_KEY", key)
        encoder.encode(["a"], "")
    monkeypatch.delenv("EVALSUITE_API_KEY")
    encoder.encode(["a"], "")
    assert [each.get("Authorization") for each in server.headers] == [
        "Bearer first-key", "Bearer second-key", None,
    ]  # fmt: skip


def test_a_redirect_is_not_followed_with_the_key(serve, client, monkeypatch):
    """A server that points elsewhere does not get the key delivered there."""
    monkeypatch.setenv("EVALSUITE_API_KEY", "s3cret-key")
    elsewhere = serve()
    server = serve([bad.status(307, Location=f"{elsewhere.url}/v1/embeddings")])
    with pytest.raises(EncodingError, match=r"HTTP 307.*final URL"):
        client(server).encode(["a"], "")
    assert elsewhere.requests == []


def test_words_that_repeat_the_key_are_not_shown(serve, client, monkeypatch):
    """A server that quotes a part of the key in its refusal is not quoted."""
    monkeypatch.setenv("EVALSUITE_API_KEY", "sk-abcdef-012345")
    with pytest.raises(EncodingError, match="are not shown") as caught:
        client(serve([bad.status(401, "bad key sk-abc***, ends in 012345")])).encode(["a"], "")
    assert "012345" not in str(caught.value)


def test_a_key_that_cannot_be_sent_is_the_user_s_mistake(serve, client, monkeypatch):
    """Before any request, and without showing the key."""
    monkeypatch.setenv("EVALSUITE_API_KEY", "two words")
    server = serve()
    with pytest.raises(UsageError, match="EVALSUITE_API_KEY"):
        client(server).encode(["a"], "")
    assert server.requests == []


def test_waits_repeat_with_their_seed(serve, client, caplog):
    """Two clients of one seed wait the same times; another seed waits others."""
    caplog.set_level("INFO", "evalsuite")

    def waits(seed):
        caplog.clear()
        patience = Patience(retries=3, first_wait=0.3)
        server = serve([bad.status(500)])
        client(server, seed=seed, patience=patience).encode(["a"], "")
        return [record.args[-1] for record in caplog.records if "asking again" in record.msg]

    first, again, other = waits(1), waits(1), waits(2)
    assert first == again != other
    assert len(first) == 1


def test_a_server_that_is_not_there_is_an_error(serve, client):
    """Nobody listens: the error names the kind of failure."""
    server = serve()
    encoder = client(server)
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(EncodingError, match="ConnectionRefusedError"):
        encoder.encode(["a"], "")


def test_whole_waves_are_asked_for():
    """`batch_size` is what the store's parts are whole numbers of: all connections' texts at once."""
    address = Address("m", "http://localhost/v1/embeddings")
    for size, threads in itertools.product((1, 32), (1, 4)):
        encoder = ServedEncoder(address, 4, ServedOptions(batch_size=size, concurrency=threads))
        assert encoder.batch_size == size * threads
