"""Addresses: one spelling, every mistake at once, no secret taken or repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import UsageError
from evalsuite.models.served.address import Address

NAMES = st.text("abc-_./:@0", min_size=1, max_size=20).filter(lambda name: "@http" not in name)


@given(NAMES, st.sampled_from(["", "/", "/v1", "/v1/", "/v1/embeddings", "/v1/embeddings/"]))
def test_every_way_to_give_a_server_is_one_address(model, end):
    """Base, `/v1` and endpoint are the same address, which parses back from its own source."""
    address = Address.parse(f"openai:{model}@HTTPS://Host.Example:443{end}")
    assert address == Address(model, "https://host.example/v1/embeddings")
    assert Address.parse(address.source) == address


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1/embeddings"),
        ("http://localhost:80", "http://localhost/v1/embeddings"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1/embeddings"),
        ("https://gate.example/team/v2", "https://gate.example/team/v2/embeddings"),
        ("https://gate.example/team", "https://gate.example/team/v1/embeddings"),
    ],
)
def test_the_endpoint_is_completed(given, url):
    """A port other than the usual one, an IPv6 host and a path of the server's own are kept."""
    assert Address.parse(f"openai:m@{given}").url == url


def test_a_model_name_may_hold_an_at():
    """Names such as `@cf/baai/bge` are told from the URL."""
    assert Address.parse("openai:@cf/baai/bge@https://h").model == "@cf/baai/bge"


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@host/v1",
        "https://s3cret@host/v1",
        "https://host/v1?key=s3cret",
        "https://host/v1#s3cret",
        "https://user:s3cret@http://host",
        "s3cret@host",
        "https://s3cret:pass@host:badport/",
    ],
)
def test_a_secret_in_the_url_is_refused_and_not_repeated(url):
    """User, password, query and fragment are errors whose message holds none of them."""
    with pytest.raises(UsageError) as caught:
        Address.parse(f"openai:m@{url}")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://host/{}/v1", "https://{}.host", "https://host:1/?a={}"])
def test_the_key_anywhere_in_the_address_is_refused(url, monkeypatch):
    """A key that is in the environment may not be in the address, wherever."""
    monkeypatch.setenv("EVALSUITE_API_KEY", "s3cret-key")
    with pytest.raises(UsageError, match="contains the API key") as caught:
        Address.parse("openai:m@" + url.format("s3cret-key"))
    assert "s3cret" not in str(caught.value)


def test_all_mistakes_are_told_at_once():
    """A user, a query and blanks are three problems of one message."""
    with pytest.raises(UsageError) as caught:
        Address.parse("openai:m@https://u@h/a b?q=1")
    message = str(caught.value)
    assert all(part in message for part in ("blanks", "user or password", "query"))


@pytest.mark.parametrize("source", ["openai:", "openai:m", "openai:@http://h", "openai:m@ftp://h"])
def test_another_form_is_refused_with_an_example(source):
    """What is not MODEL@URL is answered with how it looks."""
    with pytest.raises(UsageError, match="openai:MODEL@URL"):
        Address.parse(source)


@pytest.mark.parametrize("url", ["http://", "http://h:0", "http://[::1", "http://h:99999"])
def test_a_url_without_usable_host_or_port_is_refused(url):
    """No host, port 0 or beyond, a broken IPv6 host."""
    with pytest.raises(UsageError, match=r"host|port"):
        Address.parse(f"openai:m@{url}")
