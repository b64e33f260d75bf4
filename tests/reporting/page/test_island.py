"""The numbers that travel with the page."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.reporting.page.island import frame_data, island, panel_data
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import NASTY


@given(st.text())
def test_any_text_survives_and_cannot_end_its_element(text):
    """No angle bracket, no ampersand, no line separator; what comes back is what went in."""
    written = island({"text": text})
    assert json.loads(written) == {"text": text}
    assert not re.search("[<>&\u2028\u2029]", written)


def test_what_is_not_a_number_is_refused():
    """JSON has no NaN."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        island(float("nan"))


def test_cells_say_what_a_mark_is(minilm, failing):
    """Name, dimension, bytes, points, interval, n, retention, ties; failed cells have no mark."""
    first = panel_data(build_view([minilm]).panels)[0]
    assert first["cells"][0] == ["384/float32", 384, 1536.0, 64.51, 60.21, 68.81, 300, 100.0, None]
    assert (first["metric"], first["unit"]) == ("nDCG@10", "queries")
    assert len(panel_data(build_view([failing]).panels)[0]["cells"]) == 15


def test_names_are_clean(nasty):
    """No escape sequence and no direction override travels along."""
    assert NASTY not in str(panel_data(build_view([nasty]).panels))


def test_frames_are_short():
    """No frame, no numbers."""
    assert frame_data(()) == []
