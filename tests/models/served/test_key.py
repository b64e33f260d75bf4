"""The key: whose it is, where it may go, what counts as repeating it."""

import pytest

from evalsuite.core.errors import UsageError
from evalsuite.models.served.key import api_key, repeats_key


def test_no_key_is_no_key():
    """Local servers need none."""
    assert api_key("localhost", encrypted=False) is None


def test_the_suite_s_own_key_goes_to_any_server(monkeypatch):
    """EVALSUITE_API_KEY comes first, blanks around it are dropped."""
    monkeypatch.setenv("EVALSUITE_API_KEY", " mine\n")
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert api_key("host.example", encrypted=False) == "mine"
    assert api_key("api.openai.com", encrypted=True) == "mine"


@pytest.mark.parametrize(
    ("host", "encrypted", "key"),
    [
        ("api.openai.com", True, "theirs"),
        ("openai.com", True, "theirs"),
        ("api.openai.com", False, None),
        ("localhost", False, None),
        ("notopenai.com", True, None),
        ("openai.com.example", True, None),
    ],
)
def test_openai_s_key_goes_to_openai_alone(host, encrypted, key, monkeypatch):
    """OPENAI_API_KEY is not handed to whichever server is asked, nor sent unencrypted."""
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert api_key(host, encrypted=encrypted) == key


@pytest.mark.parametrize("key", ["two words", "new\nline", "schlüssel", "bell\a"])
def test_a_key_that_no_header_carries_is_refused_without_being_shown(key, monkeypatch):
    """http.client would put the whole key into its own error message."""
    monkeypatch.setenv("EVALSUITE_API_KEY", key)
    with pytest.raises(UsageError, match="EVALSUITE_API_KEY") as caught:
        api_key("host", encrypted=True)
    assert key not in str(caught.value)


def test_six_characters_of_a_key_repeat_it(monkeypatch):
    """A server that quotes `sk-abc...` of a key gives a part of it away."""
    monkeypatch.setenv("EVALSUITE_API_KEY", "sk-abcdef-012345")
    assert repeats_key("bad key sk-abcdef-012345!")
    assert repeats_key("bad key **********012345")
    assert not repeats_key("bad key sk-ab****2345")


def test_a_short_key_is_repeated_as_a_whole(monkeypatch):
    """A key below six characters is looked for as it is."""
    monkeypatch.setenv("EVALSUITE_API_KEY", "abc")
    assert repeats_key("xxabcxx")
    assert not repeats_key("ab c")
