"""Frames: messages between the driver and its workers."""

import io
import os
import selectors

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


class _Dribbles(io.RawIOBase):
    """An unbuffered pipe that takes and gives a few bytes at a time."""

    def __init__(self):
        self.content = bytearray()

    def write(self, piece):
        self.content += bytes(piece[:7])
        return min(7, len(piece))

    def read(self, count=-1):
        piece = bytes(self.content[: min(count, 5)])
        del self.content[: len(piece)]
        return piece


def test_a_pipe_may_take_and_give_a_few_bytes_at_a_time():
    """An unbuffered pipe that accepts half a message is given the rest."""
    pipe = _Dribbles()
    send(pipe, {"kind": "done", "shape": [2, 3]}, b"x" * 100)
    assert receive(pipe) == ({"kind": "done", "shape": [2, 3]}, b"x" * 100)


def test_a_message_behind_another_stays_in_the_pipe():
    """Of two messages that arrive together, the second can still be waited for after the first was read."""
    read, write = os.pipe()
    with os.fdopen(read, "rb", buffering=0) as answers, os.fdopen(write, "wb") as pipe:
        send(pipe, {"kind": "progress"})
        send(pipe, {"kind": "done"}, b"vectors")
        assert receive(answers) == ({"kind": "progress"}, b"")
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            assert selector.select(timeout=0)
        assert receive(answers) == ({"kind": "done"}, b"vectors")
