"""Frames: messages between the driver and its workers."""

import io

from hypothesis import given
from hypothesis import strategies as st

from evalsuite.embeddings.frames import receive, send


@given(st.lists(st.tuples(st.dictionaries(st.text(), st.text() | st.integers()), st.binary()), max_size=4))
def test_messages_arrive_as_they_were_sent(messages):
    """Any heads and bodies, one behind the other, come back equal and in order; then nothing."""
    pipe = io.BytesIO()
    for head, body in messages:
        send(pipe, head, body)
    pipe.seek(0)
    assert [receive(pipe) for _ in messages] == messages
    assert receive(pipe) is None


def test_half_a_surrogate_survives():
    """A text that is not valid Unicode, as broken files hold, travels unchanged."""
    pipe = io.BytesIO()
    send(pipe, {"text": "\ud800"})
    pipe.seek(0)
    assert receive(pipe) == ({"text": "\ud800"}, b"")


@given(st.data())
def test_a_torn_message_is_none(data):
    """Whatever part of a message was written when the other side died, nothing is received."""
    pipe = io.BytesIO()
    send(pipe, {"kind": "done"}, b"vectors")
    content = pipe.getvalue()
    torn = content[: data.draw(st.integers(0, len(content) - 1))]
    assert receive(io.BytesIO(torn)) is None
